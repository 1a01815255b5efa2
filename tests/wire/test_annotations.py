# SPDX-License-Identifier: Apache-2.0
"""Annotations: names, limits and refusals of the four operations, who may, and how texts are stored.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html
"""

import base64
import hashlib
import itertools
import json
import pathlib
import subprocess
import zlib

import pytest

from sdk.cloud import Cloud
from wire import process, raw
from wire.test_customer_keys import headers as customer_headers

MIB = 1 << 20
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
METHOD = "x-amz-server-side-encryption"
BODY = b"content of the object"
numbers = itertools.count(1)


def ask(server, method, target, body=b"", headers=(), user="root", **options):
    return raw.signed(server.url, server.users[user], method, target, body, headers, **options)


def target(bucket, name, key="key", **more):
    query = "".join(f"&{parameter}={raw.quote(value)}" for parameter, value in more.items())
    return f"/{bucket}/{key}?annotation&annotationName={raw.quote(name)}{query}"


def put(server, bucket, name, text=b"text", headers=(), **more):
    return ask(server, "PUT", target(bucket, name, **more), text, headers)


def get(server, bucket, name, headers=(), **more):
    return ask(server, "GET", target(bucket, name, **more), headers=headers)


def listed(server, bucket, key="key", query=""):
    return ask(server, "GET", f"/{bucket}/{key}?annotation{query}")


def refusal(reply):
    return reply.status, reply.code


@pytest.fixture
def full(server, bucket):
    """A bucket with an object."""
    assert ask(server, "PUT", f"/{bucket}/key", BODY).status == 200
    return bucket


# ---- what is said and answered ------------------------------------------------------------------------


def test_PutObjectAnnotation__answers_what_it_kept(server, full):
    reply = put(server, full, "a.b-c_d")
    assert reply.status == 200
    assert reply.body.decode() == (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<PutObjectAnnotationOutput xmlns="{NAMESPACE}"><Key>key</Key>'
        "<AnnotationName>a.b-c_d</AnnotationName></PutObjectAnnotationOutput>")
    assert reply.header("etag") == f'"{hashlib.md5(b"text").hexdigest()}"'
    assert reply.header(METHOD) == "AES256"
    assert reply.header("x-amz-checksum-type") == "FULL_OBJECT"
    assert len(base64.b64decode(reply.header("x-amz-checksum-crc64nvme"))) == 8
    assert reply.header("x-amz-object-version-id") is None


def test_GetObjectAnnotation__tells_its_checksum_to_those_who_ask(server, full):
    put(server, full, "a")
    plain = get(server, full, "a")
    told = get(server, full, "a", [("x-amz-checksum-mode", "ENABLED")])
    assert (plain.status, plain.body) == (told.status, told.body) == (200, b"text")
    assert plain.header("x-amz-checksum-crc64nvme") is None
    assert told.header("x-amz-checksum-crc64nvme") is not None
    assert plain.header("content-type") == "binary/octet-stream"
    assert plain.header("content-length") == "4"
    assert plain.header(METHOD) == "AES256"
    assert plain.header("last-modified").endswith(" GMT")


def test_ListObjectAnnotations__answers_as_the_page_says(server, full):
    put(server, full, "b", b"12345")
    reply = listed(server, full, query="&annotation-prefix=b&max-annotation-results=7")
    assert reply.status == 200
    when = reply.element(".//LastModified")
    md5 = hashlib.md5(b"12345").hexdigest()
    assert reply.body.decode() == (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListObjectAnnotationsOutput xmlns="{NAMESPACE}"><Annotations>'
        "<AnnotationEntry><AnnotationName>b</AnnotationName><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
        f"<ETag>&quot;{md5}&quot;</ETag><LastModified>{when}</LastModified><Size>5</Size></AnnotationEntry></Annotations>"
        f"<Bucket>{full}</Bucket><Key>key</Key><AnnotationPrefix>b</AnnotationPrefix>"
        "<MaxAnnotationResults>7</MaxAnnotationResults><AnnotationCount>1</AnnotationCount></ListObjectAnnotationsOutput>")


