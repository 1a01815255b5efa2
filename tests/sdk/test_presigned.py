# SPDX-License-Identifier: Apache-2.0
"""Presigned URLs: boto3's V2 default, V4, PUT and others, expiry, tampering.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

import datetime
import urllib.parse

import pytest

from sdk import expect
from wire import raw


@pytest.fixture
def stored(s3, bucket):
    s3.put_object(Bucket=bucket, Key="dir/my key+1", Body=b"data", ContentType="text/plain")
    return bucket


def presign(cloud, how, operation, expires=3600, user="root", **params):
    client = {
        "v2": lambda: cloud.client(user), "v2 named": lambda: cloud.client(user, signature_version="s3"),
        "v4": lambda: cloud.client(user, signature_version="s3v4"),
        "v4 region": lambda: cloud.client(user, region="eu-central-1"),
    }[how]()  # fmt: skip
    url = client.generate_presigned_url(operation, Params=params, ExpiresIn=expires)
    assert ("X-Amz-Signature=" in url) == how.startswith("v4"), url
    return url


HOWS = ["v2", "v2 named", "v4", "v4 region"]


@pytest.mark.parametrize("how", HOWS)
def test_presigned__get(cloud, stored, how):
    url = presign(cloud, how, "get_object", Bucket=stored, Key="dir/my key+1")
    status, headers, body = expect.fetch(url)
    assert (status, body, headers["Content-Type"]) == (200, b"data", "text/plain")
    assert expect.fetch(url)[0] == 200  # as often as one likes


@pytest.mark.parametrize("how", HOWS)
def test_presigned__head_delete_and_list(cloud, s3, stored, how):
    url = presign(cloud, how, "head_object", Bucket=stored, Key="dir/my key+1")
    assert expect.fetch(url, "HEAD")[0] == 200
    assert expect.fetch(url, "GET")[0] == 403
    url = presign(cloud, how, "list_objects_v2", Bucket=stored, Prefix="dir/")
    assert b"<Key>dir" in expect.fetch(url)[2]
    url = presign(cloud, how, "delete_object", Bucket=stored, Key="dir/my key+1")
    assert expect.fetch(url, "DELETE")[0] == 204
    assert s3.list_objects_v2(Bucket=stored)["KeyCount"] == 0


@pytest.mark.parametrize("how", HOWS)
def test_presigned__put(cloud, s3, bucket, how):
    url = presign(cloud, how, "put_object", Bucket=bucket, Key="key")
    status, headers, _ = expect.fetch(url, "PUT", b"sent plainly", {"Content-Type": ""})
    assert status == 200
    assert headers["ETag"] == expect.md5_etag(b"sent plainly")
    assert expect.body_of(s3, bucket, "key") == b"sent plainly"


@pytest.mark.parametrize("how", HOWS)
def test_presigned__put_with_headers(cloud, s3, bucket, how):
    url = presign(cloud, how, "put_object", Bucket=bucket, Key="key", ContentType="text/x", Metadata={"a": "b"}, StorageClass="STANDARD_IA")
    # V4 signs headers that the sender must repeat; V2 carries them in the query with effect.
    headers = {"Content-Type": "text/x"}
    if how.startswith("v4"):
        headers |= {"x-amz-meta-a": "b", "x-amz-storage-class": "STANDARD_IA"}
    status, _, body = expect.fetch(url, "PUT", b"data", headers)
    assert status == 200, body
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["ContentType"], head["Metadata"], head["StorageClass"]) == ("text/x", {"a": "b"}, "STANDARD_IA")


def test_presigned__v2_acl_in_the_query_takes_effect(cloud, anyone, bucket):
    url = presign(cloud, "v2", "put_object", Bucket=bucket, Key="key", ACL="public-read", ContentType="text/x")
    assert expect.fetch(url, "PUT", b"data", {"Content-Type": "text/x"})[0] == 200
    assert expect.body_of(anyone, bucket, "key") == b"data"


def test_presigned__v2_changed_header_parameter_is_refused(cloud, s3, bucket):
    url = presign(cloud, "v2", "put_object", Bucket=bucket, Key="key", ACL="private", ContentType="text/x")
    changed = url.replace("private", "public-read")
    assert changed != url
    assert expect.fetch(changed, "PUT", b"data", {"Content-Type": "text/x"})[0] == 403
    assert expect.fetch(url + "&x-amz-storage-class=STANDARD_IA", "PUT", b"data", {"Content-Type": "text/x"})[0] == 403
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("how", HOWS)
def test_presigned__response_overrides(cloud, stored, how):
    url = presign(cloud, how, "get_object", Bucket=stored, Key="dir/my key+1",
                  ResponseContentDisposition='attachment; filename="a b.txt"', ResponseContentType="application/x")  # fmt: skip
    _, headers, _ = expect.fetch(url)
    assert headers["Content-Disposition"] == 'attachment; filename="a b.txt"'
    assert headers["Content-Type"] == "application/x"
    changed = url.replace("application%2Fx", "text%2Fhtml")
    assert changed != url
    assert expect.fetch(changed)[0] == 403
    assert expect.fetch(url + "&response-cache-control=x")[0] == 403


@pytest.mark.parametrize("how", HOWS)
def test_presigned__version(cloud, s3, versioned, how):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket=versioned, Key="key", Body=b"new")["VersionId"]
    url = presign(cloud, how, "get_object", Bucket=versioned, Key="key", VersionId=old)
    assert expect.fetch(url)[2] == b"old"
    assert expect.fetch(url.replace(old, new))[0] == 403


@pytest.mark.parametrize("how", HOWS)
def test_presigned__multipart(cloud, s3, bucket, how):
    status, _, body = expect.fetch(presign(cloud, how, "create_multipart_upload", Bucket=bucket, Key="key"), "POST", b"", {"Content-Type": ""})
    assert status == 200, body
    upload = body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    url = presign(cloud, how, "upload_part", Bucket=bucket, Key="key", UploadId=upload, PartNumber=1)
    status, headers, _ = expect.fetch(url, "PUT", b"part", {"Content-Type": ""})
    assert status == 200
    assert expect.fetch(url.replace("partNumber=1", "partNumber=2"), "PUT", b"part", {"Content-Type": ""})[0] == 403
    url = presign(cloud, how, "complete_multipart_upload", Bucket=bucket, Key="key", UploadId=upload)
    document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{headers['ETag']}</ETag></Part></CompleteMultipartUpload>"
    assert expect.fetch(url, "POST", document.encode(), {"Content-Type": ""})[0] == 200
    assert expect.body_of(s3, bucket, "key") == b"part"


# ---- expiry -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["v2", "v4"])
def test_presigned__expires(server, cloud, stored, how):
    url = presign(cloud, how, "get_object", 100, Bucket=stored, Key="dir/my key+1")
    with server.clock.later(95):
        assert expect.fetch(url)[0] == 200
    with server.clock.later(102):
        status, _, body = expect.fetch(url)
    assert status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
    assert b"<Expires>" in body
    assert b"data" not in body.replace(b"standard", b"")


def get(server, request):
    return raw.send(server.url, request)


def v4(server, user, target, **options):
    request = raw.Request("GET", target, [("Host", raw.host_of(server.url))])
    raw.presign_v4(request, user, **options)
    return request


@pytest.mark.parametrize("expires,status", [
    (1, 200), (604800, 200), (604801, 400), (0, 400), (-1, 400), (2**31, 400), (2**63, 400), ("1e3", 400), ("", 400),
    ("0x10", 400),
])  # fmt: skip
def test_presigned__v4_expires_must_be_1_to_604800(server, root_user, stored, expires, status):
    reply = get(server, v4(server, root_user, f"/{stored}/dir/my%20key%2B1", expires=expires))
    assert reply.status == status, reply
    if reply.status == 400:
        assert reply.code == "AuthorizationQueryParametersError"


@pytest.mark.parametrize("age,status", [(-890, 200), (-1000, 403), (3500, 200), (3700, 403)])
def test_presigned__v4_clock(server, root_user, stored, age, status):
    when = raw.now() - datetime.timedelta(seconds=age)
    reply = get(server, v4(server, root_user, f"/{stored}/dir/my%20key%2B1", when=when))
    assert reply.status == status, reply
    if status == 403:
        assert reply.code == "AccessDenied"


@pytest.mark.parametrize("expires", ["0", "-1", "1", "x", "", "1e9", "99999999999999999999999", " 9999999999"])
def test_presigned__v2_bad_expires(server, root_user, stored, expires):
    request = raw.Request("GET", f"/{stored}/dir/my%20key%2B1", [("Host", raw.host_of(server.url))])
    raw.presign_v2(request, root_user, expires)
    reply = get(server, request)
    assert reply.status == 403, reply
    assert reply.code == "AccessDenied", reply


# ---- tampering ----------------------------------------------------------------------------------------


def good(cloud, how, stored):
    url = presign(cloud, how, "get_object", Bucket=stored, Key="dir/my key+1")
    assert expect.fetch(url)[0] == 200
    return url


@pytest.mark.parametrize("how", ["v2", "v4"])
def test_presigned__another_key_method_or_sub_resource(cloud, s3, stored, how):
    s3.put_object(Bucket=stored, Key="dir/other", Body=b"other")
    url = good(cloud, how, stored)
    assert expect.fetch(url.replace("my%20key%2B1", "other"))[0] == 403
    for method in ("HEAD", "PUT", "DELETE", "POST"):
        assert expect.fetch(url, method, b"" if method in ("PUT", "POST") else None)[0] == 403, method
    for extra in ("acl", "tagging", "versionId=null", "partNumber=1", "response-content-type=text/html"):
        assert expect.fetch(f"{url}&{extra}")[0] == 403, extra
    assert expect.body_of(s3, stored, "dir/my key+1") == b"data"


def refusal(how, name, value):
    """What can not be read of a V4 query is 400; what does not match, or was not signed, 403."""
    readable = name in ("X-Amz-Signature", "X-Amz-SignedHeaders") or (name == "X-Amz-Expires" and value.isdigit())
    return 403 if how == "v2" or readable else 400


@pytest.mark.parametrize("how", ["v2", "v4"])
def test_presigned__changed_parameters(cloud, stored, how):
    url = urllib.parse.urlsplit(good(cloud, how, stored))
    pairs = urllib.parse.parse_qsl(url.query)
    for number, (name, value) in enumerate(pairs):
        for bad in ("", value[:-1], value + "0", value.swapcase(), "x"):
            if bad == value:
                continue
            changed = [*pairs[:number], (name, bad), *pairs[number + 1 :]]
            status, _, body = expect.fetch(url._replace(query=urllib.parse.urlencode(changed)).geturl())
            assert status == refusal(how, name, bad), (name, bad, status, body)
            assert b"<Error>" in body
        without = [*pairs[:number], *pairs[number + 1 :]]
        status, _, _ = expect.fetch(url._replace(query=urllib.parse.urlencode(without)).geturl())
        assert status == (403 if how == "v2" else 400), f"without {name}"
        if how == "v2":
            continue
        twice = [*pairs, (name, value)]
        status, _, _ = expect.fetch(url._replace(query=urllib.parse.urlencode(twice)).geturl())
        assert status == 400, f"{name} twice"


def test_presigned__every_bit_of_the_signature_counts(cloud, stored, server):
    url = urllib.parse.urlsplit(good(cloud, "v4", stored))
    head, _, signature = url.query.rpartition("=")
    host = raw.host_of(server.url)
    with raw.Connection(server.url) as connection:
        for bit in range(256):
            forged = f"{int(signature, 16) ^ 1 << bit:064x}"
            connection.send(raw.Request("GET", f"{url.path}?{head}={forged}", [("Host", host)]).wire())
            reply = connection.reply()
            assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), bit
    for forged in (signature[:-1], signature + "0", signature.upper(), "g" * 64, "", "0" * 64):
        reply = raw.anonymous(server.url, "GET", f"{url.path}?{head}={forged}")
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), forged
    assert raw.anonymous(server.url, "GET", f"{url.path}?{head}={signature}%00").status == 400


def test_presigned__mismatch_shows_what_was_signed(server, root_user, stored):
    request = v4(server, root_user, f"/{stored}/dir/my%20key%2B1")
    request.target = request.target.replace("my%20key", "your%20key")
    reply = get(server, request)
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert reply.element("AWSAccessKeyId") == root_user.access_key
    assert reply.element("StringToSign").startswith("AWS4-HMAC-SHA256\n")
    assert reply.element("CanonicalRequest").startswith(f"GET\n/{stored}/dir/your%20key%2B1\n")
    assert root_user.secret_key not in reply.body.decode()


def test_presigned__unsigned_amz_header_is_refused(server, root_user, s3, bucket):
    for header in ("x-amz-acl", "x-amz-meta-a", "x-amz-storage-class", "x-amz-tagging", "x-amz-copy-source"):
        request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
        raw.presign_v4(request, root_user)
        request.headers.append((header, "STANDARD" if "class" in header else "private"))
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (403, "AccessDenied"), (header, reply)
        assert header in (reply.element("HeadersNotSigned") or "")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_presigned__host_must_be_signed_and_the_same(server, root_user, stored):
    request = raw.Request("GET", f"/{stored}/dir/my%20key%2B1", [("Host", raw.host_of(server.url)), ("x-amz-a", "b")])
    raw.presign_v4(request, root_user, signed=("x-amz-a",))
    assert get(server, request).status == 403
    request = v4(server, root_user, f"/{stored}/dir/my%20key%2B1")
    request.set("Host", "example.com")
    assert get(server, request).status == 403


def test_presigned__headers_and_query_together(server, root_user, stored):
    request = v4(server, root_user, f"/{stored}/dir/my%20key%2B1")
    raw.sign_v4(request, root_user)
    reply = get(server, request)
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_presigned__of_a_user_without_access(cloud, stored):
    for how in HOWS:
        url = presign(cloud, how, "get_object", user="alice", Bucket=stored, Key="dir/my key+1")
        status, _, body = expect.fetch(url)
        assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def test_presigned__unknown_key_and_wrong_secret(server, stored):
    for access_key, secret, code in (
        ("UNKNOWNKEY00EXAMPLE", "x", "InvalidAccessKeyId"), (server.users["root"].access_key, "x", "SignatureDoesNotMatch"),
    ):  # fmt: skip
        user = raw.User("x", access_key, secret)
        assert get(server, v4(server, user, f"/{stored}/dir/my%20key%2B1")).code == code
        request = raw.Request("GET", f"/{stored}/dir/my%20key%2B1", [("Host", raw.host_of(server.url))])
        raw.presign_v2(request, user)
        reply = get(server, request)
        assert (reply.status, reply.code) == (403, code)


def test_presigned__session_token(server, cloud):
    temp = server.users["temp"]
    bucket = cloud.new_bucket("temp")
    cloud.client("temp").put_object(Bucket=bucket, Key="key", Body=b"data")
    for how in HOWS:
        url = presign(cloud, how, "get_object", user="temp", Bucket=bucket, Key="key")
        assert expect.fetch(url)[2] == b"data", how
    without = raw.User("x", temp.access_key, temp.secret_key)
    assert get(server, v4(server, without, f"/{bucket}/key")).status == 403


@pytest.mark.parametrize("extra", [
    [("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), ("x-amz-checksum-mode", "ENABLED"), ("x-id", "GetObject")],
    [("x-amz-checksum-mode", "ENABLED")], [("x-id", "GetObject")],
])  # fmt: skip
def test_presigned__parameters_other_sdks_add(server, root_user, stored, extra):
    reply = get(server, v4(server, root_user, f"/{stored}/dir/my%20key%2B1", extra=extra))
    assert (reply.status, reply.body) == (200, b"data"), reply


def test_presigned__js_hoists_metadata_into_the_query(server, root_user, s3, bucket):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
    raw.presign_v4(request, root_user, extra=[
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), ("x-amz-meta-a", "b"), ("x-amz-storage-class", "STANDARD_IA"),
        ("x-id", "PutObject")])  # fmt: skip
    assert raw.send(server.url, request).status == 200
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["Metadata"], head["StorageClass"]) == ({"a": "b"}, "STANDARD_IA")


def test_presigned__range_and_conditions_need_no_signature(cloud, stored):
    url = presign(cloud, "v4", "get_object", Bucket=stored, Key="dir/my key+1")
    assert expect.fetch(url, headers={"Range": "bytes=1-2"})[::2] == (206, b"at")
    assert expect.fetch(url, headers={"If-None-Match": "*"})[0] == 304


def test_presigned__v4_region_of_another_service_or_terminator(server, root_user, stored):
    target = f"/{stored}/dir/my%20key%2B1"
    reply = get(server, v4(server, root_user, target, service="iam"))
    assert reply.status == 400
    request = v4(server, root_user, target)
    request.target = request.target.replace("aws4_request", "aws5_request")
    assert get(server, request).status == 400


def test_strict_region__refuses_other_regions(make_server):
    server = make_server("--region", "eu-west-1", "--strict-region")
    user = server.users["root"]
    assert raw.signed(server.url, user, "GET", "/", region="eu-west-1").status == 200
    reply = raw.signed(server.url, user, "GET", "/", region="us-east-1")
    assert (reply.status, reply.code, reply.element("Region")) == (400, "AuthorizationHeaderMalformed", "eu-west-1")


# ---- text and types ----------------------------------------------------------------------------------


def test_presigned__v2_content_type_other_than_the_signed_one_is_a_mismatch(cloud, s3, bucket):
    url = presign(cloud, "v2", "put_object", Bucket=bucket, Key="key", ContentType="text/plain")
    assert "content-type=text%2Fplain" in url
    status, _, body = expect.fetch(url, "PUT", b"data", {"Content-Type": "text/xml"})
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)
    assert expect.fetch(url, "PUT", b"data", {"Content-Type": "text/plain"})[0] == 200
    assert s3.head_object(Bucket=bucket, Key="key")["ContentType"] == "text/plain"


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name,parameter", [("ResponseContentDisposition", "response-content-disposition"), ("ResponseCacheControl", "response-cache-control")])
def test_presigned__overrides_beyond_latin_are_refused(cloud, stored, how, name, parameter):
    value = 'attachment; filename="倉.txt"'
    status, _, body = expect.fetch(presign(cloud, how, "get_object", Bucket=stored, Key="dir/my key+1", **{name: value}))
    assert status == 400
    assert b"<Message>Header value cannot be represented using ISO-8859-1.</Message>" in body
    assert f"<ArgumentName>{parameter}</ArgumentName>".encode() in body


@pytest.mark.parametrize("how", HOWS)
def test_presigned__a_plus_in_the_sent_url_is_the_blank_that_was_signed(cloud, s3, bucket, how):
    s3.put_object(Bucket=bucket, Key="a b", Body=b"blank")
    s3.put_object(Bucket=bucket, Key="a+b", Body=b"plus")
    url = presign(cloud, how, "get_object", Bucket=bucket, Key="a b", ResponseContentDisposition='attachment; filename="a b.txt"')
    sent = url.replace("%20", "+")
    assert sent != url
    status, headers, body = expect.fetch(sent)
    assert (status, headers["Content-Disposition"], body) == (200, 'attachment; filename="a b.txt"', b"blank")
    url = presign(cloud, how, "get_object", Bucket=bucket, Key="a+b")
    assert expect.fetch(url)[2] == b"plus"
    assert expect.fetch(url.replace("a%2Bb", "a+b"))[0] == 403
