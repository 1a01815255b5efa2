# SPDX-License-Identifier: Apache-2.0
"""Preconditions of writes: PutObject, CopyObject, CompleteMultipartUpload, DeleteObject(s).

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
"""

import datetime

import pytest

from sdk import expect
from wire import raw

WRONG = '"00000000000000000000000000000000"'


def put(s3, bucket, key, body, **conditions):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **conditions)


def copy(s3, bucket, key, body, **conditions):
    s3.put_object(Bucket=bucket, Key="source-of-copies", Body=body)
    return s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/source-of-copies", **conditions)


def multipart(s3, bucket, key, body, **conditions):
    upload, listed = expect.upload_parts(s3, bucket, key, [body])
    return expect.complete(s3, bucket, key, upload, listed, **conditions)


@pytest.fixture(params=[put, copy, multipart])
def write(request):
    return request.param


# ---- If-None-Match --------------------------------------------------------------------------------


def test_conditional_write__if_none_match_star(s3, bucket, write):
    write(s3, bucket, "key", b"first", IfNoneMatch="*")
    with expect.refused(412, "PreconditionFailed") as answer:
        write(s3, bucket, "key", b"second", IfNoneMatch="*")
    assert answer["Error"]["Condition"] == "If-None-Match"
    assert expect.body_of(s3, bucket, "key") == b"first"


def test_conditional_write__a_deleted_key_counts_as_absent(s3, bucket, write):
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    s3.delete_object(Bucket=bucket, Key="key")
    write(s3, bucket, "key", b"new", IfNoneMatch="*")
    assert expect.body_of(s3, bucket, "key") == b"new"


def test_conditional_write__a_delete_marker_counts_as_absent(s3, versioned, write):
    s3.put_object(Bucket=versioned, Key="key", Body=b"old")
    s3.delete_object(Bucket=versioned, Key="key")
    write(s3, versioned, "key", b"new", IfNoneMatch="*")
    assert expect.body_of(s3, versioned, "key") == b"new"
    with expect.refused(412, "PreconditionFailed"):
        write(s3, versioned, "key", b"newer", IfNoneMatch="*")


def test_conditional_write__if_match_on_a_delete_marker_is_404(s3, versioned, write):
    etag = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["ETag"]
    s3.delete_object(Bucket=versioned, Key="key")
    with expect.refused(404, "NoSuchKey"):
        write(s3, versioned, "key", b"new", IfMatch=etag)


# ---- If-Match -------------------------------------------------------------------------------------


def test_conditional_write__if_match(s3, bucket, write):
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["ETag"]
    with expect.refused(412, "PreconditionFailed") as answer:
        write(s3, bucket, "key", b"bad", IfMatch=WRONG)
    assert answer["Error"]["Condition"] == "If-Match"
    assert expect.body_of(s3, bucket, "key") == b"first"
    write(s3, bucket, "key", b"second", IfMatch=etag)
    assert expect.body_of(s3, bucket, "key") == b"second"
    with expect.refused(412, "PreconditionFailed"):
        write(s3, bucket, "key", b"third", IfMatch=etag)


def test_conditional_write__if_match_without_quotes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["ETag"].strip('"')
    s3.put_object(Bucket=bucket, Key="key", Body=b"second", IfMatch=etag)
    assert expect.body_of(s3, bucket, "key") == b"second"


def test_conditional_write__if_match_on_a_missing_key_is_404(s3, bucket, write):
    with expect.refused(404, "NoSuchKey"):
        write(s3, bucket, "absent", b"new", IfMatch=WRONG)
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="absent")


def test_conditional_write__if_match_of_a_multipart_etag(s3, bucket):
    etag = expect.multipart_object(s3, bucket, "key", [b"part"])["ETag"]
    assert etag.endswith('-1"')
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch=etag)


# Other values than these two forms are NotImplemented on S3.
VALUE = "We don't accept the provided value of {} header for this API"
MULTIPLE = "Multiple conditional request headers present in the request"


