# SPDX-License-Identifier: Apache-2.0
"""The website of a bucket, at its website host. What its document may say: test_website_config.py.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from sdk.cloud import Cloud
from wire import process, raw

INDEX = {"IndexDocument": {"Suffix": "index.html"}}
FIRST_STORE = pytest.mark.skipif(bool(process.STORE), reason="its hosts are those of the first store")
PAGE = re.compile(r"<html>\n<head><title>(.+)</title></head>\n<body>\n<h1>(.+)</h1>\n<ul>\n((?:<li>.+</li>\n)+)</ul>\n"
                  r"(?:<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n"
                  r"<ul>\n((?:<li>.+</li>\n)+)</ul>\n)?<hr/>\n</body>\n</html>\n")  # fmt: skip


class Site:
    """A bucket that is a website."""

    def __init__(self, server, s3, bucket, configuration=None):
        self.server, self.s3, self.bucket = server, s3, bucket
        self.host = f"{bucket}.s3-website.{base_of(server)}"
        if configuration:
            s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)

    def put(self, *keys, acl="public-read", **more):
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"the page " + key.encode(), ACL=acl, ContentType="text/html", **more)

    def get(self, target="/", method="GET", host=None, headers=(), body=b""):
        request = raw.Request(method, target, [("Host", host or self.host), *headers], body)
        return raw.send(self.server.url, request)


def base_of(server):
    return raw.host_of(server.url).replace("127.0.0.1", "localhost")  # of a second store it is another


def cloud_of(server):
    return Cloud(server).client()


def facts(items):
    return dict(re.findall(r"<li>(\w+): (.+)</li>", items or ""))


def page(reply, status, title):
    """The facts of an error page, and those of the trouble with the website's own."""
    found = PAGE.fullmatch(reply.body.decode())
    assert found, reply
    assert (reply.status, reply.header("content-type"), found[1], found[2]) == (status, "text/html; charset=utf-8", title, title)
    told = facts(found[3])
    assert (told.pop("RequestId"), told.pop("HostId")) == (reply.header("x-amz-request-id"), reply.header("x-amz-id-2"))
    assert (told["Code"], told["Message"]) == (reply.header("x-amz-error-code"), reply.header("x-amz-error-message"))
    return told, facts(found[4])