# ---- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "0", "_", "-", ".", "x" * 512, "é" * 256, "猫" * 170 + "ab", "my.aws", "_s3", "aw", "s"])
def test_PutObjectAnnotation__takes_names_of_letters_digits_and_three_marks(server, full, name):
    assert put(server, full, name).status == 200
    assert get(server, full, name).body == b"text"
    assert listed(server, full).element(".//AnnotationName") == name
    assert ask(server, "DELETE", target(full, name)).status == 204
    assert refusal(get(server, full, name)) == (404, "NoSuchAnnotation")


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "a+b", "a:b", "a\x01", "a\u0301", "\u0661", "½", "😀", "aws", "AWS.x", "s3", "S3-x", "<a>"])
def test_PutObjectAnnotation__takes_no_other_names(server, full, name):
    for reply in (put(server, full, name), get(server, full, name), ask(server, "DELETE", target(full, name))):
        assert refusal(reply) == (400, "InvalidAnnotationName"), reply
    assert listed(server, full).element("AnnotationCount") == "0"


def test_PutObjectAnnotation__of_a_name_that_is_no_utf8_or_missing(server, full):
    for query in ("annotation&annotationName=%ff", "annotation"):
        assert refusal(ask(server, "PUT", f"/{full}/key?{query}", b"text")) == (400, "InvalidAnnotationName")
        assert refusal(ask(server, "DELETE", f"/{full}/key?{query}")) == (400, "InvalidAnnotationName")


@pytest.mark.parametrize("name", ["x" * 513, "é" * 257])
def test_PutObjectAnnotation__takes_names_of_512_bytes_at_most(server, full, name):
    for reply in (put(server, full, name), get(server, full, name), ask(server, "DELETE", target(full, name))):
        assert refusal(reply) == (400, "AnnotationNameTooLong"), reply


# ---- texts ---------------------------------------------------------------------------------------------


def test_PutObjectAnnotation__takes_texts_of_a_mebibyte_at_most(server, full):
    assert put(server, full, "a", b"x" * MIB).status == 200
    reply = put(server, full, "a", b"x" * (MIB + 1))
    assert refusal(reply) == (400, "EntityTooLarge")
    assert reply.facts == {"ProposedSize": str(MIB + 1), "MaxSizeAllowed": str(MIB)}
    assert refusal(put(server, full, "a", b"")) == (400, "InvalidRequest")
    assert get(server, full, "a").body == b"x" * MIB


def test_PutObjectAnnotation__takes_a_chunked_text_of_a_mebibyte_at_most(server, full):
    user, host = server.users["root"], raw.host_of(server.url)
    for size, status in ((MIB, 200), (MIB + 1, 400)):
        request = raw.put_signed_chunks(host, target(full, "chunked"), user, b"y" * size)
        assert raw.send(server.url, request).status == status
    request = raw.put_unsigned_trailer(host, target(full, "trailer"), user, b"z" * 100, trailers=[
        ("x-amz-checksum-crc32", base64.b64encode(zlib.crc32(b"z" * 100).to_bytes(4, "big")).decode())])
    assert raw.send(server.url, request).header("x-amz-checksum-crc32") is not None
    assert get(server, full, "trailer").body == b"z" * 100
    assert get(server, full, "chunked").body == b"y" * MIB


