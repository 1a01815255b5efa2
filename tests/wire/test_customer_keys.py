# SPDX-License-Identifier: Apache-2.0
"""SSE-C: keys that customers bring with each request, in every form that takes one; and what is left of them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

import base64
import hashlib
import pathlib
import subprocess

import pytest

from sdk import expect
from sdk.cloud import Cloud, bucket_name
from wire import process, raw
from wire.test_secrets import places_in_memory

KEY, OTHER = bytes(range(32)), hashlib.sha256(b"another key").digest()
OWN, SOURCE = "x-amz-server-side-encryption-customer-", "x-amz-copy-source-server-side-encryption-customer-"
LOST = ("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be "
                          "provided to retrieve the object.")  # fmt: skip
NOT_NEEDED = ("InvalidRequest", "The encryption parameters are not applicable to this object.")
NEED = "Requests specifying Server Side Encryption with Customer provided keys must provide "
WRONG = ("AccessDenied", NEED + "the correct secret key.")
PART = ("InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the "
                          "appropriate encryption parameters.")  # fmt: skip
NOT_THE_SAME = ("InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
MIB = 1 << 20
DATA = expect.noise(3 * 65536 + 77)


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def headers(secret=KEY, prefix=OWN, **other):
    """The three, with some changed or (None) left out."""
    three = {"algorithm": "AES256", "key": base64.b64encode(secret).decode(), "key-MD5": md5(secret)} | {
        name.replace("_", "-"): value for name, value in other.items()}  # fmt: skip
    return [(prefix + name, value) for name, value in three.items() if value is not None]


def customer(key=KEY):
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}


def source(key=KEY):
    return {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": key}


@pytest.fixture(scope="module")
def taker(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("taker"), "--sse-c-over-http")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(taker):
    return Cloud(taker).client()


@pytest.fixture
def bucket(s3):
    name = bucket_name("keys")
    s3.create_bucket(Bucket=name)
    return name


def ask(server, method, target, body=b"", fields=()):
    return raw.signed(server.url, server.users["root"], method, target, body, list(fields))


def answer(reply):
    """200 for a success, else code and message."""
    return reply.status if reply.status < 300 else (reply.code, reply.element("Message"))


def told(response):
    found = expect.headers_of(response)
    return found.get(OWN + "algorithm"), found.get(OWN + "key-md5"), found.get("x-amz-server-side-encryption")


# ---- stored and read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, len(DATA), 5 * MIB + 1])
def test_PutObject__is_read_with_the_same_key_alone(taker, s3, bucket, size):
    data = expect.noise(size)
    stored = s3.put_object(Bucket=bucket, Key="key", Body=data, ChecksumAlgorithm="SHA256", **customer())
    assert told(stored) == ("AES256", md5(KEY), None)
    assert stored["ETag"] != expect.md5_etag(data) and len(stored["ETag"]) == 34
    for _ in range(2):  # also from what is remembered
        got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED", **customer())
        assert (got["Body"].read(), told(got)) == (data, ("AES256", md5(KEY), None))
        assert got["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
        head = s3.head_object(Bucket=bucket, Key="key", **customer())
        assert (head["ContentLength"], head["ETag"], told(head)) == (size, stored["ETag"], told(got))
        for method in ("GET", "HEAD"):
            assert ask(taker, method, f"/{bucket}/key").status == 400
            assert ask(taker, method, f"/{bucket}/key", fields=headers(OTHER)).status == 403
        assert answer(ask(taker, "GET", f"/{bucket}/key")) == LOST
        assert answer(ask(taker, "GET", f"/{bucket}/key", fields=headers(OTHER))) == WRONG
    again = s3.put_object(Bucket=bucket, Key="key", Body=data, **customer())
    assert again["ETag"] != stored["ETag"]


@pytest.mark.parametrize("first,last", [(0, 0), (65535, 65536), (65530, 3 * 65536), (len(DATA) - 1, len(DATA) + 9)])
def test_GetObject__of_a_range_is_that_range(s3, bucket, first, last):
    s3.put_object(Bucket=bucket, Key="key", Body=DATA, **customer())
    got = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={first}-{last}", **customer())
    assert (expect.status_of(got), got["Body"].read()) == (206, DATA[first : last + 1])


def test_keys__are_not_needed_for_what_does_not_read(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Tagging="a=b", **customer())
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"]
    assert s3.get_object_acl(Bucket=bucket, Key="key")["Grants"]
    assert [found["Size"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [1]
    s3.delete_object(Bucket=bucket, Key="key")


def test_keys__of_plain_objects_are_refused(taker, s3, bucket):
    for how in ({}, {"ServerSideEncryption": "AES256"}):
        s3.put_object(Bucket=bucket, Key="key", Body=b"x", **how)
        assert answer(ask(taker, "GET", f"/{bucket}/key", fields=headers())) == NOT_NEEDED
        assert ask(taker, "HEAD", f"/{bucket}/key", fields=headers()).status == 400


def test_GetObjectAttributes__wants_the_key(taker, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", **customer())
    wanted = ("x-amz-object-attributes", "ObjectSize")
    target = f"/{bucket}/key?attributes"
    assert answer(ask(taker, "GET", target, fields=[wanted])) == LOST
    assert answer(ask(taker, "GET", target, fields=[wanted, *headers(OTHER)])) == WRONG
    assert b"<ObjectSize>4<" in ask(taker, "GET", target, fields=[wanted, *headers()]).body


def test_SelectObjectContent__wants_the_key(s3, bucket):
    s3.put_object(Bucket=bucket, Key="table", Body=b"a,1\nb,2\n", **customer())
    asked = dict(Bucket=bucket, Key="table", Expression="SELECT s._2 FROM S3Object s WHERE s._1 = 'b'", ExpressionType="SQL",
                 InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})  # fmt: skip
    events = s3.select_object_content(**asked, **customer())["Payload"]
    assert b"".join(event["Records"]["Payload"] for event in events if "Records" in event) == b"2\n"
    with expect.refused(400, "InvalidRequest"):
        s3.select_object_content(**asked)
    with expect.refused(403, "AccessDenied"):
        s3.select_object_content(**asked, **customer(OTHER))


def test_versions__have_a_key_each(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=bucket, Key="key", Body=bytes([i]), **customer(key))["VersionId"] for i, key in enumerate((KEY, OTHER))]
    for i, key in enumerate((KEY, OTHER)):
        assert s3.get_object(Bucket=bucket, Key="key", VersionId=ids[i], **customer(key))["Body"].read() == bytes([i])
        with expect.refused(403, "AccessDenied"):
            s3.get_object(Bucket=bucket, Key="key", VersionId=ids[1 - i], **customer(key))


def test_url__that_is_presigned_takes_the_headers_it_signed(taker, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", **customer())
    for fields, status in ((headers(), 200), ([], 400)):
        request = raw.Request("GET", f"/{bucket}/key", [("Host", raw.host_of(taker.url)), *fields])
        raw.presign_v4(request, taker.users["root"], signed=("host", *(name.lower() for name, _ in fields)))
        reply = raw.send(taker.url, request)
        assert reply.status == status and (reply.body == b"data") == (status == 200), reply


def test_form__takes_a_key(taker, s3, bucket):
    fields = headers()
    post = s3.generate_presigned_post(bucket, "key", Fields=dict(fields), Conditions=[dict([field]) for field in fields])
    body, content_type = raw.form_body(list(post["fields"].items()), DATA)
    reply = raw.send(taker.url, raw.Request("POST", f"/{bucket}", [("Host", raw.host_of(taker.url)), ("Content-Type", content_type)], body))
    assert (reply.status, reply.header(OWN + "key-MD5")) == (204, md5(KEY)), reply
    assert s3.get_object(Bucket=bucket, Key="key", **customer())["Body"].read() == DATA
    assert answer(ask(taker, "GET", f"/{bucket}/key")) == LOST


def test_website__does_not_show_what_wants_a_key(taker, s3, bucket):
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"a secret page", ACL="public-read", **customer())
    host = f"{bucket}.s3-website.{raw.host_of(taker.url).replace('127.0.0.1', 'localhost')}"  # of a second store it is another
    reply = raw.send(taker.url, raw.Request("GET", "/", [("Host", host)]))
    assert reply.status == 400 and b"secret page" not in reply.body


# ---- refused -------------------------------------------------------------------------------------------

INVALID = ("InvalidArgument", "The secret key was invalid for the specified algorithm.")
BAD_MD5 = ("InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.")
MALFORMED = [
    ({"algorithm": None}, ("InvalidArgument", NEED + "a valid encryption algorithm.")),
    ({"algorithm": "AES512"}, ("InvalidEncryptionAlgorithmError",
                               "The Encryption request you specified is not valid. Supported value: AES256.")),
    ({"key": None}, ("InvalidArgument", NEED + "an appropriate secret key.")),
    ({"key": base64.b64encode(KEY[:31]).decode()}, INVALID), ({"key": base64.b64encode(KEY + b"x").decode()}, INVALID),
    ({"key": "not base64!"}, INVALID), ({"key_MD5": md5(OTHER)}, BAD_MD5), ({"key_MD5": "x"}, BAD_MD5),
]  # fmt: skip


@pytest.mark.parametrize("change,refusal", [*MALFORMED, ({"key_MD5": None}, INVALID)])
def test_write__with_a_malformed_key_is_refused(taker, s3, bucket, change, refusal):
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **customer())["UploadId"]
    copy = ("x-amz-copy-source", f"{bucket}/plain")
    for method, target, body, more in [
        ("PUT", f"/{bucket}/key", b"x", []), ("PUT", f"/{bucket}/key", b"", [copy]), ("POST", f"/{bucket}/key?uploads", b"", []),
        ("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload}", b"x", []),
        ("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload}", b"", [copy]),
    ]:  # fmt: skip
        reply = ask(taker, method, target, body, [*headers(**change), *more])
        assert answer(reply) == refusal, (method, target)
        if reply.code == "InvalidArgument":
            assert reply.element("ArgumentName") == "x-amz-server-side-encryption"
    assert ask(taker, "HEAD", f"/{bucket}/key").status == 404


@pytest.mark.parametrize("change,refusal", [*MALFORMED, ({"key_MD5": None}, WRONG)])
def test_read__with_a_malformed_key_is_refused(taker, s3, bucket, change, refusal):
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **customer())
    assert answer(ask(taker, "GET", f"/{bucket}/key", fields=headers(**change))) == refusal
    copy = [("x-amz-copy-source", f"{bucket}/key"), *headers(prefix=SOURCE, **change)]
    assert answer(ask(taker, "PUT", f"/{bucket}/copy", fields=copy)) == refusal


@pytest.mark.parametrize("method", ["AES256", "aws:kms"])
def test_write__with_two_kinds_of_encryption_is_refused(taker, bucket, method):
    reply = ask(taker, "PUT", f"/{bucket}/key", b"x", [*headers(), ("x-amz-server-side-encryption", method)])
    assert answer(reply) == ("InvalidArgument", "Server Side Encryption with Customer provided key is incompatible with the "
                                                "encryption method specified")  # fmt: skip
    assert reply.element("ArgumentValue") == method


@pytest.mark.parametrize("blocked,code", [("SSE-C", 403), ("NONE", 200)])
def test_write__is_refused_where_the_bucket_blocks_it(taker, s3, bucket, blocked, code):
    document = ("<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>"
                f"{blocked}</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>").encode()  # fmt: skip
    s3.put_object(Bucket=bucket, Key="before", Body=b"old", **customer())
    assert ask(taker, "PUT", f"/{bucket}?encryption", document, [("Content-MD5", md5(document))]).status == 200
    assert ask(taker, "PUT", f"/{bucket}/key", b"x", headers()).status == code
    assert ask(taker, "POST", f"/{bucket}/key?uploads", b"", headers()).status == code
    assert ask(taker, "PUT", f"/{bucket}/key", b"x").header("x-amz-server-side-encryption") == "AES256"
    assert s3.get_object(Bucket=bucket, Key="before", **customer())["Body"].read() == b"old"


def test_http__is_refused_unless_the_settings_say_so(tmp_path):
    server = process.Server(tmp_path, "--buckets", "safe", certificate=process.make_certificate(tmp_path))
    try:
        secure = ("InvalidRequest", "Requests specifying Server Side Encryption with Customer provided keys must be made over a "
                                    "secure connection.")  # fmt: skip
        assert answer(ask(server, "PUT", "/safe/key", b"x", headers())) == secure
        safe = Cloud(server).client(scheme="https")
        safe.put_object(Bucket="safe", Key="key", Body=b"data", **customer())
        assert answer(ask(server, "GET", "/safe/key", fields=headers())) == secure
        copy = [("x-amz-copy-source", "safe/key"), *headers(prefix=SOURCE)]
        assert answer(ask(server, "PUT", "/safe/copy", fields=copy)) == secure
        assert safe.get_object(Bucket="safe", Key="key", **customer())["Body"].read() == b"data"
    finally:
        server.stop()


# ---- parts -----------------------------------------------------------------------------------------------


def test_multipart__object_is_read_with_the_key_of_its_upload(taker, s3, bucket):
    parts = [expect.noise(5 * MIB, b"1"), expect.noise(5 * MIB + 70001, b"2"), b"the last"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **customer())
    assert told(upload) == ("AES256", md5(KEY), None)
    named = dict(Bucket=bucket, Key="key", UploadId=upload["UploadId"])
    listed = []
    for i, part in enumerate(parts, 1):
        stored = s3.upload_part(**named, PartNumber=i, Body=part, **customer())
        assert told(stored) == ("AES256", md5(KEY), None) and stored["ETag"] != expect.md5_etag(part)
        listed.append({"PartNumber": i, "ETag": stored["ETag"]})
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": listed})
    assert done["ETag"].endswith('-3"')
    whole = b"".join(parts)
    got = s3.get_object(Bucket=bucket, Key="key", **customer())
    assert (got["Body"].read() == whole, got["ETag"]) == (True, done["ETag"])
    for i, part in enumerate(parts, 1):
        assert s3.get_object(Bucket=bucket, Key="key", PartNumber=i, **customer())["Body"].read() == part
    across = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={5 * MIB - 3}-{5 * MIB + 70000}", **customer())
    assert across["Body"].read() == whole[5 * MIB - 3 : 5 * MIB + 70001]
    assert answer(ask(taker, "GET", f"/{bucket}/key?partNumber=3")) == LOST
    assert answer(ask(taker, "GET", f"/{bucket}/key?partNumber=3", fields=headers(OTHER))) == WRONG


def test_parts__want_the_key_that_the_upload_has(taker, s3, bucket):
    plain = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    sealed = s3.create_multipart_upload(Bucket=bucket, Key="key", **customer())["UploadId"]
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    copy = ("x-amz-copy-source", f"{bucket}/plain")
    for body, more in ((b"x", []), (b"", [copy])):
        target = f"/{bucket}/key?partNumber=1&uploadId="
        assert answer(ask(taker, "PUT", target + sealed, body, more)) == PART
        assert answer(ask(taker, "PUT", target + sealed, body, [*headers(OTHER), *more])) == NOT_THE_SAME
        assert answer(ask(taker, "PUT", target + plain, body, [*headers(), *more])) == PART
        assert answer(ask(taker, "PUT", target + sealed, body, [*headers(), *more])) == 200


@pytest.mark.parametrize("fields,refusal", [([], 200), (headers(), 200), (headers(OTHER), NOT_THE_SAME)])
def test_CompleteMultipartUpload__without_an_algorithm_takes_a_key_and_wants_none(taker, s3, bucket, fields, refusal):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **customer())["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"data", **customer())
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part['ETag']}</ETag></Part></CompleteMultipartUpload>"
    assert answer(ask(taker, "POST", f"/{bucket}/key?uploadId={upload}", body.encode(), fields)) == refusal
    if refusal == 200:
        assert s3.get_object(Bucket=bucket, Key="key", **customer())["Body"].read() == b"data"


def test_checksums__of_an_upload_under_a_key_are_for_those_who_have_it(taker, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="CRC32", **customer())["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"data", ChecksumAlgorithm="CRC32", **customer())
    body = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part['ETag']}</ETag>"
            f"<ChecksumCRC32>{part['ChecksumCRC32']}</ChecksumCRC32></Part></CompleteMultipartUpload>").encode()  # fmt: skip
    target = f"/{bucket}/key?uploadId={upload}"
    for method, content in (("GET", b""), ("POST", body)):
        assert answer(ask(taker, method, target, content)) == PART
        assert answer(ask(taker, method, target, content, headers(OTHER))) == NOT_THE_SAME
        assert answer(ask(taker, method, target, content, headers())) == 200
    assert s3.get_object(Bucket=bucket, Key="key", **customer())["Body"].read() == b"data"


# ---- copies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, len(DATA)])
@pytest.mark.parametrize("before", [None, KEY])
@pytest.mark.parametrize("after", [None, KEY, OTHER])
def test_CopyObject__takes_a_key_for_either_side(s3, bucket, before, after, size):
    data = DATA[:size]
    was, want = (customer(before) if before else {}), (customer(after) if after else {})
    s3.put_object(Bucket=bucket, Key="key", Body=data, Metadata={"a": "b"}, **was)
    made = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", **(source(before) if before else {}), **want)
    assert told(made) == (("AES256", md5(after), None) if after else (None, None, None))
    got = s3.get_object(Bucket=bucket, Key="copy", **want)
    assert (got["Body"].read(), got["Metadata"]) == (data, {"a": "b"})
    assert (got["ETag"] == expect.md5_etag(data)) == (after is None)
    s3.delete_object(Bucket=bucket, Key="key")
    assert s3.get_object(Bucket=bucket, Key="copy", **want)["Body"].read() == data


def test_CopyObject__onto_itself_changes_the_key(taker, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=DATA, **customer())
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", **source(), **customer(OTHER))
    assert answer(ask(taker, "GET", f"/{bucket}/key", fields=headers())) == WRONG
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", **source(OTHER))
    assert expect.body_of(s3, bucket, "key") == DATA


@pytest.mark.parametrize("part", [False, True])
def test_copy__of_what_wants_a_key_is_refused_without_the_right_one(taker, s3, bucket, part):
    s3.put_object(Bucket=bucket, Key="key", Body=b"secret", **customer())
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    target = f"/{bucket}/copy"
    if part:
        target += f"?partNumber=1&uploadId={s3.create_multipart_upload(Bucket=bucket, Key='copy')['UploadId']}"

    def copied(key, *fields):
        return answer(ask(taker, "PUT", target, fields=[("x-amz-copy-source", f"{bucket}/{key}"), *fields]))

    assert copied("key") == LOST
    assert copied("key", *headers(OTHER, SOURCE)) == WRONG
    assert copied("plain", *headers(KEY, SOURCE)) == NOT_NEEDED
    assert copied("key", *headers(KEY, SOURCE)) == 200


@pytest.mark.parametrize("ranged", [{}, {"CopySourceRange": "bytes=65530-131080"}])
def test_UploadPartCopy__takes_a_key_for_either_side(s3, bucket, ranged):
    s3.put_object(Bucket=bucket, Key="key", Body=DATA, **customer())
    wanted = DATA[65530:131081] if ranged else DATA
    for after in ({}, customer(OTHER)):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="copy", **after)["UploadId"]
        named = dict(Bucket=bucket, Key="copy", UploadId=upload)
        part = s3.upload_part_copy(**named, PartNumber=1, CopySource=f"{bucket}/key", **ranged, **source(), **after)
        listed = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": listed})
        assert s3.get_object(Bucket=bucket, Key="copy", **after)["Body"].read() == wanted
        made = s3.copy_object(Bucket=bucket, Key="flat", CopySource=f"{bucket}/copy", **(source(OTHER) if after else {}))
        assert made["CopyObjectResult"]["ETag"] == expect.md5_etag(wanted)
        assert expect.body_of(s3, bucket, "flat") == wanted


# ---- what is left --------------------------------------------------------------------------------------------


def files(folder):
    return {file: file.read_bytes() for file in pathlib.Path(folder).rglob("*") if file.is_file()}


def fsck(server):
    run = subprocess.run([process.program(), "fsck", "--read-data", server.directory], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def test_disk__has_neither_plain_bytes_nor_the_key_nor_one_copy_for_two_keys(tmp_path):
    plain = b"words that nobody is to find on this disk\n" * 150000
    sizes = {"small": 200, "middle": MIB, "large": len(plain)}
    server = process.Server(tmp_path, "--sse-c-over-http", "--buckets", "kept")
    s3 = Cloud(server).client()
    for name, size in sizes.items():
        for key in (KEY, OTHER):
            s3.put_object(Bucket="kept", Key=name + str(key[0]), Body=plain[:size], **customer(key))
    server.stop()
    stored = files(tmp_path)
    everything = b"".join(stored.values())
    for secret in (plain[:42], *(form for key in (KEY, OTHER) for form in (key, base64.b64encode(key), key.hex().encode()))):
        assert secret not in everything
    assert sum(len(data) for file, data in stored.items() if "blobs" in str(file) or "packs" in str(file)) > 2 * (MIB + len(plain))
    assert fsck(server)[0] == 0, fsck(server)
    server.start()
    try:
        s3 = Cloud(server).client()
        for name, size in sizes.items():
            for key in (KEY, OTHER):
                assert s3.get_object(Bucket="kept", Key=name + str(key[0]), **customer(key))["Body"].read() == plain[:size]
            assert answer(ask(server, "GET", f"/kept/{name}{KEY[0]}", fields=headers(OTHER))) == WRONG
    finally:
        server.stop()


def test_disk__what_has_decayed_is_found_without_the_key(tmp_path):
    server = process.Server(tmp_path, "--sse-c-over-http", "--buckets", "kept")
    s3 = Cloud(server).client()
    s3.put_object(Bucket="kept", Key="key", Body=expect.noise(5 * MIB), **customer())
    server.stop()
    largest = max(pathlib.Path(server.directory).rglob("*"), key=lambda file: file.stat().st_size if file.is_file() else 0)
    with open(largest, "r+b") as stored:
        stored.seek(4 * MIB)
        byte = stored.read(1)
        stored.seek(4 * MIB)
        stored.write(bytes([byte[0] ^ 1]))
    code, words = fsck(server)
    assert code != 0 and "bytes" in words, words


def test_memory__has_no_key_when_its_request_is_over(tmp_path):
    server = process.Server(tmp_path, "--sse-c-over-http", "--threads", "1", "--buckets", "kept")
    try:
        s3 = Cloud(server).client()
        key = hashlib.sha256(b"nowhere else").digest()
        for size in (100, 5 * MIB):
            s3.put_object(Bucket="kept", Key="key", Body=expect.noise(size), **customer(key))
            assert s3.get_object(Bucket="kept", Key="key", **customer(key))["Body"].read() == expect.noise(size)
            s3.copy_object(Bucket="kept", Key="copy", CopySource="kept/key", **source(key), **customer(key))
        try:
            places = places_in_memory(server, key)
        except PermissionError:
            pytest.skip("another process's memory can not be read here")
        assert places == 0
        words = server.stderr()
        assert base64.b64encode(key).decode() not in words and md5(key) not in words
    finally:
        server.stop()