@pytest.mark.parametrize("conditions,header,why", [
    ({"IfNoneMatch": WRONG}, "If-None-Match", VALUE), ({"IfMatch": "*"}, "If-Match", VALUE),
    ({"IfMatch": WRONG, "IfNoneMatch": "*"}, "If-Match,If-None-Match", MULTIPLE),
    ({"IfMatch": WRONG, "IfNoneMatch": WRONG}, "If-Match,If-None-Match", MULTIPLE),
    ({"IfMatch": "*", "IfNoneMatch": "*"}, "If-Match,If-None-Match", MULTIPLE),
], ids=["If-None-Match etag", "If-Match star", "both", "both etags", "both stars"])  # fmt: skip
def test_conditional_write__forms_s3_does_not_have(s3, bucket, write, conditions, header, why):
    s3.put_object(Bucket=bucket, Key="key", Body=b"first")
    with expect.refused(501, "NotImplemented") as answer:
        write(s3, bucket, "key", b"second", **conditions)
    error = answer["Error"]
    assert error["Message"] == "A header you provided implies functionality that is not implemented"
    assert (error["Header"], error["additionalMessage"]) == (header, why.format(header))
    assert expect.body_of(s3, bucket, "key") == b"first"


def test_conditional_write__refused_complete_keeps_the_upload(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"there")
    upload, listed = expect.upload_parts(s3, bucket, "key", [b"part"])
    with expect.refused(412, "PreconditionFailed"):
        expect.complete(s3, bucket, "key", upload, listed, IfNoneMatch="*")
    expect.complete(s3, bucket, "key", upload, listed)
    assert expect.body_of(s3, bucket, "key") == b"part"


# ---- the key changes while an upload is open --------------------------------------------------------

CONFLICT = "The conditional request cannot succeed due to a conflicting operation against this resource."


def conflicts(s3, bucket, upload, listed, condition, **conditions):
    with expect.refused(409, "ConditionalRequestConflict") as answer:
        expect.complete(s3, bucket, "key", upload, listed, **conditions)
    error = answer["Error"]
    assert (error["Message"], error["Condition"], error["Key"]) == (CONFLICT, condition, "key")


@pytest.fixture(params=["bucket", "versioned"])
def kept(request):
    return request.getfixturevalue(request.param)


def test_CompleteMultipartUpload__if_none_match_after_a_delete_conflicts(s3, kept):
    s3.put_object(Bucket=kept, Key="key", Body=b"there")
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    with expect.refused(412, "PreconditionFailed"):
        expect.complete(s3, kept, "key", upload, listed, IfNoneMatch="*")
    s3.delete_object(Bucket=kept, Key="key")
    for _ in range(2):
        conflicts(s3, kept, upload, listed, "If-None-Match", IfNoneMatch="*")
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    expect.complete(s3, kept, "key", upload, listed, IfNoneMatch="*")
    assert expect.body_of(s3, kept, "key") == b"part"


def test_CompleteMultipartUpload__if_none_match_after_a_put_and_a_delete_conflicts(s3, kept):
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    s3.put_object(Bucket=kept, Key="key", Body=b"there")
    s3.delete_objects(Bucket=kept, Delete={"Objects": [{"Key": "key"}]})
    conflicts(s3, kept, upload, listed, "If-None-Match", IfNoneMatch="*")


@pytest.mark.parametrize("again", [b"first", b"second"])
def test_CompleteMultipartUpload__if_match_after_a_put_conflicts(s3, kept, again):
    s3.put_object(Bucket=kept, Key="key", Body=b"first")
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    etag = s3.put_object(Bucket=kept, Key="key", Body=again)["ETag"]
    conflicts(s3, kept, upload, listed, "If-Match", IfMatch=etag)
    with expect.refused(412, "PreconditionFailed"):
        expect.complete(s3, kept, "key", upload, listed, IfMatch=WRONG)
    assert expect.body_of(s3, kept, "key") == again
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    expect.complete(s3, kept, "key", upload, listed, IfMatch=etag)


def test_CompleteMultipartUpload__if_match_after_a_delete_and_the_same_put_conflicts(s3, kept):
    etag = s3.put_object(Bucket=kept, Key="key", Body=b"first")["ETag"]
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    s3.delete_object(Bucket=kept, Key="key")
    with expect.refused(404, "NoSuchKey"):
        expect.complete(s3, kept, "key", upload, listed, IfMatch=etag)
    s3.put_object(Bucket=kept, Key="key", Body=b"first")
    conflicts(s3, kept, upload, listed, "If-Match", IfMatch=etag)


def test_CompleteMultipartUpload__without_a_condition_nothing_conflicts(s3, kept):
    s3.put_object(Bucket=kept, Key="key", Body=b"first")
    upload, listed = expect.upload_parts(s3, kept, "key", [b"part"])
    s3.delete_object(Bucket=kept, Key="key")
    s3.put_object(Bucket=kept, Key="key", Body=b"second")
    expect.complete(s3, kept, "key", upload, listed)
    assert expect.body_of(s3, kept, "key") == b"part"