@pytest.mark.parametrize("text", [b"\xff", b"a\x80", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_PutObjectAnnotation__takes_utf8_alone(server, full, text):
    assert refusal(put(server, full, "a", text)) == (415, "UnsupportedMediaType")
    assert put(server, full, "a", b"\xf4\x8f\xbf\xbf\x00 text").status == 200


def test_PutObjectAnnotation__checks_what_is_promised_of_the_text(server, full):
    crc = base64.b64encode(zlib.crc32(b"text").to_bytes(4, "big")).decode()
    md5 = base64.b64encode(hashlib.md5(b"text").digest()).decode()
    assert put(server, full, "a", headers=[("x-amz-checksum-crc32", crc), ("Content-MD5", md5)]).header("x-amz-checksum-crc32") == crc
    assert refusal(put(server, full, "a", b"other", [("x-amz-checksum-crc32", crc)])) == (400, "BadDigest")
    assert refusal(put(server, full, "a", b"other", [("Content-MD5", md5)])) == (400, "BadDigest")
    assert get(server, full, "a").body == b"text"
    assert get(server, full, "a", [("x-amz-checksum-mode", "ENABLED")]).header("x-amz-checksum-crc32") == crc


def test_PutObjectAnnotation__takes_no_method_of_encryption(server, full):
    assert refusal(put(server, full, "a", headers=[(METHOD, "AES256")])) == (400, "InvalidArgument")


def test_PutObjectAnnotation__a_thousand_of_a_version_at_most(server, full):
    host = raw.host_of(server.url)
    with raw.Connection(server.url, 60.0) as connection:
        for number in range(1000):
            request = raw.Request("PUT", target(full, f"n{number}"), [("Host", host)], b"text")
            raw.sign_v4(request, server.users["root"])
            connection.send_lenient(request.wire())
            assert connection.reply().status == 200
    assert refusal(put(server, full, "more")) == (400, "AnnotationLimitExceeded")
    assert put(server, full, "n7", b"over").status == 200
    assert listed(server, full).element("AnnotationCount") == "1000"
    assert ask(server, "DELETE", target(full, "n8")).status == 204
    assert put(server, full, "more").status == 200
    copied = ask(server, "PUT", f"/{full}/copy", headers=[("x-amz-copy-source", f"{full}/key")])
    assert copied.status == 200
    assert listed(server, full, "copy").element("AnnotationCount") == "1000"
    assert ask(server, "DELETE", f"/{full}/key").status == 204
    assert get(server, full, "n7", key="copy").body == b"over"


# ---- listings ------------------------------------------------------------------------------------------


def test_ListObjectAnnotations__counts_from_one_to_a_thousand(server, full):
    put(server, full, "a")
    put(server, full, "b")
    for count, shown in (("1", "1"), ("1000", "1000"), ("1001", "1000"), ("", "1000")):
        reply = listed(server, full, query=f"&max-annotation-results={count}")
        assert (reply.status, reply.element("MaxAnnotationResults")) == (200, shown)
    for count in ("0", "-1", "x"):
        assert refusal(listed(server, full, query=f"&max-annotation-results={count}")) == (400, "InvalidArgument")


def test_ListObjectAnnotations__goes_on_where_its_token_says(server, full):
    for name in ("a", "b", "c"):
        put(server, full, name)
    first = listed(server, full, query="&max-annotation-results=2")
    token = first.element("NextContinuationToken")
    assert first.element("AnnotationCount") == "2"
    ask(server, "DELETE", target(full, "b"))
    rest = listed(server, full, query=f"&max-annotation-results=2&continuation-token={raw.quote(token)}")
    assert (rest.element(".//AnnotationName"), rest.element("AnnotationCount")) == ("c", "1")
    assert rest.element("ContinuationToken") == token
    assert rest.element("NextContinuationToken") is None
    assert refusal(listed(server, full, query="&continuation-token=bad")) == (400, "InvalidArgument")


def test_ListObjectAnnotations__takes_a_prefix_of_names_alone(server, full):
    assert listed(server, full, query="&annotation-prefix=" + "x" * 512).status == 200
    for prefix in ("x" * 513, "a%20b", "a%2F", "%ff"):
        assert refusal(listed(server, full, query=f"&annotation-prefix={prefix}")) == (400, "InvalidPrefix")


# ---- versions ------------------------------------------------------------------------------------------


def test_PutObjectAnnotation__names_its_version(server, cloud, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"1")
    first = s3.head_object(Bucket=versioned, Key="key")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"2")
    reply = put(server, versioned, "a", versionId=first)
    assert (reply.status, reply.header("x-amz-object-version-id"), reply.header("x-amz-version-id")) == (200, first, None)
    for reply, status in ((get(server, versioned, "a", versionId=first), 200),
                          (listed(server, versioned, query=f"&versionId={first}"), 200),
                          (ask(server, "DELETE", target(versioned, "a", versionId=first)), 204)):  # fmt: skip
        assert (reply.status, reply.header("x-amz-object-version-id")) == (status, first)
    assert refusal(get(server, versioned, "a")) == (404, "NoSuchAnnotation")
    s3.delete_object(Bucket=versioned, Key="key", VersionId=first)
    assert refusal(get(server, versioned, "a", versionId=first)) == (404, "NoSuchVersion")
    assert refusal(put(server, versioned, "a", versionId="x")) == (400, "InvalidArgument")


def test_PutObjectAnnotation__of_a_delete_marker(server, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"1")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    assert refusal(put(server, versioned, "a")) == (404, "NoSuchKey")
    for reply in (put(server, versioned, "a", versionId=marker), get(server, versioned, "a", versionId=marker),
                  ask(server, "DELETE", target(versioned, "a", versionId=marker))):  # fmt: skip
        assert refusal(reply) == (405, "MethodNotAllowed")


def test_DeleteObjectAnnotation__of_a_locked_version(server, s3, cloud):
    bucket = cloud.new_bucket(ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate="2126-01-01",
                            ChecksumAlgorithm="CRC32")["VersionId"]  # fmt: skip
    assert put(server, bucket, "a").status == 200
    assert put(server, bucket, "a", b"over").status == 200
    assert refusal(ask(server, "DELETE", target(bucket, "a"))) == (403, "AccessDenied")
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "ON"})
    bypass = [("x-amz-bypass-governance-retention", "true")]
    assert refusal(ask(server, "DELETE", target(bucket, "a"), headers=bypass)) == (403, "AccessDenied")
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "OFF"})
    assert ask(server, "DELETE", target(bucket, "a", versionId=version), headers=bypass).status == 204
    assert refusal(get(server, bucket, "a")) == (404, "NoSuchAnnotation")


