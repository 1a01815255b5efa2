# SPDX-License-Identifier: Apache-2.0
"""Checksums: ten algorithms as header and trailer, whole and in parts, and wrong ones.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

import base64
import os

import pytest

from sdk import algorithms, expect
from sdk.algorithms import ALGORITHMS, composite, header, value
from wire import raw

DATA = expect.noise(70_000, b"checksums")
SMALL = b"hello, checksums"
MIN = 5 * 1024 * 1024


@pytest.fixture(params=list(ALGORITHMS))
def algorithm(request):
    if not algorithms.have(request.param):
        pytest.skip(f"{request.param}: libxxhash is not installed")
    return request.param


def put(server, target, body, headers):
    return raw.signed(server.url, server.users["root"], "PUT", target, body, headers)


def shown(server, target, method="HEAD"):
    return raw.signed(
        server.url, server.users["root"], method, target, headers=[("x-amz-checksum-mode", "ENABLED")])


def nothing_stored(s3, bucket):
    return s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# ---- one header -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [DATA, SMALL, b""], ids=["70000", "small", "empty"])
def test_PutObject__checksum_header_is_verified_echoed_and_kept(server, bucket, algorithm, body):
    name, right = header(algorithm), value(algorithm, body)
    reply = put(server, f"/{bucket}/key", body, [(name, right)])
    assert reply.status == 200, reply
    assert (reply.header(name), reply.header("x-amz-checksum-type")) == (right, "FULL_OBJECT")
    for method in ("HEAD", "GET"):
        reply = shown(server, f"/{bucket}/key", method)
        assert (reply.header(name), reply.header("x-amz-checksum-type")) == (right, "FULL_OBJECT")
    reply = raw.signed(server.url, server.users["root"], "HEAD", f"/{bucket}/key")
    assert reply.header(name) is None
    assert reply.header("x-amz-checksum-type") is None


def without_digests(reply):
    return reply.element("ExpectedDigest") is None and reply.element("CalculatedDigest") is None


def test_PutObject__wrong_checksum_header_stores_nothing(server, s3, bucket, algorithm):
    reply = put(server, f"/{bucket}/key", DATA, [(header(algorithm), value(algorithm, b"other"))])
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert reply.element("Message") == f"The {algorithm} you specified did not match the calculated checksum."
    assert without_digests(reply)
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("bad", ["!!!!", "AAAA", "", "AAAAAA", "A" * 500])
def test_PutObject__malformed_checksum_header(server, s3, bucket, algorithm, bad):
    for name in (header(algorithm), header(algorithm).title(), header(algorithm).upper()):
        reply = put(server, f"/{bucket}/key", SMALL, [(name, bad)])
        assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
        assert reply.element("Message") == f"Value for {header(algorithm)} header is invalid."
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("values", [("right", "right"), ("bad", "bad"), ("bad", "right"), ("right", ""), ("", "")])
def test_PutObject__two_algorithms_at_once_are_refused_whatever_their_values(server, s3, bucket, values):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    headers = [(header(name), value(name, SMALL) if text == "right" else text) for name, text in zip(("CRC32", "SHA256"), values)]
    for target in (f"/{bucket}/key", f"/{bucket}/key?partNumber=1&uploadId={upload}"):
        reply = put(server, target, SMALL, headers)
        assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
        assert reply.element("Message") == "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    assert nothing_stored(s3, bucket)


def test_PutObject__content_md5_beside_a_checksum(server, bucket):
    right = [("Content-MD5", value("MD5", SMALL)), (header("CRC32"), value("CRC32", SMALL))]
    assert put(server, f"/{bucket}/key", SMALL, right).status == 200
    wrong = [("Content-MD5", value("MD5", b"x")), (header("CRC32"), value("CRC32", SMALL))]
    assert put(server, f"/{bucket}/key", SMALL, wrong).code == "BadDigest"
    wrong = [("Content-MD5", value("MD5", SMALL)), (header("CRC32"), value("CRC32", b"x"))]
    assert put(server, f"/{bucket}/key", SMALL, wrong).code == "BadDigest"


def test_PutObject__without_a_checksum_crc64nvme_is_kept(server, bucket):
    assert put(server, f"/{bucket}/key", DATA, []).status == 200
    reply = shown(server, f"/{bucket}/key")
    assert reply.header("x-amz-checksum-crc64nvme") == value("CRC64NVME", DATA)
    assert reply.header("x-amz-checksum-type") == "FULL_OBJECT"


NO_VALUE = ("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
NOT_VALID = "Value for x-amz-sdk-checksum-algorithm header is invalid."


@pytest.mark.parametrize("headers,message", [
    ([], NO_VALUE), ([("Content-MD5", value("MD5", SMALL))], NO_VALUE), ([("x-amz-checksum-type", "FULL_OBJECT")], NO_VALUE),
    ([(header("CRC32C"), value("CRC32C", SMALL))], NOT_VALID), ([(header("SHA1"), value("SHA1", SMALL))], NOT_VALID),
], ids=["nothing", "Content-MD5", "type", "CRC32C", "SHA1"])  # fmt: skip
def test_PutObject__algorithm_named_without_its_value(server, s3, bucket, headers, message):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    for target in (f"/{bucket}/key", f"/{bucket}/key?partNumber=1&uploadId={upload}"):
        reply = put(server, target, SMALL, [("x-amz-sdk-checksum-algorithm", "CRC32"), *headers])
        assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidRequest", message), reply
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("name", ["CRC32", "crc32", "Crc32"])
def test_PutObject__algorithm_named_in_any_case_beside_its_value(server, bucket, name):
    headers = [("x-amz-sdk-checksum-algorithm", name), (header("CRC32"), value("CRC32", SMALL))]
    assert put(server, f"/{bucket}/key", SMALL, headers).status == 200


def test_PutObject__algorithm_named_differs_from_the_trailer(server, root_user, s3, bucket):
    trailers = [(header("CRC32"), value("CRC32", SMALL))]
    for name, status in (("SHA256", 400), ("crc32", 200)):
        request = raw.put_unsigned_trailer(
            raw.host_of(server.url), f"/{bucket}/key", root_user, SMALL, trailers=trailers, headers=[("x-amz-sdk-checksum-algorithm", name)])
        reply = raw.send(server.url, request)
        assert reply.status == status, reply
        if status == 400:
            assert (reply.code, reply.element("Message")) == ("InvalidRequest", NOT_VALID), reply


def test_PutObject__unknown_algorithm(server, s3, bucket):
    reply = put(server, f"/{bucket}/key", SMALL, [("x-amz-sdk-checksum-algorithm", "ADLER32")])
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidRequest", NOT_VALID), reply
    reply = put(server, f"/{bucket}/key", SMALL, [("x-amz-checksum-adler32", "AAAAAA==")])
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    assert reply.element("Message") == "The algorithm type you specified in x-amz-checksum- header is invalid."
    assert nothing_stored(s3, bucket)


def test_wrong_Content_MD5__is_shown_in_hexadecimal_for_an_object_and_in_base64_for_what_else(server, root_user, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    document = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    claimed = value("MD5", b"other")
    for target, body, shown_as in (
        (f"/{bucket}/key", SMALL, base64.b64decode(claimed).hex()),
        (f"/{bucket}/key?partNumber=1&uploadId={upload}", SMALL, claimed),
        (f"/{bucket}?tagging", document, claimed),
    ):
        reply = put(server, target, body, [("Content-MD5", claimed)])
        assert (reply.status, reply.code) == (400, "BadDigest"), reply
        assert reply.element("Message") == "The Content-MD5 you specified did not match what we received."
        assert (reply.element("ExpectedDigest"), reply.element("CalculatedDigest")) == (shown_as, value("MD5", body)), target
    assert nothing_stored(s3, bucket)


def test_UploadPart__wrong_checksum_header_names_no_digests(server, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="CRC32")["UploadId"]
    reply = put(server, f"/{bucket}/key?partNumber=1&uploadId={upload}", SMALL, [(header("CRC32"), value("CRC32", b"other"))])
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert without_digests(reply)


# ---- trailers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["signed", "unsigned"])
@pytest.mark.parametrize("body", [DATA, SMALL, b""], ids=["70000", "small", "empty"])
def test_PutObject__checksum_trailer(server, root_user, bucket, algorithm, form, body):
    trailers = [(header(algorithm), value(algorithm, body))]
    make = raw.put_signed_chunks if form == "signed" else raw.put_unsigned_trailer
    request = make(raw.host_of(server.url), f"/{bucket}/key", root_user, body, trailers=trailers, chunk_bytes=8192)
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply
    assert reply.header(header(algorithm)) == value(algorithm, body)
    reply = shown(server, f"/{bucket}/key", "GET")
    assert (reply.body, reply.header(header(algorithm))) == (body, value(algorithm, body))
    assert reply.header("content-encoding") is None


@pytest.mark.parametrize("form", ["signed", "unsigned"])
def test_PutObject__wrong_checksum_trailer_stores_nothing(server, root_user, s3, bucket, algorithm, form):
    trailers = [(header(algorithm), value(algorithm, b"other"))]
    make = raw.put_signed_chunks if form == "signed" else raw.put_unsigned_trailer
    request = make(raw.host_of(server.url), f"/{bucket}/key", root_user, DATA, trailers=trailers)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert nothing_stored(s3, bucket)


# ---- the SDK --------------------------------------------------------------------------------------

# The others need awscrt beside boto3; the header and trailer tests above cover them without it.
SDK = ["CRC32", "SHA1", "SHA256"]


@pytest.mark.parametrize("name", SDK)
@pytest.mark.parametrize("size", [0, 11, 70_000])
def test_PutObject__sdk_algorithm_round_trip(any_s3, bucket, name, size):
    body = expect.noise(size)
    answer = any_s3.put_object(Bucket=bucket, Key="key", Body=body, ChecksumAlgorithm=name)
    assert answer[f"Checksum{name}"] == value(name, body)
    got = any_s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert got["Body"].read() == body  # boto3 checks it while reading
    assert got[f"Checksum{name}"] == value(name, body)
    assert got["ChecksumType"] == "FULL_OBJECT"


@pytest.mark.parametrize("name", SDK)
def test_upload_file__sdk_algorithm_in_parts(any_s3, bucket, tmp_path, name):
    from boto3.s3.transfer import TransferConfig

    path = tmp_path / "file"
    expect.write_noise(path, 12 * 1024 * 1024)
    config = TransferConfig(multipart_threshold=MIN, multipart_chunksize=MIN)
    any_s3.upload_file(str(path), bucket, "key", Config=config, ExtraArgs={"ChecksumAlgorithm": name})
    head = any_s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    parts = raw.split(path.read_bytes(), MIN)
    if head["ChecksumType"] == "COMPOSITE":
        assert head[f"Checksum{name}"] == composite(name, parts)
    else:
        assert head[f"Checksum{name}"] == value(name, b"".join(parts))
    back = tmp_path / "back"
    any_s3.download_file(bucket, "key", str(back), Config=config)
    assert expect.file_digest(back) == expect.file_digest(path)


# ---- ranges -----------------------------------------------------------------------------------------


def test_GetObject__a_range_carries_no_checksum(server, root_user, s3, bucket):
    put(server, f"/{bucket}/key", DATA, [(header("CRC32"), value("CRC32", DATA))])
    for method in ("GET", "HEAD"):
        reply = raw.signed(server.url, root_user, method, f"/{bucket}/key", headers=[
            ("x-amz-checksum-mode", "ENABLED"), ("Range", "bytes=1-100")])  # fmt: skip
        assert reply.status == 206
        assert not [name for name, _ in reply.headers if name.lower().startswith("x-amz-checksum-crc")]
    answer = s3.get_object(Bucket=bucket, Key="key", Range="bytes=1-100", ChecksumMode="ENABLED")
    assert answer["Body"].read() == DATA[1:101]


# ---- parts ------------------------------------------------------------------------------------------

PARTS = [os.urandom(MIN), b"the last part"]


def upload(server, bucket, key, name, kind=None, part_checksums=True):
    """An upload with PARTS through plain requests; returns its id and the <Part> elements."""
    user = server.users["root"]
    headers = [("x-amz-checksum-algorithm", name)] + ([("x-amz-checksum-type", kind)] if kind else [])
    created = raw.signed(server.url, user, "POST", f"/{bucket}/{key}?uploads", headers=headers)
    assert created.status == 200, created
    assert created.header("x-amz-checksum-algorithm") == name
    upload_id, elements = created.element("UploadId"), []
    for number, body in enumerate(PARTS, 1):
        # CRC64NVME and CRC32C of 5 MiB are slow in Python: ask the server, verify the small one.
        slow = name in ("CRC64NVME", "CRC32C") and len(body) > 1000
        extra = [] if slow or not part_checksums else [(header(name), value(name, body))]
        reply = raw.signed(
            server.url, user, "PUT", f"/{bucket}/{key}?partNumber={number}&uploadId={upload_id}", body, extra)
        assert reply.status == 200, reply
        echoed = reply.header(header(name))
        if extra:
            assert echoed == value(name, body)
        element = f"<PartNumber>{number}</PartNumber><ETag>{reply.header('etag')}</ETag>"
        if part_checksums and echoed:
            element += f"<Checksum{name}>{echoed}</Checksum{name}>"
        elements.append(f"<Part>{element}</Part>")
    return upload_id, elements, created


def finish(server, bucket, key, upload_id, elements, headers=()):
    body = f"<CompleteMultipartUpload>{''.join(elements)}</CompleteMultipartUpload>".encode()
    return raw.signed(
        server.url, server.users["root"], "POST", f"/{bucket}/{key}?uploadId={upload_id}", body, headers)


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256", "MD5", "SHA512"])
def test_CompleteMultipartUpload__composite_checksum(server, bucket, name):
    upload_id, elements, created = upload(server, bucket, "key", name)
    assert created.header("x-amz-checksum-type") == "COMPOSITE"
    done = finish(server, bucket, "key", upload_id, elements)
    assert done.status == 200, done
    wanted = composite(name, PARTS)
    assert (done.element(f"Checksum{name}"), done.element("ChecksumType")) == (wanted, "COMPOSITE")
    for method in ("HEAD", "GET"):
        reply = shown(server, f"/{bucket}/key", method)
        assert (reply.header(header(name)), reply.header("x-amz-checksum-type")) == (wanted, "COMPOSITE")


@pytest.mark.parametrize("name", ["CRC32", "CRC64NVME"])
def test_CompleteMultipartUpload__full_object_checksum(server, bucket, name):
    upload_id, elements, created = upload(server, bucket, "key", name, "FULL_OBJECT")
    assert created.header("x-amz-checksum-type") == "FULL_OBJECT"
    done = finish(server, bucket, "key", upload_id, elements)
    assert done.status == 200, done
    wanted = value(name, b"".join(PARTS))
    assert (done.element(f"Checksum{name}"), done.element("ChecksumType")) == (wanted, "FULL_OBJECT")
    assert shown(server, f"/{bucket}/key").header(header(name)) == wanted


def test_CreateMultipartUpload__crc64nvme_is_always_full_object(server, bucket):
    _, _, created = upload(server, bucket, "key", "CRC64NVME")
    assert created.header("x-amz-checksum-type") == "FULL_OBJECT"


@pytest.mark.parametrize("name,kind", [("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")])
def test_CreateMultipartUpload__impossible_pair(server, root_user, bucket, name, kind):
    reply = raw.signed(server.url, root_user, "POST", f"/{bucket}/key?uploads", headers=[
        ("x-amz-checksum-algorithm", name), ("x-amz-checksum-type", kind)])  # fmt: skip
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


@pytest.mark.parametrize("name,kind", [("ADLER32", ""), ("CRC32", "PARTIAL"), ("", "FULL_OBJECT"), ("", "COMPOSITE")])
def test_CreateMultipartUpload__unknown_algorithm_or_type(server, root_user, bucket, name, kind):
    headers = [("x-amz-checksum-algorithm", name)] if name else []
    headers += [("x-amz-checksum-type", kind)] if kind else []
    reply = raw.signed(server.url, root_user, "POST", f"/{bucket}/key?uploads", headers=headers)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


def test_CompleteMultipartUpload__wrong_checksum_of_a_part(server, s3, bucket):
    upload_id, elements, _ = upload(server, bucket, "key", "SHA256")
    wrong = [elements[0], elements[1].replace(value("SHA256", PARTS[1]), value("SHA256", b"other"))]
    reply = finish(server, bucket, "key", upload_id, wrong)
    assert (reply.status, reply.code) == (400, "InvalidPart"), reply
    assert nothing_stored(s3, bucket)
    assert finish(server, bucket, "key", upload_id, elements).status == 200


def test_CompleteMultipartUpload__wrong_full_object_checksum(server, s3, bucket):
    upload_id, elements, _ = upload(server, bucket, "key", "CRC32", "FULL_OBJECT")
    kind = ("x-amz-checksum-type", "FULL_OBJECT")
    for wrong in (value("CRC32", b"other"), "", "nonsense"):
        reply = finish(server, bucket, "key", upload_id, elements, [(header("CRC32"), wrong), kind])
        bad_digest(reply, "crc32")
    assert nothing_stored(s3, bucket)
    right = (header("CRC32"), value("CRC32", b"".join(PARTS)))
    assert finish(server, bucket, "key", upload_id, elements, [right, kind]).status == 200


# ---- small uploads: what is said, when, in which words ------------------------------------------------

BODY = b"aaa"


def begin(server, bucket, name=None, kind=None):
    """A fresh upload of "key"."""
    headers = [("x-amz-checksum-algorithm", name)] if name else []
    headers += [("x-amz-checksum-type", kind)] if kind else []
    reply = raw.signed(server.url, server.users["root"], "POST", f"/{bucket}/key?uploads", headers=headers)
    assert reply.status == 200, reply
    return reply.element("UploadId")


def send_part(server, bucket, upload_id, body=BODY, name=None, number=1):
    headers = [(header(name), value(name, body))] if name else []
    return put(server, f"/{bucket}/key?partNumber={number}&uploadId={upload_id}", body, headers)


def one_part(server, bucket, name=None, kind=None, sent=None):
    """An upload with BODY as its part, sent with a checksum of `sent`; the start of its <Part>."""
    upload_id = begin(server, bucket, name, kind)
    reply = send_part(server, bucket, upload_id, name=sent)
    assert reply.status == 200, reply
    return upload_id, f"<PartNumber>1</PartNumber><ETag>{reply.header('etag')}</ETag>"


def element(name, text=None):
    return f"<Checksum{name}>{text or value(name, BODY)}</Checksum{name}>"


def finish_one(server, bucket, upload_id, part, headers=()):
    return finish(server, bucket, "key", upload_id, [f"<Part>{part}</Part>"], headers)


def bad_digest(reply, name):
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert reply.element("Message") == f"The {name} you specified did not match the calculated checksum."
    assert reply.element("ExpectedDigest") is reply.element("CalculatedDigest") is None, reply


def invalid_request(reply, message):
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidRequest", message), reply


def invalid_part(reply, upload_id):
    assert (reply.status, reply.code) == (400, "InvalidPart"), reply
    etag = expect.md5_etag(BODY).strip('"')
    assert (reply.element("ETag"), reply.element("PartNumber"), reply.element("UploadId")) == (etag, "1", upload_id)


COMPOSITE = ["CRC32", "CRC32C", "SHA1", "SHA256", "MD5", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128"]


@pytest.fixture(params=COMPOSITE)
def composed(request):
    if not algorithms.have(request.param):
        pytest.skip(f"{request.param}: libxxhash is not installed")
    return request.param


def test_CompleteMultipartUpload__a_composite_upload_wants_each_part_s_checksum(server, s3, bucket, composed):
    upload_id, part = one_part(server, bucket, composed, sent=composed)
    claim = [(header(composed), value(composed, b"something else"))]
    bad_digest(finish_one(server, bucket, upload_id, part, claim), composed.lower())  # the whole is judged first
    reply = finish_one(server, bucket, upload_id, part)
    invalid_request(reply, f"The upload was created using a {composed.lower()} checksum. The complete request must "
                           "include the checksum for each part. It was missing for part 1 in the request.")  # fmt: skip
    assert nothing_stored(s3, bucket)
    done = finish_one(server, bucket, upload_id, part + element(composed))
    assert (done.element(f"Checksum{composed}"), done.element("ChecksumType")) == (composite(composed, [BODY]), "COMPOSITE")


def test_CompleteMultipartUpload__names_the_part_whose_checksum_is_missing(server, bucket):
    upload_id, elements, _ = upload(server, bucket, "key", "SHA256")
    bare = elements[1].replace(element("SHA256", value("SHA256", PARTS[1])), "")
    reply = finish(server, bucket, "key", upload_id, [elements[0], bare])
    assert reply.element("Message").endswith("It was missing for part 2 in the request."), reply


@pytest.mark.parametrize("name,kind,numbers,status", [
    ("SHA256", "COMPOSITE", (2,), 400), ("CRC32", "COMPOSITE", (1, 3), 400), ("CRC32", None, (10000,), 400),
    ("CRC32", "FULL_OBJECT", (3, 5), 200), (None, None, (3, 5), 200), ("SHA1", "COMPOSITE", (1, 2), 200),
])  # fmt: skip
def test_CompleteMultipartUpload__parts_of_a_composite_value_are_numbered_1_to_n(
        server, s3, bucket, name, kind, numbers, status):  # fmt: skip
    upload_id, elements, bodies = begin(server, bucket, name, kind), [], []
    for number in numbers:
        bodies.append(BODY if number == numbers[-1] else PARTS[0])
        etag = send_part(server, bucket, upload_id, bodies[-1], name, number).header("etag")
        shown = element(name, value(name, bodies[-1])) if name else ""
        elements.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{shown}</Part>")
    reply = finish(server, bucket, "key", upload_id, elements)
    if status == 200:
        assert (reply.status, expect.body_of(s3, bucket, "key")) == (200, b"".join(bodies)), reply
        return
    assert (reply.status, reply.code, reply.facts) == (400, "InvalidPartOrder", {"UploadId": upload_id}), reply
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("sent", [None, "CRC32", "SHA1"])
def test_UploadPart__a_composite_upload_wants_its_own_checksum(server, s3, bucket, composed, sent):
    if sent == composed:
        sent = "CRC32C"
    upload_id = begin(server, bucket, composed)
    reply = send_part(server, bucket, upload_id, name=sent)
    invalid_request(reply, "Checksum Type mismatch occurred, expected checksum Type: "
                           f"{composed.lower()}, actual checksum Type: {sent.lower() if sent else 'null'}")  # fmt: skip
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="key", UploadId=upload_id)


def test_UploadPart__a_wrong_kind_is_refused_before_the_body(server, root_user, bucket):
    """With Expect: 100-continue the part does not travel at all."""
    upload_id = begin(server, bucket, "SHA256")
    request = raw.Request("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload_id}", [
        ("Host", raw.host_of(server.url)), ("Content-Length", "3"), ("Expect", "100-continue")])  # fmt: skip
    raw.sign_v4(request, root_user, raw.UNSIGNED)
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        reply = connection.reply(informational=True)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "CRC64NVME"])
def test_UploadPart__a_full_object_upload_takes_parts_without_a_checksum(server, bucket, name):
    upload_id, part = one_part(server, bucket, name, "FULL_OBJECT")
    done = finish_one(server, bucket, upload_id, part)
    assert (done.element(f"Checksum{name}"), done.element("ChecksumType")) == (value(name, BODY), "FULL_OBJECT"), done
    other = "SHA1"
    reply = send_part(server, bucket, begin(server, bucket, name, "FULL_OBJECT"), name=other)
    invalid_request(reply, "Checksum Type mismatch occurred, expected checksum Type: "
                           f"{name.lower()}, actual checksum Type: {other.lower()}")  # fmt: skip


@pytest.mark.parametrize("name,kind,foreign", [
    ("CRC32", "COMPOSITE", "SHA256"), ("SHA256", "COMPOSITE", "CRC32"), ("SHA1", "COMPOSITE", "CRC64NVME"),
    ("CRC32C", "FULL_OBJECT", "CRC32"), ("CRC64NVME", "FULL_OBJECT", "SHA1"),
])  # fmt: skip
@pytest.mark.parametrize("beside", [True, False], ids=["beside its own", "alone"])
def test_CompleteMultipartUpload__foreign_checksum_of_a_part(server, s3, bucket, name, kind, foreign, beside):
    upload_id, part = one_part(server, bucket, name, kind, sent=name)
    own = element(name) if beside else ""
    reply = finish_one(server, bucket, upload_id, part + own + element(foreign))
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert reply.element("Message") == f"The {foreign.lower()} you specified for part 1 did not match what we received."
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("name,kind", [("CRC32", "COMPOSITE"), ("CRC32C", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")])
def test_CompleteMultipartUpload__wrong_checksum_of_a_part_is_another_part(server, s3, bucket, name, kind):
    upload_id, part = one_part(server, bucket, name, kind, sent=name)
    invalid_part(finish_one(server, bucket, upload_id, part + element(name, value(name, b"x"))), upload_id)
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "CRC64NVME"])
def test_CompleteMultipartUpload__claims_about_a_full_object_upload(server, s3, bucket, name):
    kind, right = ("x-amz-checksum-type", "FULL_OBJECT"), (header(name), value(name, BODY))
    upload_id, part = one_part(server, bucket, name, "FULL_OBJECT", sent=name)
    other = "CRC32" if name != "CRC32" else "CRC64NVME"
    foreign = (header(other), value(other, BODY))
    # Without the type a value is taken for a composite one: then the right one is wrong too.
    for claims in ([foreign, kind], [foreign], [right], [(header(name), value(name, b"x")), kind], [right, foreign, kind]):
        bad_digest(finish_one(server, bucket, upload_id, part, claims), name.lower())
    assert nothing_stored(s3, bucket)
    assert finish_one(server, bucket, upload_id, part, [right, kind]).status == 200


@pytest.mark.parametrize("claims", [[], [("x-amz-checksum-type", "FULL_OBJECT")], [("x-amz-checksum-type", "full_object")]])
def test_CompleteMultipartUpload__claims_that_may_be_left_out(server, bucket, claims):
    upload_id, part = one_part(server, bucket, "CRC32", "FULL_OBJECT", sent="CRC32")
    assert finish_one(server, bucket, upload_id, part, claims).status == 200


def test_CompleteMultipartUpload__claims_about_a_composite_upload(server, s3, bucket):
    upload_id, part = one_part(server, bucket, "CRC32", sent="CRC32")
    part += element("CRC32")
    whole = composite("CRC32", [BODY])
    for claims in ([(header("CRC32"), value("CRC32", BODY))], [(header("SHA1"), value("SHA1", BODY))]):
        bad_digest(finish_one(server, bucket, upload_id, part, claims), "crc32")
    assert nothing_stored(s3, bucket)
    assert finish_one(server, bucket, upload_id, part, [(header("CRC32"), whole), ("x-amz-checksum-type", "composite")]).status == 200


# name None: "null", the mode of an upload made without an algorithm.
@pytest.mark.parametrize("name,kind,claimed", [
    (None, None, "FULL_OBJECT"), (None, None, "COMPOSITE"), (None, None, "composite"),
    ("CRC32", "COMPOSITE", "FULL_OBJECT"), ("CRC32", "FULL_OBJECT", "COMPOSITE"), ("SHA1", None, "FULL_OBJECT"),
    ("CRC64NVME", None, "COMPOSITE"),
])  # fmt: skip
def test_CompleteMultipartUpload__another_checksum_mode(server, s3, bucket, name, kind, claimed):
    upload_id, part = one_part(server, bucket, name, kind, sent=name)
    mode = "null" if name is None else kind or ("FULL_OBJECT" if name == "CRC64NVME" else "COMPOSITE")
    listed = part + (element(name) if name else "")
    reply = finish_one(server, bucket, upload_id, listed, [("x-amz-checksum-type", claimed)])
    invalid_request(reply, f"The upload was created using the {mode} checksum mode. The complete request must use the "
                           "same checksum mode.")  # fmt: skip
    assert nothing_stored(s3, bucket)
    assert finish_one(server, bucket, upload_id, listed).status == 200


def test_CompleteMultipartUpload__unknown_checksum_type(server, bucket):
    upload_id, part = one_part(server, bucket)
    reply = finish_one(server, bucket, upload_id, part, [("x-amz-checksum-type", "PARTIAL")])
    invalid_request(reply, "Value for x-amz-checksum-type header is invalid.")


@pytest.mark.parametrize("name,kind", [("crc32", "full_object"), ("Crc32c", "Composite"), ("crc64nvme", None), ("sha256", None)])
def test_CreateMultipartUpload__names_of_algorithms_and_types_in_any_case(server, root_user, bucket, name, kind):
    headers = [("x-amz-checksum-algorithm", name)] + ([("x-amz-checksum-type", kind)] if kind else [])
    reply = raw.signed(server.url, root_user, "POST", f"/{bucket}/key?uploads", headers=headers)
    wanted = kind or ("FULL_OBJECT" if name == "crc64nvme" else "COMPOSITE")
    assert reply.status == 200, reply
    assert reply.header("x-amz-checksum-algorithm") == name.upper()
    assert reply.header("x-amz-checksum-type") == wanted.upper()


# ---- uploads made without an algorithm ------------------------------------------------------------------


@pytest.mark.parametrize("sent", [None, "CRC32", "CRC32C", "CRC64NVME", "SHA256"])
def test_CompleteMultipartUpload__without_an_algorithm_ends_as_crc64nvme(server, s3, bucket, sent):
    upload_id = begin(server, bucket)
    reply = send_part(server, bucket, upload_id, name=sent)
    assert reply.header(header(sent or "CRC64NVME")) == value(sent or "CRC64NVME", BODY)
    assert len([name for name, _ in reply.headers if name.lower().startswith("x-amz-checksum-")]) == 1
    listing = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload_id)
    assert not [name for name in (*listing, *listing["Parts"][0]) if name.startswith("Checksum")]
    done = finish_one(server, bucket, upload_id, f"<PartNumber>1</PartNumber><ETag>{reply.header('etag')}</ETag>")
    assert value("CRC64NVME", BODY) == "Rnr2/5P7Gsk="
    assert (done.element("ChecksumCRC64NVME"), done.element("ChecksumType")) == ("Rnr2/5P7Gsk=", "FULL_OBJECT"), done
    for method in ("HEAD", "GET"):
        reply = shown(server, f"/{bucket}/key", method)
        assert reply.header("x-amz-checksum-crc64nvme") == "Rnr2/5P7Gsk="
        assert reply.header("x-amz-checksum-type") == "FULL_OBJECT"
        if sent not in (None, "CRC64NVME"):
            assert reply.header(header(sent)) is None
    attributes = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["Checksum", "ObjectParts"])
    assert attributes["Checksum"] == {"ChecksumCRC64NVME": "Rnr2/5P7Gsk=", "ChecksumType": "FULL_OBJECT"}
    assert attributes["ObjectParts"] == {"TotalPartsCount": 1}


def test_CompleteMultipartUpload__without_an_algorithm_parts_may_carry_what_they_like(server, s3, bucket):
    """Parts with different checksums, with none, and copied: one CRC64NVME of the whole."""
    first, rest = PARTS
    s3.put_object(Bucket=bucket, Key="source", Body=first)
    upload_id = begin(server, bucket)
    where = {"Bucket": bucket, "Key": "key", "UploadId": upload_id, "CopySource": f"{bucket}/source"}
    etags = [
        send_part(server, bucket, upload_id, first, "CRC32", 1).header("etag"),
        s3.upload_part_copy(PartNumber=2, **where)["CopyPartResult"]["ETag"],
        s3.upload_part_copy(PartNumber=3, CopySourceRange=f"bytes=0-{MIN - 1}", **where)["CopyPartResult"]["ETag"],
        send_part(server, bucket, upload_id, first, "SHA1", 4).header("etag"),
        send_part(server, bucket, upload_id, rest, None, 5).header("etag"),
    ]
    elements = [f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in enumerate(etags, 1)]
    done = finish(server, bucket, "key", upload_id, elements)
    assert done.status == 200, done
    put(server, f"/{bucket}/whole", first * 4 + rest, [])
    whole = shown(server, f"/{bucket}/whole").header("x-amz-checksum-crc64nvme")
    assert whole is not None
    assert (done.element("ChecksumCRC64NVME"), done.element("ChecksumType")) == (whole, "FULL_OBJECT"), done


def test_CompleteMultipartUpload__without_an_algorithm_no_checksum_may_be_listed(server, s3, bucket):
    for sent in ("CRC32", "SHA256"):
        upload_id, part = one_part(server, bucket, sent=sent)
        invalid_part(finish_one(server, bucket, upload_id, part + element(sent)), upload_id)
    upload_id, part = one_part(server, bucket, sent="CRC64NVME")
    invalid_part(finish_one(server, bucket, upload_id, part + element("CRC64NVME", value("CRC64NVME", b"x"))), upload_id)
    assert nothing_stored(s3, bucket)


@pytest.mark.parametrize("claimed", [BODY, b"other"], ids=["right", "wrong"])
@pytest.mark.parametrize("name", ["CRC32", "CRC64NVME", "SHA256"])
def test_CompleteMultipartUpload__without_an_algorithm_a_claim_is_ignored(server, bucket, name, claimed):
    upload_id, part = one_part(server, bucket, sent="CRC32")
    done = finish_one(server, bucket, upload_id, part, [(header(name), value(name, claimed))])
    assert done.element("ChecksumCRC64NVME") == value("CRC64NVME", BODY), done


def test_UploadPart__wrong_checksum(server, root_user, s3, bucket):
    created = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="CRC32")
    target = f"/{bucket}/key?partNumber=1&uploadId={created['UploadId']}"
    reply = put(server, target, SMALL, [(header("CRC32"), value("CRC32", b"other"))])
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="key", UploadId=created["UploadId"])


def test_UploadPart__algorithm_other_than_the_upload_s(server, root_user, s3, bucket):
    created = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="SHA256")
    target = f"/{bucket}/key?partNumber=1&uploadId={created['UploadId']}"
    reply = put(server, target, SMALL, [(header("CRC32"), value("CRC32", SMALL))])
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


def test_ListParts__shows_checksums(server, s3, bucket):
    upload_id, _, _ = upload(server, bucket, "key", "SHA256")
    answer = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload_id)
    assert (answer["ChecksumAlgorithm"], answer["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert [part["ChecksumSHA256"] for part in answer["Parts"]] == [value("SHA256", part) for part in PARTS]
    item = s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]
    assert (item["ChecksumAlgorithm"], item["ChecksumType"]) == ("SHA256", "COMPOSITE")


def test_ListObjectsV2__names_the_checksum_algorithm(server, s3, bucket):
    put(server, f"/{bucket}/key", SMALL, [(header("SHA1"), value("SHA1", SMALL))])
    item = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert item["ChecksumAlgorithm"] == ["SHA1"]
    assert item["ChecksumType"] == "FULL_OBJECT"
    assert s3.list_object_versions(Bucket=bucket)["Versions"][0]["ChecksumAlgorithm"] == ["SHA1"]


# ---- copies -----------------------------------------------------------------------------------------


def test_CopyObject__keeps_the_checksum(server, s3, bucket):
    put(server, f"/{bucket}/key", SMALL, [(header("SHA1"), value("SHA1", SMALL))])
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    assert answer["CopyObjectResult"]["ChecksumSHA1"] == value("SHA1", SMALL)
    assert shown(server, f"/{bucket}/copy").header(header("SHA1")) == value("SHA1", SMALL)


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "SHA256", "CRC64NVME"])
def test_CopyObject__with_another_algorithm(server, s3, bucket, name):
    put(server, f"/{bucket}/key", DATA, [(header("SHA1"), value("SHA1", DATA))])
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ChecksumAlgorithm=name)
    assert answer["CopyObjectResult"][f"Checksum{name}"] == value(name, DATA)
    reply = shown(server, f"/{bucket}/copy")
    assert reply.header(header(name)) == value(name, DATA)
    assert reply.header(header("SHA1")) is None


# ---- operations that take no body --------------------------------------------------------------------


@pytest.mark.parametrize("name,text", [
    ("Content-MD5", value("MD5", b"other")), ("Content-MD5", "invalid_content_md5"), ("Content-MD5", ""),
    ("x-amz-checksum-crc32", value("CRC32", b"other")), ("x-amz-checksum-crc32", "bad"), ("x-amz-sdk-checksum-algorithm", "CRC32"),
])  # fmt: skip
def test_reads__look_at_no_digest_of_a_body_they_do_not_take(server, root_user, s3, bucket, name, text):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for method, target in (("GET", f"/{bucket}/key"), ("HEAD", f"/{bucket}/key"), ("GET", f"/{bucket}?list-type=2"), ("HEAD", f"/{bucket}")):
        assert raw.signed(server.url, root_user, method, target, headers=[(name, text)]).status == 200, (method, target)


# ---- operations that need one -----------------------------------------------------------------------


def test_DeleteObjects__takes_content_md5_or_any_checksum(server, root_user, s3, bucket):
    body = b"<Delete><Object><Key>key</Key></Object></Delete>"
    for name in ("Content-MD5", *(header(name) for name in ALGORITHMS if algorithms.have(name))):
        s3.put_object(Bucket=bucket, Key="key", Body=b"")
        algorithm = "MD5" if name == "Content-MD5" else name.rpartition("-")[2].upper()
        reply = raw.signed(server.url, root_user, "POST", f"/{bucket}?delete", body, [(name, value(algorithm, body))])
        assert reply.status == 200, (name, reply)
        assert nothing_stored(s3, bucket)


def test_DeleteObjects__without_either_or_with_a_wrong_one(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    body = b"<Delete><Object><Key>key</Key></Object></Delete>"
    reply = raw.signed(server.url, root_user, "POST", f"/{bucket}?delete", body)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    for name, code in (("Content-MD5", "BadDigest"), (header("CRC32"), "BadDigest")):
        algorithm = "MD5" if name == "Content-MD5" else "CRC32"
        reply = raw.signed(
            server.url, root_user, "POST", f"/{bucket}?delete", body, [(name, value(algorithm, b"other"))])
        assert (reply.status, reply.code) == (400, code), reply
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["key"]


def test_PutObject__checksum_in_the_query_of_a_presigned_url_is_not_verified(server, root_user, s3, bucket):
    # aws-sdk-js signs x-amz-checksum-crc32=AAAAAA== (of nothing) into every presigned PUT.
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"not empty")
    raw.presign_v4(request, root_user, extra=[
        ("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32"), ("x-id", "PutObject")])  # fmt: skip
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply
    assert expect.body_of(s3, bucket, "key") == b"not empty"
    assert base64.b64decode(shown(server, f"/{bucket}/key").header("x-amz-checksum-crc64nvme") or "") == (
        ALGORITHMS["CRC64NVME"](b"not empty"))
