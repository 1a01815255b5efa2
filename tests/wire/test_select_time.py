# SPDX-License-Identifier: Apache-2.0
"""S3 Select and time: UTCNOW is what the store's clock shows when the query begins.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-date.html
"""

import datetime

from sdk.cloud import Cloud


def now(s3):
    reply = s3.select_object_content(
        Bucket="times", Key="key", Expression="SELECT UTCNOW(), UTCNOW() FROM S3Object", ExpressionType="SQL",
        InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})  # fmt: skip
    rows = b"".join(event["Records"]["Payload"] for event in reply["Payload"] if "Records" in event)
    told = set(rows.decode().replace("\n", ",").rstrip(",").split(","))
    assert len(told) == 1  # of all records
    return datetime.datetime.fromisoformat(told.pop().replace("Z", "+00:00"))


def test_SelectObjectContent__utcnow_is_the_clock_of_the_store(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="times")
    s3.put_object(Bucket="times", Key="key", Body=b"1\n2\n3\n")
    with server.clock.stands():
        before = now(s3)
        server.clock.advance(61)
        assert now(s3) - before == datetime.timedelta(seconds=61)