def test_PutObjectAnnotation__on_condition_of_the_etag(server, full):
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    for given, status in ((etag, 200), (etag.strip('"'), 200), ('"other"', 412), ("*", 412)):
        reply = put(server, full, "a", headers=[("x-amz-object-if-match", given)])
        assert reply.status == status
        if status == 412:
            assert (reply.code, reply.facts) == ("PreconditionFailed", {"Condition": "x-amz-object-if-match"})


# ---- copies --------------------------------------------------------------------------------------------


def copy(server, source, to, headers=(), user="root"):
    return ask(server, "PUT", to, headers=[("x-amz-copy-source", source), *headers], user=user)


def test_CopyObject__takes_two_words_as_its_directive(server, full):
    put(server, full, "a")
    name = "x-amz-object-annotation-directive"
    for word, status in (("COPY", 200), ("EXCLUDE", 200), ("copy", 400), ("REPLACE", 400)):
        for reply in (copy(server, f"{full}/key", f"/{full}/by-header", [(name, word)]),
                      copy(server, f"{full}/key", f"/{full}/by-parameter?{name}={word}")):  # fmt: skip
            assert reply.status == status, reply
            if status == 400:
                assert (reply.code, reply.facts) == ("InvalidArgument", {"ArgumentName": name, "ArgumentValue": word})
        if status == 200:
            found = {listed(server, full, key).element("AnnotationCount") for key in ("by-header", "by-parameter")}
            assert found == {"1" if word == "COPY" else "0"}


def test_CopyObject__brings_annotations_for_those_who_may_read_and_put_them(server, cloud):
    source, to = cloud.new_bucket(), cloud.new_bucket()
    account = server.users["bob"].canonical_id
    ask(server, "PUT", f"/{source}/key", BODY)
    put(server, source, "a")

    def allow(bucket, *actions):
        statement = {"Effect": "Allow", "Principal": {"CanonicalUser": account}, "Action": actions,
                     "Resource": f"arn:aws:s3:::{bucket}/*"}  # fmt: skip
        assert ask(server, "PUT", f"/{bucket}?policy", json.dumps({"Statement": [statement]}).encode()).status == 204

    allow(source, "s3:GetObject")
    allow(to, "s3:PutObject")
    assert refusal(copy(server, f"{source}/key", f"/{to}/key", user="bob")) == (403, "AccessDenied")
    exclude = [("x-amz-object-annotation-directive", "EXCLUDE")]
    assert copy(server, f"{source}/key", f"/{to}/key", exclude, user="bob").status == 200
    allow(source, "s3:GetObject", "s3:GetObjectAnnotation")
    assert refusal(copy(server, f"{source}/key", f"/{to}/key", user="bob")) == (403, "AccessDenied")
    allow(to, "s3:PutObject", "s3:PutObjectAnnotation")
    assert copy(server, f"{source}/key", f"/{to}/key", user="bob").status == 200
    assert get(server, to, "a").body == b"text"


def test_policy__opens_annotations_of_versions_by_names_of_their_own(server, cloud, s3, versioned):
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    account = server.users["bob"].canonical_id
    actions = {"PUT": "PutObject{}Annotation", "GET": "GetObject{}Annotation", "LIST": "ListObject{}Annotations",
               "DELETE": "DeleteObject{}Annotation"}  # fmt: skip
    for opened in ("", "Version"):
        statement = {"Effect": "Allow", "Principal": {"CanonicalUser": account},
                     "Action": ["s3:" + name.format(opened) for name in actions.values()],
                     "Resource": f"arn:aws:s3:::{versioned}/*"}  # fmt: skip
        assert ask(server, "PUT", f"/{versioned}?policy", json.dumps({"Statement": statement}).encode()).status == 204
        for asked in ("", "Version"):
            more = {"versionId": version} if asked else {}
            allowed = opened == asked
            answers = [ask(server, "PUT", target(versioned, "a", **more), b"text", user="bob").status,
                       ask(server, "GET", target(versioned, "a", **more), user="bob").status,
                       ask(server, "GET", f"/{versioned}/key?annotation" + (f"&versionId={version}" if asked else ""), user="bob").status,
                       ask(server, "DELETE", target(versioned, "a", **more), user="bob").status]  # fmt: skip
            assert answers == ([200, 200, 200, 204] if allowed else [403] * 4)


