# SPDX-License-Identifier: Apache-2.0
"""What the server tells subscribers of the store: one row beside each change, named as S3 names it.

A row in the catalog of a stopped store subscribes; its buckets have notifications, without which nothing is told.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
"""

import contextlib
import sqlite3

import pytest
from test_program import run, serving
from wire import process, raw


def subscribe(directory):
    with contextlib.closing(sqlite3.connect(directory / "catalog.db")) as catalog:
        catalog.execute("INSERT INTO subscriber(name, done) VALUES(x'74657374', 0)")
        catalog.commit()


def events_of(directory):
    with contextlib.closing(sqlite3.connect(directory / "catalog.db")) as catalog:
        catalog.row_factory = sqlite3.Row
        return [dict(row) for row in catalog.execute("SELECT * FROM event ORDER BY id")]


@contextlib.contextmanager
def told(tmp_path):
    """A server with a subscriber, its client, and a list that has the events once it has stopped."""
    settings = tmp_path / "pail.conf"
    settings.write_text("\n".join(process.TARGET))
    with serving(tmp_path, "--buckets", "bucket,versions", "--config", settings) as server:
        for bucket in ("bucket", "versions"):
            server.client().put_bucket_notification_configuration(
                Bucket=bucket, SkipDestinationValidation=True, NotificationConfiguration={"QueueConfigurations": [
                    {"QueueArn": process.TARGET[1].partition(" = ")[2], "Events": ["s3:ObjectAcl:Put"]}]})  # fmt: skip
        assert server.stop() == 0
    subscribe(server.directory)
    events = []
    with serving(tmp_path, "--config", settings) as server:
        yield server.client(), events
        assert server.stop() == 0
    events += events_of(server.directory)
    assert run("fsck", server.directory).returncode == 0


def names(events):
    return [(row["name"].decode(), row["key"].decode()) for row in events]


def test_events__each_change_is_told_by_the_name_s3_has_for_it(tmp_path):
    with told(tmp_path) as (s3, events):
        s3.put_object(Bucket="bucket", Key="put", Body=b"x")
        post = s3.generate_presigned_post(Bucket="bucket", Key="form")
        body, content_type = raw.form_body(list(post["fields"].items()), b"x", filename="f")
        reply = raw.anonymous(s3.meta.endpoint_url, "POST", "/bucket", body, [("Content-Type", content_type)])
        assert reply.status == 204, reply
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/put")
        upload = s3.create_multipart_upload(Bucket="bucket", Key="whole")["UploadId"]
        etag = s3.upload_part(Bucket="bucket", Key="whole", UploadId=upload, PartNumber=1, Body=b"p")["ETag"]
        s3.complete_multipart_upload(Bucket="bucket", Key="whole", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": etag}]})  # fmt: skip
        s3.put_object_tagging(Bucket="bucket", Key="put", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        s3.delete_object_tagging(Bucket="bucket", Key="put")
        s3.put_object_acl(Bucket="bucket", Key="put", ACL="public-read")
        s3.put_object_acl(Bucket="bucket", Key="put", ACL="public-read")  # no change
        s3.delete_object(Bucket="bucket", Key="put")
        s3.delete_object(Bucket="bucket", Key="put")  # not there any more
        s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "copy"}, {"Key": "whole"}, {"Key": "no"}]})
    assert names(events) == [
        ("ObjectCreated:Put", "put"),
        ("ObjectCreated:Post", "form"),
        ("ObjectCreated:Copy", "copy"),
        ("ObjectCreated:CompleteMultipartUpload", "whole"),
        ("ObjectTagging:Put", "put"),
        ("ObjectTagging:Delete", "put"),
        ("ObjectAcl:Put", "put"),
        ("ObjectRemoved:Delete", "put"),
        ("ObjectRemoved:Delete", "copy"),
        ("ObjectRemoved:Delete", "whole"),
    ]


def test_events__what_is_refused_or_no_object_is_not_told(tmp_path):
    with told(tmp_path) as (s3, events):
        upload = s3.create_multipart_upload(Bucket="bucket", Key="m")["UploadId"]
        s3.abort_multipart_upload(Bucket="bucket", Key="m", UploadId=upload)
        s3.put_bucket_tagging(Bucket="bucket", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        s3.create_bucket(Bucket="other")
        s3.delete_bucket(Bucket="other")
        with pytest.raises(s3.exceptions.ClientError):
            s3.put_object(Bucket="bucket", Key="k", Body=b"x", IfMatch='"00000000000000000000000000000000"')
    assert names(events) == []


def test_events__versions_and_markers_are_told_by_their_ids(tmp_path):
    with told(tmp_path) as (s3, events):
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        first = s3.put_object(Bucket="versions", Key="k", Body=b"one")["VersionId"]
        marker = s3.delete_object(Bucket="versions", Key="k")["VersionId"]
        s3.delete_object(Bucket="versions", Key="k", VersionId=first)
        s3.delete_objects(Bucket="versions", Delete={"Objects": [{"Key": "k", "VersionId": marker}, {"Key": "k"}]})
    assert [(row["name"].decode(), row["version_id"].decode()) for row in events[:4]] == [
        ("ObjectCreated:Put", first),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", first),
        ("ObjectRemoved:Delete", marker),
    ]
    assert [row["name"] for row in events[4:]] == [b"ObjectRemoved:DeleteMarkerCreated"]


def test_events__an_event_says_where_it_comes_from(tmp_path):
    with told(tmp_path) as (s3, events):
        reply = s3.put_object(Bucket="bucket", Key="k", Body=b"four")
        head = s3.head_object(Bucket="bucket", Key="k")
        owner = s3.list_buckets()["Owner"]["ID"]
    row = events[0]
    assert row["bucket_name"] == b"bucket"
    assert row["size"] == 4
    assert row["etag"].decode() == reply["ETag"].strip('"')
    assert row["version_id"] is None
    assert row["time_us"] // 1_000_000 == int(head["LastModified"].timestamp())
    assert row["request_id"].decode() == reply["ResponseMetadata"]["RequestId"]
    assert row["principal"].decode() == owner
    assert row["address"] == b"127.0.0.1"
