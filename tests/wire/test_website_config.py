# SPDX-License-Identifier: Apache-2.0
"""What a website document may say. What it does: test_website.py.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
"""

import pytest

from sdk import expect
from wire import raw

INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
PROTOCOL = "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."


def put(server, bucket, inner):
    request = raw.Request("PUT", f"/{bucket}?website", [("Host", raw.host_of(server.url))],
                          f"<WebsiteConfiguration>{inner}</WebsiteConfiguration>".encode())  # fmt: skip
    raw.sign_v4(raw.with_md5(request), server.users["root"])
    return raw.send(server.url, request)


def rules(*inner):
    return INDEX + "<RoutingRules>" + "".join(f"<RoutingRule>{one}</RoutingRule>" for one in inner) + "</RoutingRules>"


def rule(condition, redirect):
    return rules(f"<Condition>{condition}</Condition><Redirect>{redirect}</Redirect>")


WHOLE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "errors/404.html"},
    "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}},
        {"Condition": {"HttpErrorCodeReturnedEquals": "404"},
         "Redirect": {"HostName": "example.com", "HttpRedirectCode": "302", "Protocol": "https", "ReplaceKeyWith": "lost & found"}},
    ],
}  # fmt: skip
REDIRECTED = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}


@pytest.mark.parametrize("website", [WHOLE, REDIRECTED])
def test_PutBucketWebsite__is_what_is_told(s3, bucket, website):
    assert expect.status_of(s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)) == 200
    told = s3.get_bucket_website(Bucket=bucket)
    assert {name: told[name] for name in website} == website


def test_GetBucketWebsite__of_a_bucket_without_one(server, bucket):
    reply = raw.signed(server.url, server.users["root"], "GET", f"/{bucket}?website")
    assert (reply.status, reply.code, reply.element("BucketName")) == (404, "NoSuchWebsiteConfiguration", bucket)
    assert reply.element("Message") == "The specified bucket does not have a website configuration"


def test_DeleteBucketWebsite__can_be_repeated(s3, bucket):
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=WHOLE)
    for _ in range(2):
        assert expect.status_of(s3.delete_bucket_website(Bucket=bucket)) == 204
    with expect.refused(404, "NoSuchWebsiteConfiguration"):
        s3.get_bucket_website(Bucket=bucket)


@pytest.mark.parametrize("inner", [
    "<RedirectAllRequestsTo/>",
    "<RedirectAllRequestsTo><HostName/></RedirectAllRequestsTo>",
    "<RedirectAllRequestsTo><Protocol>http</Protocol></RedirectAllRequestsTo>",
    "<RedirectAllRequestsTo><HostName>a</HostName><HostName>a</HostName></RedirectAllRequestsTo>",
    INDEX + INDEX,
    INDEX + "<More/>",
    "<IndexDocument><Suffix>a</Suffix><More/></IndexDocument>",
    INDEX + "<ErrorDocument/>",
    INDEX + "<ErrorDocument><Key/></ErrorDocument>",
    INDEX + "<RoutingRules/>",
    INDEX + "<RoutingRules><Rule/></RoutingRules>",
    rules(""),
    rules("<Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition>"),
    rules("<Redirect/>"),
    rules("<Redirect><Replace>a</Replace></Redirect>"),
    rule("<KeyPrefixEquals>a</KeyPrefixEquals><KeyPrefixEquals>b</KeyPrefixEquals>", "<HostName>a</HostName>"),
    rule("<Prefix>a</Prefix>", "<HostName>a</HostName>"),
])  # fmt: skip
def test_PutBucketWebsite__another_document_is_malformed(server, bucket, inner):
    reply = put(server, bucket, inner)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply


@pytest.mark.parametrize("inner, message, name, value", [
    ("", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty", "IndexDocument", "null"),
    ("<IndexDocument/>", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
     "IndexDocument", "null"),
    ("<IndexDocument><Suffix/></IndexDocument>", "The IndexDocument Suffix is not well formed", "IndexDocument", ""),
    ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", "The IndexDocument Suffix is not well formed",
     "IndexDocument", "a/b"),
    ("<RedirectAllRequestsTo><HostName>a</HostName></RedirectAllRequestsTo>" + INDEX,
     "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.", "RedirectAllRequestsTo", "not null"),
])  # fmt: skip
def test_PutBucketWebsite__an_argument_is_named(server, bucket, inner, message, name, value):
    reply = put(server, bucket, inner)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidArgument", message)
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue") or "") == (name, value)


@pytest.mark.parametrize("inner, message", [
    ("<RedirectAllRequestsTo><HostName>a</HostName><Protocol>ftp</Protocol></RedirectAllRequestsTo>", PROTOCOL),
    (rules("<Redirect><Protocol>HTTP</Protocol></Redirect>"), PROTOCOL),
    (rules("<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>a</ReplaceKeyPrefixWith></Redirect>"),
     "You can only define ReplaceKeyPrefix or ReplaceKey but not both."),
    (rule("", "<HostName>a</HostName>"), "Condition cannot be empty. To redirect all requests without a condition, the "
     "condition element shouldn't be present."),
    *((rule(f"<HttpErrorCodeReturnedEquals>{code}</HttpErrorCodeReturnedEquals>", "<HostName>a</HostName>"),
       f"The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX.")
      for code in ("399", "600", "0404", "4xx")),
    *((rules(f"<Redirect><HttpRedirectCode>{code}</HttpRedirectCode></Redirect>"),
       f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.")
      for code in ("300", "400", "0301", "30x")),
    (rules(*["<Redirect><HostName>a</HostName></Redirect>"] * 51),
     "51 routing rules provided, the number of routing rules in a website configuration is limited to 50."),
])  # fmt: skip
def test_PutBucketWebsite__what_contradicts_itself_is_refused(server, bucket, inner, message):
    reply = put(server, bucket, inner)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidRequest", message)


@pytest.mark.parametrize("inner", [
    rules(*["<Redirect><HostName>a</HostName></Redirect>"] * 50),
    *(rule(f"<HttpErrorCodeReturnedEquals>{code}</HttpErrorCodeReturnedEquals>", "<HostName>a</HostName>") for code in (400, 599)),
    *(rules(f"<Redirect><HttpRedirectCode>{code}</HttpRedirectCode></Redirect>") for code in (301, 399)),
])  # fmt: skip
def test_PutBucketWebsite__bounds_are_good(server, bucket, inner):
    assert put(server, bucket, inner).status == 200