# ---- how they are stored -------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    server = process.Server(tmp_path, "--buckets", "vault", "--sse-c-over-http")
    yield server
    server.stop()


def on_disk(server):
    return b"".join(file.read_bytes() for file in pathlib.Path(server.directory).rglob("*") if file.is_file())


def fsck(server):
    return subprocess.run([process.program(), "fsck", "--read-data", server.directory], capture_output=True, text=True)


@pytest.mark.parametrize("method", [None, "AES256", "aws:kms", "aws:kms:dsse"])
def test_PutObjectAnnotation__is_stored_encrypted_as_its_object_is(own, method):
    words = b"words that nobody is to find on this disk\n"
    ask(own, "PUT", "/vault/key", b"plain", [(METHOD, method)] if method else ())
    for name, text in (("small", words), ("large", words * 5000)):
        assert put(own, "vault", name, text).header(METHOD) == (method or "AES256")
    own.stop()
    assert words not in on_disk(own)
    assert fsck(own).returncode == 0
    own.start()
    for name, text in (("small", words), ("large", words * 5000)):
        reply = get(own, "vault", name)
        assert (reply.body, reply.header(METHOD)) == (text, method or "AES256")
    ask(own, "DELETE", "/vault/key")
    own.stop()
    assert fsck(own).returncode == 0
    own.start()


def test_PutObjectAnnotation__not_of_what_a_customers_key_encrypts(own):
    put_key = [("content-type", "text/plain"), *customer_headers()]
    assert ask(own, "PUT", "/vault/key", b"secret", put_key).status == 200
    assert refusal(put(own, "vault", "a")) == (400, "InvalidRequest")
    assert refusal(get(own, "vault", "a")) == (404, "NoSuchAnnotation")
    ask(own, "PUT", "/vault/plain", b"plain")
    put(own, "vault", "a", key="plain")
    assert refusal(copy(own, "vault/plain", "/vault/key", customer_headers())) == (400, "InvalidRequest")
    exclude = [("x-amz-object-annotation-directive", "EXCLUDE")]
    assert copy(own, "vault/plain", "/vault/key", [*customer_headers(), *exclude]).status == 200


def test_annotations__follow_the_named_key_of_their_object(own):
    def key(verb, *words):
        done = subprocess.run([process.program(), "key", verb, own.directory, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    s3 = Cloud(own).client()
    first, second = key("create"), key("create")
    s3.put_object(Bucket="vault", Key="key", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=first)
    for name, text in (("small", b"text"), ("large", b"x" * 200_000)):
        assert put(own, "vault", name, text).status == 200
    copied = s3.copy_object(Bucket="vault", Key="copy", CopySource="vault/key", ServerSideEncryption="aws:kms", SSEKMSKeyId=second)
    arn = copied["SSEKMSKeyId"]
    key("disable", first)
    assert refusal(get(own, "vault", "small")) == (400, "KMS.DisabledException")
    assert refusal(put(own, "vault", "more")) == (400, "KMS.DisabledException")
    for name, text in (("small", b"text"), ("large", b"x" * 200_000)):
        assert get(own, "vault", name, key="copy").body == text
    key("enable", first)
    s3.update_object_encryption(Bucket="vault", Key="key", ObjectEncryption={"SSEKMS": {"KMSKeyArn": arn}})
    key("disable", first)
    for name, text in (("small", b"text"), ("large", b"x" * 200_000)):
        assert get(own, "vault", name).body == text
    key("disable", second)
    assert refusal(get(own, "vault", "small")) == (400, "KMS.DisabledException")


def test_annotations__outlive_a_restart(own):
    ask(own, "PUT", "/vault/key", BODY)
    put(own, "vault", "a", b"kept")
    own.stop()
    own.start()
    assert get(own, "vault", "a").body == b"kept"
