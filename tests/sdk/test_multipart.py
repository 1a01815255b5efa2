# SPDX-License-Identifier: Apache-2.0
"""Multipart uploads: parts, Complete's rules, Abort, both listings, UploadPartCopy.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

import hashlib

import pytest

from sdk import algorithms, expect
from wire import raw

MB = 1024 * 1024
MIN = 5 * MB
FIVE = [expect.noise(MIN, b"part %d" % n) for n in range(3)]


def xml_parts(listed, namespace=True):
    body = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in listed)
    ns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' if namespace else ""
    return f"<CompleteMultipartUpload{ns}>{body}</CompleteMultipartUpload>".encode()


def complete_raw(server, bucket, key, upload, body):
    return raw.signed(server.url, server.users["root"], "POST", f"/{bucket}/{key}?uploadId={upload}", body)


# ---- the whole way ------------------------------------------------------------------------------


def test_CompleteMultipartUpload__parts_become_one_object(any_s3, bucket):
    parts = [FIVE[0], FIVE[1], b"the end"]
    created = any_s3.create_multipart_upload(
        Bucket=bucket, Key="key", ContentType="text/x", CacheControl="no-cache", Metadata={"a": "b"},
        Tagging="t=1", StorageClass="STANDARD_IA", ContentDisposition="inline", ContentLanguage="de",
        ContentEncoding="gzip")  # fmt: skip
    assert (created["Bucket"], created["Key"]) == (bucket, "key")
    listed = []
    for number, data in enumerate(parts, 1):
        answer = any_s3.upload_part(
            Bucket=bucket, Key="key", UploadId=created["UploadId"], PartNumber=number, Body=data)
        assert answer["ETag"] == expect.md5_etag(data)
        listed.append({"PartNumber": number, "ETag": answer["ETag"]})
    with expect.refused(404, "404"):
        any_s3.head_object(Bucket=bucket, Key="key")
    done = expect.complete(any_s3, bucket, "key", created["UploadId"], listed)
    assert (done["Bucket"], done["Key"], done["ETag"]) == (bucket, "key", expect.multipart_etag(parts))
    assert done["Location"].endswith(f"/{bucket}/key")
    got = any_s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == b"".join(parts)
    assert got["ETag"] == expect.multipart_etag(parts)
    assert (got["ContentType"], got["Metadata"], got["StorageClass"]) == ("text/x", {"a": "b"}, "STANDARD_IA")
    assert (got["CacheControl"], got["ContentDisposition"]) == ("no-cache", "inline")
    assert (got["ContentLanguage"], got["ContentEncoding"]) == ("de", "gzip")
    assert any_s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [{"Key": "t", "Value": "1"}]
    listing = any_s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (listing["Size"], listing["ETag"]) == (2 * MIN + 7, got["ETag"])


def test_CompleteMultipartUpload__ranges_across_part_borders(s3, bucket):
    parts = [FIVE[0], FIVE[1], b"the end"]
    whole = b"".join(parts)
    expect.multipart_object(s3, bucket, "key", parts)
    for start, end in ((0, 0), (MIN - 1, MIN), (MIN, MIN), (MIN - 100, 2 * MIN + 3), (2 * MIN, 2 * MIN + 6), (10, 20)):
        answer = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={start}-{end}")
        assert answer["Body"].read() == whole[start : end + 1]
        assert answer["ContentRange"] == f"bytes {start}-{end}/{len(whole)}"
    assert expect.body_of(s3, bucket, "key", Range="bytes=-10") == whole[-10:]


def test_GetObject__part_number_of_a_multipart_object(s3, bucket):
    parts = [FIVE[0], FIVE[1], b"the end"]
    expect.multipart_object(s3, bucket, "key", parts)
    offset = 0
    for number, data in enumerate(parts, 1):
        answer = s3.get_object(Bucket=bucket, Key="key", PartNumber=number)
        assert expect.status_of(answer) == 206
        assert answer["Body"].read() == data
        assert answer["PartsCount"] == 3
        assert answer["ContentRange"] == f"bytes {offset}-{offset + len(data) - 1}/{2 * MIN + 7}"
        head = s3.head_object(Bucket=bucket, Key="key", PartNumber=number)
        assert (head["ContentLength"], head["PartsCount"]) == (len(data), 3)
        offset += len(data)
    for call in (s3.get_object, s3.head_object):
        with expect.refused_with_status(416):
            call(Bucket=bucket, Key="key", PartNumber=4)


def test_GetObject__part_number_after_gaps_counts_the_object_s_parts(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    listed = []
    for number, data in ((2, FIVE[0]), (10, b"ten")):
        etag = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=data)["ETag"]
        listed.append({"PartNumber": number, "ETag": etag})
    expect.complete(s3, bucket, "key", upload, listed)
    assert s3.head_object(Bucket=bucket, Key="key", PartNumber=2)["PartsCount"] == 2


def test_CompleteMultipartUpload__one_small_part_and_an_empty_one(s3, bucket):
    assert expect.multipart_object(s3, bucket, "small", [b"five!"])["ETag"] == expect.multipart_etag([b"five!"])
    assert expect.body_of(s3, bucket, "small") == b"five!"
    expect.multipart_object(s3, bucket, "empty", [b""])
    assert expect.body_of(s3, bucket, "empty") == b""


@pytest.mark.tsan
def test_UploadPart__out_of_order_and_at_once(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    parts = {n: bytes([n % 256]) * (MIN + n) for n in (7, 3, 10000, 1)}
    numbers = list(parts)
    answers = expect.at_once(4, lambda i: s3.upload_part(
        Bucket=bucket, Key="key", UploadId=upload, PartNumber=numbers[i], Body=parts[numbers[i]]))  # fmt: skip
    etags = dict(zip(numbers, (answer["ETag"] for answer in answers)))
    listed = [{"PartNumber": n, "ETag": etags[n]} for n in sorted(parts)]
    expect.complete(s3, bucket, "key", upload, listed)
    digest = hashlib.sha256(b"".join(parts[n] for n in sorted(parts))).hexdigest()
    assert hashlib.sha256(expect.body_of(s3, bucket, "key")).hexdigest() == digest


def test_UploadPart__again_replaces_the_part(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"first"])
    new = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"second")["ETag"]
    with expect.refused(400, "InvalidPart"):
        expect.complete(s3, bucket, "key", upload, listed)
    expect.complete(s3, bucket, "key", upload, [{"PartNumber": 1, "ETag": new}])
    assert expect.body_of(s3, bucket, "key") == b"second"


def test_CompleteMultipartUpload__leaves_out_what_is_not_listed(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"one", b"two", b"three"])
    expect.complete(s3, bucket, "key", upload, listed[1:2])
    assert expect.body_of(s3, bucket, "key") == b"two"


def test_CompleteMultipartUpload__replaces_an_object_only_at_the_end(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"new"])
    assert expect.body_of(s3, bucket, "key") == b"old"
    expect.complete(s3, bucket, "key", upload, listed)
    assert expect.body_of(s3, bucket, "key") == b"new"


def test_CompleteMultipartUpload__two_uploads_of_one_key(s3, bucket):
    first, first_parts = expect.upload_parts(s3, bucket, "key", [b"first"])
    second, second_parts = expect.upload_parts(s3, bucket, "key", [b"second"])
    assert first != second
    expect.complete(s3, bucket, "key", second, second_parts)
    expect.complete(s3, bucket, "key", first, first_parts)
    assert expect.body_of(s3, bucket, "key") == b"first"


# ---- Complete's rules -----------------------------------------------------------------------------


def test_CompleteMultipartUpload__again_with_the_same_list_succeeds(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    first = expect.complete(s3, bucket, "key", upload, listed)
    again = expect.complete(s3, bucket, "key", upload, listed)
    assert again["ETag"] == first["ETag"]
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_CompleteMultipartUpload__again_does_not_undo_a_later_write(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    expect.complete(s3, bucket, "key", upload, listed)
    s3.put_object(Bucket=bucket, Key="key", Body=b"later")
    assert expect.complete(s3, bucket, "key", upload, listed)["ETag"] == expect.multipart_etag([b"data"])
    assert expect.body_of(s3, bucket, "key") == b"later"


@pytest.mark.tsan
def test_CompleteMultipartUpload__at_once_makes_one_version(s3, versioned):
    upload, listed = expect.upload_parts(s3, versioned, "key", [b"data"])
    answers = expect.at_once(4, lambda _: expect.complete(s3, versioned, "key", upload, listed))
    good = [answer for answer in answers if isinstance(answer, dict)]
    assert good
    assert len({answer["VersionId"] for answer in good}) == 1
    assert len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 1


def test_CompleteMultipartUpload__part_too_small(server, s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"x" * (MIN - 1), b"end"])
    with expect.refused(400, "EntityTooSmall") as answer:
        expect.complete(s3, bucket, "key", upload, listed)
    assert answer["Error"]["ProposedSize"] == str(MIN - 1)
    assert answer["Error"]["MinSizeAllowed"] == str(MIN)
    assert answer["Error"]["PartNumber"] == "1"
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="key")
    expect.complete(s3, bucket, "key", upload, listed[:1])  # alone it is the last part


def test_CompleteMultipartUpload__parts_out_of_order(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [FIVE[0], b"end"])
    with expect.refused(400, "InvalidPartOrder"):
        expect.complete(s3, bucket, "key", upload, listed[::-1])
    with expect.refused(400, "InvalidPartOrder"):
        expect.complete(s3, bucket, "key", upload, [listed[0], listed[0]])
    expect.complete(s3, bucket, "key", upload, listed)


def test_CompleteMultipartUpload__part_that_is_not_there(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    for bad in (
        [{"PartNumber": 2, "ETag": listed[0]["ETag"]}],
        [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}],
        [{"PartNumber": 1, "ETag": '"not-an-etag"'}],
        [listed[0], {"PartNumber": 9999, "ETag": listed[0]["ETag"]}],
    ):
        with expect.refused(400, "InvalidPart") as answer:
            expect.complete(s3, bucket, "key", upload, bad)
        error = answer["Error"]
        assert error["Message"] == (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag.")
        last = bad[-1]
        assert (error["ETag"], error["PartNumber"], error["UploadId"]) == (
            last["ETag"].strip('"'), str(last["PartNumber"]), upload)  # fmt: skip
    expect.complete(s3, bucket, "key", upload, listed)


@pytest.mark.parametrize("quote", ['"', "&quot;", "&#34;", ""])
def test_CompleteMultipartUpload__etags_as_clients_quote_them(server, s3, bucket, quote):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    etag = listed[0]["ETag"].strip('"')
    body = xml_parts([(1, quote + etag + quote)], namespace=bool(quote))
    assert complete_raw(server, bucket, "key", upload, body).status == 200
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_CompleteMultipartUpload__etag_before_number_and_white_space(server, s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    body = (f"<?xml version='1.0'?>\n<CompleteMultipartUpload>\n <Part>\n  <ETag>{listed[0]['ETag']}</ETag>\n"
            "  <PartNumber>1</PartNumber>\n </Part>\n</CompleteMultipartUpload>\n").encode()  # fmt: skip
    reply = complete_raw(server, bucket, "key", upload, body)
    assert reply.status == 200, reply
    assert reply.body.startswith(b"<?xml")
    assert reply.element("ETag") == expect.multipart_etag([b"data"])


def test_CompleteMultipartUpload__without_a_body(server, s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    reply = complete_raw(server, bucket, "key", upload, b"")
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    assert reply.element("Message") == "You must specify at least one part"
    expect.complete(s3, bucket, "key", upload, listed)


@pytest.mark.parametrize("body", [
    b"<CompleteMultipartUpload/>", b"<CompleteMultipartUpload></CompleteMultipartUpload>", b"<Parts/>",
    b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>one</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part>", b"\x00", b"{}",
    xml_parts([(n, '"x"') for n in range(1, 10002)]),
], ids=lambda body: str(body[:40]))  # fmt: skip
def test_CompleteMultipartUpload__malformed_document(server, s3, bucket, body):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    reply = complete_raw(server, bucket, "key", upload, body)
    wanted = "InvalidArgument" if b"one" in body else "MalformedXML"
    assert (reply.status, reply.code) == (400, wanted), reply
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="key")
    expect.complete(s3, bucket, "key", upload, listed)


def test_CompleteMultipartUpload__mp_object_size(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    with expect.refused(400, "InvalidRequest"):
        expect.complete(s3, bucket, "key", upload, listed, MpuObjectSize=5)
    expect.complete(s3, bucket, "key", upload, listed, MpuObjectSize=4)


def test_CompleteMultipartUpload__in_a_versioned_bucket(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    done = expect.multipart_object(s3, versioned, "key", [b"new"])
    assert done["VersionId"] not in (None, "null", old)
    assert expect.body_of(s3, versioned, "key") == b"new"
    assert expect.body_of(s3, versioned, "key", VersionId=old) == b"old"


# ---- numbers and ids ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0", "-1", "10001", "abc", "", "1.5", "99999999999999999999"])
def test_UploadPart__number_outside_1_to_10000(server, root_user, s3, bucket, number):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key?partNumber={number}&uploadId={upload}", b"x")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)


@pytest.mark.parametrize("upload", ["x", "0" * 32, "0" * 33, "' OR 1=1 --", "z" * 4000])
def test_multipart__unknown_upload_id(s3, bucket, upload):
    part = [{"PartNumber": 1, "ETag": '"x"'}]
    for call in (
        lambda: s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"x"),
        lambda: expect.complete(s3, bucket, "key", upload, part),
        lambda: s3.list_parts(Bucket=bucket, Key="key", UploadId=upload),
        lambda: s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload),
    ):
        with expect.refused(404, "NoSuchUpload"):
            call()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_multipart__upload_id_of_another_key_or_bucket(cloud, s3, bucket):
    other = cloud.new_bucket()
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    for where in ({"Bucket": bucket, "Key": "other"}, {"Bucket": other, "Key": "key"}):
        with expect.refused(404, "NoSuchUpload"):
            s3.upload_part(UploadId=upload, PartNumber=2, Body=b"x", **where)
        with expect.refused(404, "NoSuchUpload"):
            s3.list_parts(UploadId=upload, **where)
        with expect.refused(404, "NoSuchUpload"):
            s3.abort_multipart_upload(UploadId=upload, **where)
        with expect.refused(404, "NoSuchUpload"):
            expect.complete(s3, where["Bucket"], where["Key"], upload, listed)
    expect.complete(s3, bucket, "key", upload, listed)


@pytest.mark.parametrize(("query", "refusal"), [
    ("partNumber=1", (400, "InvalidArgument")), ("uploadId=abc", (405, "MethodNotAllowed")),
])  # fmt: skip
def test_UploadPart__half_a_selector_never_stores_an_object(server, root_user, s3, bucket, query, refusal):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key?{query}", b"data")
    assert (reply.status, reply.code) == refusal, reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# ---- Abort ------------------------------------------------------------------------------------------


def test_AbortMultipartUpload__forgets_the_upload(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    answer = s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    assert expect.status_of(answer) == 204
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with expect.refused(404, "NoSuchUpload"):
        s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    with expect.refused(404, "NoSuchUpload"):
        expect.complete(s3, bucket, "key", upload, listed)
    with expect.refused(404, "NoSuchUpload"):
        s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"x")


def test_AbortMultipartUpload__after_complete_leaves_the_object(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    expect.complete(s3, bucket, "key", upload, listed)
    with expect.refused(404, "NoSuchUpload"):
        s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    assert expect.body_of(s3, bucket, "key") == b"data"


# ---- listings ---------------------------------------------------------------------------------------


def test_ListParts__pages(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", StorageClass="STANDARD_IA")["UploadId"]
    for number in (1, 2, 5, 9, 10000):
        s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=b"x" * number)
    answer = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)
    assert [part["PartNumber"] for part in answer["Parts"]] == [1, 2, 5, 9, 10000]
    assert [part["Size"] for part in answer["Parts"]] == [1, 2, 5, 9, 10000]
    assert answer["Parts"][1]["ETag"] == expect.md5_etag(b"xx")
    assert answer["Parts"][1]["LastModified"].tzinfo is not None
    assert (answer["Bucket"], answer["Key"], answer["UploadId"]) == (bucket, "key", upload)
    assert (answer["StorageClass"], answer["IsTruncated"], answer["MaxParts"]) == ("STANDARD_IA", False, 1000)
    owner = s3.list_buckets()["Owner"]["ID"]
    assert answer["Owner"]["ID"] == answer["Initiator"]["ID"] == owner
    pages = list(s3.get_paginator("list_parts").paginate(
        Bucket=bucket, Key="key", UploadId=upload, PaginationConfig={"PageSize": 2}))  # fmt: skip
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[1, 2], [5, 9], [10000]]
    assert (pages[0]["IsTruncated"], pages[0]["NextPartNumberMarker"]) == (True, 2)
    answer = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload, PartNumberMarker=5)
    assert [part["PartNumber"] for part in answer["Parts"]] == [9, 10000]


@pytest.mark.parametrize("query", ["max-parts=-1", "max-parts=x", "part-number-marker=-1", "part-number-marker=x"])
def test_ListParts__bad_argument(server, root_user, s3, bucket, query):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/key?uploadId={upload}&{query}")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_ListMultipartUploads__all_with_prefix_and_delimiter(s3, bucket):
    for key in ("a", "dir/b", "dir/c", "z"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert [item["Key"] for item in answer["Uploads"]] == ["a", "dir/b", "dir/c", "z"]
    first = answer["Uploads"][0]
    owner = s3.list_buckets()["Owner"]["ID"]
    assert first["Owner"]["ID"] == first["Initiator"]["ID"] == owner
    assert first["StorageClass"] == "STANDARD"
    assert first["Initiated"].tzinfo is not None
    assert (answer["IsTruncated"], answer["MaxUploads"]) == (False, 1000)
    answer = s3.list_multipart_uploads(Bucket=bucket, Prefix="dir/")
    assert [item["Key"] for item in answer["Uploads"]] == ["dir/b", "dir/c"]
    answer = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [item["Key"] for item in answer["Uploads"]] == ["a", "z"]
    assert expect.prefixes_of(answer) == ["dir/"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ListMultipartUploads__pages(s3, bucket, size):
    made = []
    for key in ("a", "b", "b", "b", "c d", "e+f"):
        made.append((key, s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]))
    found, markers, pages = [], {}, 0
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=size, **markers)
        pages += 1
        found += [(item["Key"], item["UploadId"]) for item in page.get("Uploads", [])]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert [key for key, _ in found] == [key for key, _ in made]
    assert sorted(found) == sorted(made)
    assert pages == 6 // size


def test_ListMultipartUploads__key_marker_alone_skips_the_key(s3, bucket):
    for key in ("a", "b", "b", "c"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    answer = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="b")
    assert [item["Key"] for item in answer["Uploads"]] == ["c"]


def test_ListMultipartUploads__goes_on_when_the_uploads_before_are_gone(s3, bucket):
    for key in ("a", "b", "b", "b", "b", "c"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    found, markers = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **markers)
        for item in page["Uploads"]:
            found.append(item["Key"])
            s3.abort_multipart_upload(Bucket=bucket, Key=item["Key"], UploadId=item["UploadId"])
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == ["a", "b", "b", "b", "b", "c"]


def test_ListMultipartUploads__a_marker_that_is_no_upload_of_the_key(server, root_user, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    version = "0123456789abcdef" * 2
    for key, marker in (("a", "X"), ("b", "X"), ("a", upload), ("bb", upload), ("b", upload[:-1]), ("b", upload + "0"), ("b", upload.upper()),
                        ("b", "null"), ("b", "0" * 32), ("b", version)):  # fmt: skip
        for rest in ("", "&max-uploads=0", "&prefix=zzz", "&delimiter=b"):
            reply = raw.signed(
                server.url, root_user, "GET", f"/{bucket}?uploads&key-marker={key}&upload-id-marker={marker}{rest}")
            assert reply.refusal() == (
                400, "InvalidArgument", "Invalid uploadId marker",
                {"ArgumentName": "upload-id-marker", "ArgumentValue": marker})  # fmt: skip


def test_ListMultipartUploads__a_marker_of_another_bucket(server, root_user, cloud, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=cloud.new_bucket(), Key="b")["UploadId"]
    reply = raw.signed(
        server.url, root_user, "GET", f"/{bucket}?uploads&key-marker=b&upload-id-marker={upload}")
    assert (reply.code, reply.element("Message")) == ("InvalidArgument", "Invalid uploadId marker")


def test_ListMultipartUploads__an_id_marker_without_a_key_marker_is_ignored(server, root_user, s3, bucket):
    s3.create_multipart_upload(Bucket=bucket, Key="b")
    for query in ("upload-id-marker=X", "key-marker=&upload-id-marker=X"):
        reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?uploads&{query}")
        assert (reply.status, reply.element("UploadIdMarker"), reply.element("Upload/Key")) == (200, "", "b")


def test_ListMultipartUploads__the_last_page_names_its_end(s3, bucket):
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert (answer["NextKeyMarker"], answer["NextUploadIdMarker"]) == ("", "")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert (answer["IsTruncated"], answer["NextKeyMarker"], answer["NextUploadIdMarker"]) == (False, "b", upload)
    assert "Prefix" not in answer and "Delimiter" not in answer


def test_ListParts__goes_on_when_the_parts_before_were_replaced(s3, bucket):
    upload, _ = expect.upload_parts(s3, bucket, "key", [b"1", b"2", b"3"])
    page = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload, MaxParts=2)
    s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=2, Body=b"new")
    rest = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload, PartNumberMarker=page["NextPartNumberMarker"])
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]


def test_ListMultipartUploads__completed_and_aborted_are_gone(s3, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "a", [b"data"])
    expect.complete(s3, bucket, "a", upload, listed)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


# ---- UploadPartCopy -----------------------------------------------------------------------------------


@pytest.fixture
def source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=FIVE[0] + FIVE[1])
    return bucket


def test_UploadPartCopy__whole_and_ranges(s3, source):
    upload = s3.create_multipart_upload(Bucket=source, Key="key")["UploadId"]
    where = {"Bucket": source, "Key": "key", "UploadId": upload, "CopySource": f"{source}/source"}
    first = s3.upload_part_copy(PartNumber=1, **where)["CopyPartResult"]
    assert first["ETag"] == expect.md5_etag(FIVE[0] + FIVE[1])
    assert first["LastModified"].tzinfo is not None
    second = s3.upload_part_copy(PartNumber=2, CopySourceRange=f"bytes={MIN - 2}-{MIN + 2}", **where)["CopyPartResult"]
    assert second["ETag"] == expect.md5_etag(FIVE[0][-2:] + FIVE[1][:3])
    other = s3.upload_part_copy(PartNumber=3, CopySourceRange=f"bytes=0-{2 * MIN - 1}", **where)["CopyPartResult"]
    assert other["ETag"] == first["ETag"]
    parts = s3.list_parts(Bucket=source, Key="key", UploadId=upload)["Parts"]
    assert [part["ETag"] for part in parts] == [first["ETag"], second["ETag"], other["ETag"]]
    s3.delete_object(Bucket=source, Key="source")
    expect.complete(s3, source, "key", upload, [
        {"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": second["ETag"]}])  # fmt: skip
    assert expect.body_of(s3, source, "key") == FIVE[0] + FIVE[1] + FIVE[0][-2:] + FIVE[1][:3]


OPEN = ("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
        "zero-based offsets of the first and last bytes to copy")  # fmt: skip
OUTSIDE = f"Range specified is not valid for source object of size: {2 * MIN}"


@pytest.mark.parametrize("value,message", [
    *((text, OPEN) for text in (
        "bytes=0-", "bytes=-5", "0-5", "bytes=5-1", "bytes=0-1,3-4", "bytes=a-b", "", "bytes=0-99999999999999999999")),
    *((text, OUTSIDE) for text in (f"bytes=0-{2 * MIN}", f"bytes={2 * MIN}-{2 * MIN + 1}")),
])  # fmt: skip
def test_UploadPartCopy__range_must_be_closed_and_inside(server, root_user, s3, source, value, message):
    upload = s3.create_multipart_upload(Bucket=source, Key="key")["UploadId"]
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/key?partNumber=1&uploadId={upload}", headers=[
        ("x-amz-copy-source", f"{source}/source"), ("x-amz-copy-source-range", value)])  # fmt: skip
    facts = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": value}
    assert reply.refusal() == (400, "InvalidArgument", message, facts)
    assert "Parts" not in s3.list_parts(Bucket=source, Key="key", UploadId=upload)


def test_UploadPartCopy__an_empty_source_has_no_range(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    target, source = f"/{bucket}/key?partNumber=1&uploadId={upload}", ("x-amz-copy-source", f"{bucket}/empty")
    reply = raw.signed(
        server.url, root_user, "PUT", target, headers=[source, ("x-amz-copy-source-range", "bytes=0-0")])
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert raw.signed(server.url, root_user, "PUT", target, headers=[source]).status == 200


@pytest.mark.parametrize("method", ["AES256", "aws:kms"])
def test_upload__encryption_is_asked_for_where_it_begins(server, root_user, s3, source, method):
    """S3 refuses the header on parts and at the end, also when the upload is encrypted that way."""
    upload = s3.create_multipart_upload(Bucket=source, Key="key", ServerSideEncryption=method)["UploadId"]
    part, header = f"/{source}/key?partNumber=1&uploadId={upload}", ("x-amz-server-side-encryption", method)
    listed = f"<Part><PartNumber>1</PartNumber><ETag>{expect.md5_etag(b'part')}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    requests = [("PUT", part, b"part", []), ("PUT", part, b"", [("x-amz-copy-source", f"{source}/source")]),
                ("POST", f"/{source}/key?uploadId={upload}", document, [])]  # fmt: skip
    for verb, target, body, headers in requests:
        reply = raw.signed(server.url, root_user, verb, target, body, [*headers, header])
        assert reply.refusal() == (
            400, "InvalidArgument", "x-amz-server-side-encryption header is not supported for this operation.",
            {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": method})  # fmt: skip
    assert "Parts" not in s3.list_parts(Bucket=source, Key="key", UploadId=upload)
    for verb, target, body, headers in (requests[0], requests[2]):
        assert raw.signed(server.url, root_user, verb, target, body, headers).status == 200
    assert s3.head_object(Bucket=source, Key="key")["ServerSideEncryption"] == method


@pytest.mark.parametrize("body,headers,code", [
    (b"smuggled", [], "InvalidRequest"), (b"", [("Range", "bytes=0-2")], "InvalidArgument")])  # fmt: skip
def test_UploadPartCopy__a_body_and_a_range_of_other_requests_are_refused(
        server, root_user, s3, source, body, headers, code):  # fmt: skip
    upload = s3.create_multipart_upload(Bucket=source, Key="key")["UploadId"]
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/key?partNumber=1&uploadId={upload}", body, [
        ("x-amz-copy-source", f"{source}/source"), *headers])  # fmt: skip
    assert (reply.status, reply.code) == (400, code), reply
    assert "Parts" not in s3.list_parts(Bucket=source, Key="key", UploadId=upload)


@pytest.mark.parametrize("name", [None, "CRC32", "SHA1", "SHA256", "CRC64NVME"])
@pytest.mark.parametrize("span", [None, (0, 8), (1, 2999)], ids=str)
@pytest.mark.parametrize("sealed", [(), ("source",), ("key",), ("source", "key")], ids=str)
def test_UploadPartCopy__values_are_those_of_the_bytes(s3, bucket, name, span, sealed):
    data = expect.noise(3000)
    seal = {key: {"ServerSideEncryption": "AES256"} if key in sealed else {} for key in ("source", "key")}
    expect.multipart_object(s3, bucket, "source", [data], **seal["source"])
    made = {"ChecksumAlgorithm": name} if name else {}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **made, **seal["key"])["UploadId"]
    copied = data if span is None else data[span[0] : span[1] + 1]
    ranged = {} if span is None else {"CopySourceRange": f"bytes={span[0]}-{span[1]}"}
    answer = s3.upload_part_copy(
        Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/source", **ranged)["CopyPartResult"]
    assert answer["ETag"] == expect.md5_etag(copied)
    shown = {key: text for key, text in answer.items() if key.startswith("Checksum")}
    assert shown == ({f"Checksum{name}": algorithms.value(name, copied)} if name else {})
    part = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)["Parts"][0]
    assert (part["ETag"], part["Size"]) == (answer["ETag"], len(copied))
    assert {key: text for key, text in part.items() if key.startswith("Checksum")} == shown
    done = expect.complete(s3, bucket, "key", upload, [{"PartNumber": 1, "ETag": answer["ETag"], **shown}])
    assert done["ETag"] == expect.multipart_etag([copied])
    if name in (None, "CRC64NVME"):
        assert done["ChecksumCRC64NVME"] == algorithms.value("CRC64NVME", copied)
    assert expect.body_of(s3, bucket, "key") == copied


def test_UploadPartCopy__conditions_and_missing_source(s3, source):
    upload = s3.create_multipart_upload(Bucket=source, Key="key")["UploadId"]
    where = {"Bucket": source, "Key": "key", "UploadId": upload, "PartNumber": 1}
    etag = s3.head_object(Bucket=source, Key="source")["ETag"]
    with expect.refused(412, "PreconditionFailed"):
        s3.upload_part_copy(CopySource=f"{source}/source", CopySourceIfMatch='"no"', **where)
    with expect.refused(412, "PreconditionFailed"):
        s3.upload_part_copy(CopySource=f"{source}/source", CopySourceIfNoneMatch=etag, **where)
    with expect.refused(404, "NoSuchKey"):
        s3.upload_part_copy(CopySource=f"{source}/absent", **where)
    with expect.refused(404, "NoSuchUpload"):
        s3.upload_part_copy(CopySource=f"{source}/source", **{**where, "UploadId": "0" * 32})
    s3.upload_part_copy(CopySource=f"{source}/source", CopySourceIfMatch=etag, **where)


def test_UploadPartCopy__source_is_authorised(cloud, alice, source):
    hers = cloud.new_bucket("alice")
    upload = alice.create_multipart_upload(Bucket=hers, Key="key")["UploadId"]
    with expect.refused(403, "AccessDenied"):
        alice.upload_part_copy(
            Bucket=hers, Key="key", UploadId=upload, PartNumber=1, CopySource=f"{source}/source")
    assert "Parts" not in alice.list_parts(Bucket=hers, Key="key", UploadId=upload)


def test_UploadPartCopy__of_a_version(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="source", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="source", Body=b"newer")
    upload = s3.create_multipart_upload(Bucket=versioned, Key="key")["UploadId"]
    answer = s3.upload_part_copy(
        Bucket=versioned, Key="key", UploadId=upload, PartNumber=1,
        CopySource={"Bucket": versioned, "Key": "source", "VersionId": old})  # fmt: skip
    assert answer["CopySourceVersionId"] == old
    expect.complete(s3, versioned, "key", upload, [{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}])
    assert expect.body_of(s3, versioned, "key") == b"old"


def test_multipart__other_users_are_refused(s3, alice, anyone, bucket):
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"data"])
    for client in (alice, anyone):
        for call in (
            lambda: client.create_multipart_upload(Bucket=bucket, Key="key"),
            lambda: client.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"x"),
            lambda: client.list_parts(Bucket=bucket, Key="key", UploadId=upload),
            lambda: client.list_multipart_uploads(Bucket=bucket),
            lambda: client.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload),
            lambda: expect.complete(client, bucket, "key", upload, listed),
        ):
            with expect.refused(403, "AccessDenied"):
                call()
    expect.complete(s3, bucket, "key", upload, listed)
