# SPDX-License-Identifier: Apache-2.0
"""RenameObject as boto3 sends it: with a token of its own on every call.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
"""

import datetime

from sdk import expect
from test_events import names, told

DAY = datetime.timedelta(days=1)


def test_RenameObject__is_one_call(s3, bucket):
    s3.put_object(Bucket=bucket, Key="old", Body=b"data", Metadata={"a": "1"})
    before = s3.head_object(Bucket=bucket, Key="old")
    s3.rename_object(Bucket=bucket, Key="new", RenameSource="old")
    after = s3.get_object(Bucket=bucket, Key="new")
    assert (after["Body"].read(), after["Metadata"], after["ETag"], after["LastModified"]) == (
        b"data", {"a": "1"}, before["ETag"], before["LastModified"])  # fmt: skip
    with expect.refused(404, "NoSuchKey"):
        s3.rename_object(Bucket=bucket, Key="newer", RenameSource="old")


def test_RenameObject__all_conditions_hold_or_nothing_moves(s3, bucket):
    etags = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in ("old", "new")}
    now = s3.head_object(Bucket=bucket, Key="new")["LastModified"]
    for_source = {"SourceIfMatch": etags["old"], "SourceIfNoneMatch": etags["new"], "SourceIfModifiedSince": now - DAY,
                  "SourceIfUnmodifiedSince": now + DAY}  # fmt: skip
    for_target = {"DestinationIfMatch": etags["new"], "DestinationIfModifiedSince": now - DAY,
                  "DestinationIfUnmodifiedSince": now + DAY}  # fmt: skip
    with expect.refused(412, "PreconditionFailed"):
        s3.rename_object(Bucket=bucket, Key="new", RenameSource="old", **for_source, **for_target | {
            "DestinationIfMatch": etags["old"]})  # fmt: skip
    with expect.refused(412, "PreconditionFailed"):
        s3.rename_object(Bucket=bucket, Key="new", RenameSource="old", DestinationIfNoneMatch="*")
    s3.rename_object(Bucket=bucket, Key="new", RenameSource="old", **for_source, **for_target)
    assert s3.get_object(Bucket=bucket, Key="new")["Body"].read() == b"old"


def test_RenameObject__a_token_given_twice(s3, bucket):
    s3.put_object(Bucket=bucket, Key="old", Body=b"1")
    for _ in range(2):
        s3.rename_object(Bucket=bucket, Key="new", RenameSource="old", ClientToken="token")
    with expect.refused(400, "IdempotencyParameterMismatch"):
        s3.rename_object(Bucket=bucket, Key="newer", RenameSource="new", ClientToken="token")
    assert s3.get_object(Bucket=bucket, Key="new")["Body"].read() == b"1"


def test_RenameObject__is_told_as_one_key_that_came_and_one_that_went(tmp_path):
    with told(tmp_path) as (s3, events):
        s3.put_object(Bucket="bucket", Key="old", Body=b"x")
        for _ in range(2):
            s3.rename_object(Bucket="bucket", Key="new", RenameSource="old", ClientToken="token")
    assert names(events) == [("ObjectCreated:Put", "old"), ("ObjectCreated:Copy", "new"), ("ObjectRemoved:Delete", "old")]