@pytest.fixture
def site(server, s3, bucket):
    """Anybody may list it, so that what is not there is told."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    return Site(server, s3, bucket, INDEX)


def configured(site, **more):
    site.s3.put_bucket_website(Bucket=site.bucket, WebsiteConfiguration={**INDEX, **more})
    return site


# ---- which host ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["s3-website", "s3-website-us-east-1", "s3-website.eu-central-1", "S3-Website"])
def test_website_host__is_told_by_its_form(site, form):
    site.put("index.html")
    assert site.get(host=f"{site.bucket}.{form}.{base_of(site.server)}").body == b"the page index.html"


def test_website_host__a_label_that_is_no_region_belongs_to_a_bucket(site):
    reply = site.get(host=f"{site.bucket}.s3-website-archive.{base_of(site.server)}")
    assert (reply.status, reply.code, reply.element("BucketName")) == (404, "NoSuchBucket", f"{site.bucket}.s3-website-archive")


@FIRST_STORE
def test_website_host__of_domains(make_server):
    server = make_server("--domain", "example.com", "--domain", "s3.sites.example.org", "--website-domain", "pages.test",
                         "--website-domain", "sites.example.org", "--region", "home-1", "--buckets", "shop,b.s3")  # fmt: skip
    s3 = cloud_of(server)
    for bucket in ("shop", "b.s3"):
        Site(server, s3, bucket, INDEX).put("index.html")
    site = Site(server, s3, "shop")
    for host in ("shop.s3-website.example.com", "shop.s3-website-home-1.example.com", "shop.pages.test:80", "SHOP.Pages.test.",
                 "shop.sites.example.org", "b.s3.pages.test", "shop.s3-website.s3.sites.example.org"):  # fmt: skip
        assert site.get(host=host).body == b"the page index.html", host
        # What other hosts answer at that path is not the website's.
        assert site.get("/health", host=host).header("content-type") == "text/html; charset=utf-8", host
    for host in ("shop.example.com", "shop.s3.sites.example.org", "pages.test"):
        reply = site.get(host=host)
        assert (reply.status, reply.code) == (403, "AccessDenied"), host


# ---- objects ---------------------------------------------------------------------------------------


def test_website__index_documents_stand_for_folders(site):
    site.put("index.html", "docs/index.html", "docs/a.html", "nested/deep/index.html")
    for target, key in (("/", "index.html"), ("/index.html", "index.html"), ("/docs/", "docs/index.html"),
                        ("/docs/a.html", "docs/a.html"), ("/nested/deep/", "nested/deep/index.html"),
                        ("/docs%2Fa.html", "docs/a.html"), ("/?versionId=null&acl&response-content-type=a", "index.html")):  # fmt: skip
        reply = site.get(target)
        assert (reply.status, reply.body, reply.header("content-type")) == (200, f"the page {key}".encode(), "text/html"), target


def test_website__head_is_get_without_the_body(site):
    site.put("index.html")
    got, head = site.get(), site.get(method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "etag", "content-type", "last-modified"):
        assert head.header(name) == got.header(name)


def test_website__a_folder_without_its_slash_is_found(site):
    site.put("docs/index.html", "/evil/index.html", "a b/index.html", "both", "both/index.html")
    for target, location in (("/docs", "/docs/"), ("/docs?a=b", "/docs/?a=b"), ("//evil", "/%2Fevil/"), ("/a%20b", "/a%20b/")):
        reply = site.get(target)
        told, _ = page(reply, 302, "302 Found")
        assert (reply.header("location"), told) == (location, {"Code": "Found", "Message": "Resource Found"})
        head = site.get(target, "HEAD")
        assert (head.status, head.header("location"), head.header("x-amz-error-code"), head.body) == (302, location, "Found", b"")
    assert site.get("/both").body == b"the page both"


def test_website__nobody_is_sent_to_a_folder_they_may_not_read(site):
    site.put("docs/index.html", acl="private")
    told, _ = page(site.get("/docs"), 404, "404 Not Found")
    assert told["Key"] == "docs"


def test_website__conditions_and_ranges_are_those_of_objects(site):
    site.put("index.html")
    etag = site.get().header("etag")
    reply = site.get(headers=[("If-None-Match", etag)])
    assert (reply.status, reply.body, reply.header("etag")) == (304, b"", etag)
    reply = site.get(headers=[("Range", "bytes=4-7")])
    assert (reply.status, reply.body, reply.header("content-range")) == (206, b"page", "bytes 4-7/19")
    told, _ = page(site.get(headers=[("If-Match", '"other"')]), 412, "412 Precondition Failed")
    assert told["Condition"] == "If-Match"
    told, _ = page(site.get(headers=[("Range", "bytes=100-")]), 416, "416 Requested Range Not Satisfiable")
    assert told["ActualObjectSize"] == "19"


# ---- errors ----------------------------------------------------------------------------------------


def test_website__what_is_missing_is_a_page(site):
    for target, key in (("/", "index.html"), ("/a.html", "a.html"), ("/docs/", "docs/index.html")):
        reply = site.get(target)
        told, trouble = page(reply, 404, "404 Not Found")
        assert told == {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": key}
        assert (reply.header("x-amz-error-detail-key"), trouble) == (key, {})
        head = site.get(target, "HEAD")
        assert (head.status, head.body, head.header("x-amz-error-detail-key")) == (404, b"", key)


@pytest.mark.parametrize("versioning", [False, True])
def test_website__what_is_deleted_is_missing(site, versioning):
    if versioning:
        site.s3.put_bucket_versioning(Bucket=site.bucket, VersioningConfiguration={"Status": "Enabled"})
    site.put("index.html")
    site.s3.delete_object(Bucket=site.bucket, Key="index.html")
    assert page(site.get(), 404, "404 Not Found")[0]["Code"] == "NoSuchKey"


def test_website__a_page_can_not_be_written_by_who_asks(site):
    reply = site.get("/%3Cscript%3E&%22%0D%0AX-Evil:%201")
    told, _ = page(reply, 404, "404 Not Found")
    assert told["Key"] == "&lt;script&gt;&amp;&quot;&#xD;&#xA;X-Evil: 1"
    assert (reply.header("x-amz-error-detail-key"), reply.header("x-evil")) == ('<script>&"%0D%0AX-Evil: 1', None)


@pytest.mark.parametrize("headers", [[], [("Authorization", "AWS4-HMAC-SHA256 nonsense")], [("x-amz-content-sha256", "nonsense")]])
def test_website__what_anonymous_callers_may_not_read_is_refused(server, s3, bucket, headers):
    site = Site(server, s3, bucket, INDEX)
    site.put("index.html", acl="private")
    site.put("public.html")
    for target in ("/", "/index.html", "/absent", "/folder/"):
        told, _ = page(site.get(target, headers=headers), 403, "403 Forbidden")
        assert told == {"Code": "AccessDenied", "Message": "Access Denied"}
    assert site.get("/public.html", headers=headers).status == 200


def test_website__a_policy_may_let_everybody_read(server, s3, bucket):
    site = Site(server, s3, bucket, INDEX)
    site.put("docs/index.html", acl="private")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/docs/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    assert site.get("/docs/").body == b"the page docs/index.html"
    assert site.get("/docs").header("location") == "/docs/"
    assert page(site.get("/absent"), 403, "403 Forbidden")


def test_website__a_signature_makes_nobody_known(site):
    site.put("index.html", acl="private")
    request = raw.Request("GET", "/", [("Host", site.host)])
    raw.sign_v4(request, site.server.users["root"])
    assert page(raw.send(site.server.url, request), 403, "403 Forbidden")[0]["Code"] == "AccessDenied"


def test_website__nor_is_anybody_where_everybody_is_trusted(make_server):
    server = make_server("--auth", "open", "--buckets", "shop")
    site = Site(server, cloud_of(server), "shop", INDEX)
    site.put("index.html", acl="private")
    assert raw.anonymous(server.url, "GET", "/shop/index.html").status == 200
    assert page(site.get(), 403, "403 Forbidden")


def test_website__of_whose_requesters_pay_serves_nobody(site):
    site.put("index.html")
    site.s3.put_bucket_request_payment(Bucket=site.bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert page(site.get(headers=[("x-amz-request-payer", "requester")]), 403, "403 Forbidden")


def test_website__of_no_bucket_and_of_one_that_has_none(server, s3, bucket):
    site = Site(server, s3, bucket)
    told, _ = page(site.get(), 404, "404 Not Found")
    assert told == {"Code": "NoSuchWebsiteConfiguration", "BucketName": bucket,
                    "Message": "The specified bucket does not have a website configuration"}  # fmt: skip
    reply = site.get(host=site.host.replace(bucket, "no-such-bucket-of-ours"))
    told, _ = page(reply, 404, "404 Not Found")
    assert (told["Code"], told["BucketName"]) == ("NoSuchBucket", "no-such-bucket-of-ours")
    assert reply.header("x-amz-error-detail-bucketname") == "no-such-bucket-of-ours"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"x" * 100_000])
def test_website__only_reading_is_there(site, method, body):
    told, _ = page(site.get("/key", method, body=body), 405, "405 Method Not Allowed")
    assert told == {"Code": "MethodNotAllowed", "Method": method, "ResourceType": "OBJECT",
                    "Message": "The specified method is not allowed against this resource."}  # fmt: skip
    assert "Contents" not in site.s3.list_objects_v2(Bucket=site.bucket)


@pytest.mark.parametrize("target, code", [("/%FF", "InvalidURI"), ("/../a", "InvalidURI"), ("/" + "a" * 1025, "KeyTooLongError"),
                                          ("/" + "a" * 1020 + "/", "KeyTooLongError")])  # fmt: skip
def test_website__a_key_that_can_not_be(site, target, code):
    assert page(site.get(target), 400, "400 Bad Request")[0]["Code"] == code


# ---- the error document ----------------------------------------------------------------------------


def test_website__its_own_error_document_keeps_the_status(site):
    configured(site, ErrorDocument={"Key": "errors/40x.html"})
    site.put("errors/40x.html", Metadata={"a": "b"})
    site.put("secret.html", acl="private")
    for target, status, code in (("/absent", 404, "NoSuchKey"), ("/secret.html", 403, "AccessDenied")):
        for headers in ([], [("Range", "bytes=0-1")], [("If-None-Match", "*")]):
            reply = site.get(target, headers=headers)
            assert (reply.status, reply.body, reply.header("content-type")) == (status, b"the page errors/40x.html", "text/html")
            assert (reply.header("x-amz-error-code"), reply.header("x-amz-meta-a")) == (code, "b")
        head = site.get(target, "HEAD")
        assert (head.status, head.body, head.header("content-length")) == (status, b"", "24")


@pytest.mark.parametrize("acl, code", [(None, "NoSuchKey"), ("private", "AccessDenied")])
def test_website__trouble_with_its_own_error_document_is_told(site, acl, code):
    configured(site, ErrorDocument={"Key": "error.html"})
    if acl:
        site.put("error.html", acl=acl)
    told, trouble = page(site.get("/absent"), 404, "404 Not Found")
    assert (told["Code"], told["Key"], trouble["Code"]) == ("NoSuchKey", "absent", code)
    assert trouble.get("Key") == ("error.html" if code == "NoSuchKey" else None)


# ---- redirects -------------------------------------------------------------------------------------


def away(reply):
    assert reply.body == b"" and reply.header("content-length") in ("0", None), reply
    return reply.status, reply.header("location")


@pytest.mark.parametrize("to", ["/other.html", "https://example.com/a?b=c"])
def test_website__an_object_sends_to_another_place(site, to):
    site.put("page.html", "docs/index.html", WebsiteRedirectLocation=to)
    for target in ("/page.html", "/docs/"):
        for method in ("GET", "HEAD"):
            assert away(site.get(target, method)) == (301, to)
    assert raw.anonymous(site.server.url, "GET", f"/{site.bucket}/page.html").status == 200


@pytest.mark.parametrize("all_to, location", [
    ({"HostName": "example.com"}, "http://example.com/a/b%20c?d=e"),
    ({"HostName": "example.com/under", "Protocol": "https"}, "https://example.com/under/a/b%20c?d=e"),
    ({"HostName": "example.com\r\nX-Evil: 1"}, "http://example.com%0AX-Evil:%201/a/b%20c?d=e"),
])  # fmt: skip
def test_website__all_of_it_elsewhere(server, s3, bucket, all_to, location):
    site = Site(server, s3, bucket, {"RedirectAllRequestsTo": all_to})
    assert away(site.get("/a/b%20c?d=e")) == (301, location)
    assert away(site.get("/", "HEAD")) == (301, location.replace("a/b%20c?d=e", ""))


def test_website__over_tls_stays_there(server, s3, bucket):
    site = Site(server, s3, bucket, {"RedirectAllRequestsTo": {"HostName": "example.com"}})
    request = raw.Request("GET", "/", [("Host", site.host)])
    assert raw.send(server.tls_url, request, ca=server.certificate[0]).header("location") == "https://example.com/"


RULES = [
    {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}},
    {"Condition": {"KeyPrefixEquals": "docs/never"}, "Redirect": {"ReplaceKeyWith": "the first rule counts"}},
    {"Condition": {"KeyPrefixEquals": "images/"}, "Redirect": {"ReplaceKeyWith": "no images.html", "HttpRedirectCode": "307"}},
    {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"HostName": "old.example.com", "Protocol": "https"}},
    {"Condition": {"KeyPrefixEquals": "app/", "HttpErrorCodeReturnedEquals": "404"},
     "Redirect": {"ReplaceKeyPrefixWith": "app/#!/", "HttpRedirectCode": "302"}},
    {"Condition": {"HttpErrorCodeReturnedEquals": "403"}, "Redirect": {"HostName": "login.example.com", "ReplaceKeyWith": "login?to=me"}},
]  # fmt: skip


@pytest.mark.parametrize("target, status, location", [
    ("/docs/", 301, "http://{host}/documents/"),
    ("/docs/a%20b?c=d", 301, "http://{host}/documents/a%20b?c=d"),
    ("/docs/never", 301, "http://{host}/documents/never"),
    ("/docs/there.html", 301, "http://{host}/documents/there.html"),
    ("/images/a.png", 307, "http://{host}/no%20images.html"),
    ("/old/a", 301, "https://old.example.com/old/a"),
    ("/app/view/1", 302, "http://{host}/app/#!/view/1"),
    ("/app/view/", 302, "http://{host}/app/#!/view/"),
    ("/secret.html?x=y", 301, "http://login.example.com/login?to=me&x=y"),
])  # fmt: skip
def test_website__rules_redirect(site, target, status, location):
    configured(site, RoutingRules=RULES, ErrorDocument={"Key": "error.html"})
    site.put("docs/there.html", "app/there.html", "error.html", "index.html")
    site.put("secret.html", acl="private")
    for method in ("GET", "HEAD"):
        assert away(site.get(target, method)) == (status, location.format(host=site.host))


def test_website__rules_leave_the_rest_alone(site):
    configured(site, RoutingRules=RULES, ErrorDocument={"Key": "error.html"})
    site.put("docs/there.html", "app/there.html", "error.html", "index.html")
    for target, status, body in (("/", 200, b"the page index.html"), ("/app/there.html", 200, b"the page app/there.html"),
                                 ("/docs", 404, b"the page error.html"), ("/absent", 404, b"the page error.html")):  # fmt: skip
        reply = site.get(target)
        assert (reply.status, reply.body) == (status, body), target


def test_website__a_rule_without_a_condition_is_for_everything(site):
    configured(site, RoutingRules=[{"Redirect": {"HostName": "example.com", "ReplaceKeyPrefixWith": "v2/"}}])
    site.put("index.html")
    assert away(site.get("/")) == (301, "http://example.com/v2/")
    assert away(site.get("/index.html")) == (301, "http://example.com/v2/index.html")


# ---- the page of it --------------------------------------------------------------------------------


@FIRST_STORE
def test_website__the_documented_one_works(make_server):
    server = make_server()
    text = (pathlib.Path(__file__).parents[2] / "docs" / "website.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    root = server.users["root"]
    environment = {**os.environ, "AWS_ENDPOINT_URL_S3": server.url, "AWS_DEFAULT_REGION": "us-east-1",
                   "AWS_ACCESS_KEY_ID": root.access_key, "AWS_SECRET_ACCESS_KEY": root.secret_key}  # fmt: skip
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    found = []
    for target in re.findall(r"http://my-site\.s3-website\.localhost:9000(\S+)", text):
        reply = Site(server, None, "my-site").get(target)
        found.append((target, reply.status, reply.header("location"), "nothing here" in reply.body.decode()))
    host = f"my-site.s3-website.{base_of(server)}"
    assert found == [("/", 200, None, False), ("/documents", 302, "/documents/", False),
                     ("/docs/", 301, f"http://{host}/documents/", False), ("/other", 404, None, True)]  # fmt: skip


# ---- the log ---------------------------------------------------------------------------------------


def test_website__is_an_operation_of_its_own_in_the_log(make_server):
    server = make_server("--buckets", "shop")
    site = Site(server, cloud_of(server), "shop", {**INDEX, "ErrorDocument": {"Key": "error.html"}})
    site.put("error.html")
    site.get("/absent")
    server.stop()
    server.stopped = True
    lines = [line for line in server.stderr_path.read_text().splitlines() if "op=Website" in line]
    assert len(lines) == 1 and "bucket=shop" in lines[0] and "status=403" in lines[0] and "code=AccessDenied" in lines[0]


# ---- pages of other origins ------------------------------------------------------------------------


def test_website__has_the_bucket_s_cors_rules(site):
    site.put("index.html")
    site.s3.put_bucket_cors(Bucket=site.bucket, CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["http://page.test"], "AllowedMethods": ["GET"]}]})  # fmt: skip
    origin = [("Origin", "http://page.test")]
    for target, status in (("/", 200), ("/none", 404)):
        reply = site.get(target, headers=origin)
        assert (reply.status, reply.header("Access-Control-Allow-Origin")) == (status, "http://page.test")
    for method, status in (("GET", 200), ("PUT", 403)):
        reply = site.get("/a", "OPTIONS", headers=[*origin, ("Access-Control-Request-Method", method)])
        assert reply.status == status, reply