# ---- races ----------------------------------------------------------------------------------------


@pytest.mark.tsan
def test_conditional_write__one_of_many_creators_wins(s3, bucket, write):
    for n in range(3):
        results = expect.at_once(8, lambda i: write(s3, bucket, f"key{n}", b"%d" % i, IfNoneMatch="*"))
        won = [i for i, result in enumerate(results) if isinstance(result, dict)]
        assert len(won) == 1, results
        for result in results:
            if not isinstance(result, dict):
                assert result.response["Error"]["Code"] == "PreconditionFailed"
        if write is not copy:
            assert expect.body_of(s3, bucket, f"key{n}") == b"%d" % won[0]


@pytest.mark.tsan
def test_conditional_write__counter_by_compare_and_swap_loses_nothing(s3, bucket):
    s3.put_object(Bucket=bucket, Key="counter", Body=b"0")

    def add(_):
        done = 0
        while done < 5:
            got = s3.get_object(Bucket=bucket, Key="counter")
            value = b"%d" % (int(got["Body"].read()) + 1)
            try:
                s3.put_object(Bucket=bucket, Key="counter", Body=value, IfMatch=got["ETag"])
                done += 1
            except s3.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"

    assert expect.at_once(4, add) == [None] * 4
    assert expect.body_of(s3, bucket, "counter") == b"20"


# ---- deletes --------------------------------------------------------------------------------------


def test_DeleteObject__if_match(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"data")["ETag"]
    with expect.refused(412, "PreconditionFailed"):
        s3.delete_object(Bucket=bucket, Key="key", IfMatch=WRONG)
    assert expect.body_of(s3, bucket, "key") == b"data"
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=etag)
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="key")


def test_DeleteObject__if_match_star_means_it_exists(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    s3.delete_object(Bucket=bucket, Key="key", IfMatch="*")
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="key")


def test_DeleteObject__if_match_size_and_time(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    modified = s3.head_object(Bucket=bucket, Key="key")["LastModified"]
    with expect.refused(412, "PreconditionFailed"):
        s3.delete_object(Bucket=bucket, Key="key", IfMatchSize=5)
    with expect.refused(412, "PreconditionFailed"):
        s3.delete_object(
            Bucket=bucket, Key="key", IfMatchLastModifiedTime=modified - datetime.timedelta(seconds=10))
    s3.delete_object(Bucket=bucket, Key="key", IfMatchSize=4, IfMatchLastModifiedTime=modified)
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="key")


def test_DeleteObject__if_match_in_a_versioned_bucket(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["ETag"]
    new = s3.put_object(Bucket=versioned, Key="key", Body=b"new")["ETag"]
    with expect.refused(412, "PreconditionFailed"):
        s3.delete_object(Bucket=versioned, Key="key", IfMatch=old)
    assert s3.delete_object(Bucket=versioned, Key="key", IfMatch=new)["DeleteMarker"] is True


def test_DeleteObjects__condition_per_key(s3, bucket):
    etags = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in "abcd"}
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "a", "ETag": etags["a"]}, {"Key": "b", "ETag": etags["a"]},
        {"Key": "c", "Size": 1}, {"Key": "d", "Size": 2},
    ]})  # fmt: skip
    assert sorted(item["Key"] for item in answer["Deleted"]) == ["a", "c"]
    assert sorted((item["Key"], item["Code"]) for item in answer["Errors"]) == [
        ("b", "PreconditionFailed"), ("d", "PreconditionFailed")]  # fmt: skip
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["b", "d"]


@pytest.mark.parametrize("name,value", [
    ("x-amz-if-match-size", "-1"), ("x-amz-if-match-size", "x"), ("x-amz-if-match-last-modified-time", "yesterday"),
])  # fmt: skip
def test_DeleteObject__malformed_condition(server, root_user, s3, bucket, name, value):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    reply = raw.signed(server.url, root_user, "DELETE", f"/{bucket}/key", headers=[(name, value)])
    assert reply.status == 400, reply
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_PutObject__write_offset_is_not_implemented(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    reply = raw.signed(
        server.url, root_user, "PUT", f"/{bucket}/key", b"more", [("x-amz-write-offset-bytes", "4")])
    assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    assert expect.body_of(s3, bucket, "key") == b"data"
