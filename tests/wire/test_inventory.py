# SPDX-License-Identifier: Apache-2.0
"""Inventories: what is reported of a bucket's objects, where to, and when.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import base64
import csv
import datetime
import gzip
import hashlib
import itertools
import json
import re

import boto3
import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw
from wire.test_access_logs import policy_for

DAY_S = 24 * 3600
ALL_FIELDS = sorted(boto3.client("s3", "us-east-1").meta.service_model.shape_for("InventoryOptionalField").enum)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose clock the tests move."""
    server = process.Server(tmp_path_factory.mktemp("inventory"))
    yield server
    server.stop()


@pytest.fixture
def client(own):
    return Cloud(own).client()


class Reported:
    """A bucket, the one its reports come to, and a configuration."""

    def __init__(self, own, client, versioned=False, policy=True):
        number = next(numbers)
        self.own, self.client = own, client
        self.bucket, self.target = f"source-{number}", f"reports-{number}"
        client.create_bucket(Bucket=self.bucket)
        client.create_bucket(Bucket=self.target)
        if versioned:
            client.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        if policy:
            self.allow()

    def allow(self, **condition):
        self.client.put_bucket_policy(Bucket=self.target, Policy=policy_for(self.target, service="s3.amazonaws.com", **condition))

    def put(self, id_="all", fields=(), versions="Current", frequency="Daily", enabled=True, prefix=None, place=()):
        whole = {"Id": id_, "IsEnabled": enabled, "IncludedObjectVersions": versions, "Schedule": {"Frequency": frequency},
                 "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{self.target}", "Format": "CSV", "Prefix": "to", **dict(place)}}}  # fmt: skip
        if fields:
            whole["OptionalFields"] = list(fields)
        if prefix is not None:
            whole["Filter"] = {"Prefix": prefix}
        self.client.put_bucket_inventory_configuration(Bucket=self.bucket, Id=id_, InventoryConfiguration=whole)

    def manifests(self, id_="all"):
        """Keys of the whole ones, which have their checksums."""
        keys = expect.keys_of(self.client.list_objects_v2(Bucket=self.target))
        return [key.replace(".checksum", ".json") for key in keys if f"/{id_}/" in key and key.endswith("/manifest.checksum")]

    def wait(self, id_="all", count=1):
        return process.until(lambda: found if len(found := self.manifests(id_)) >= count else None,
                             lambda: f"{id_} of {self.bucket}\n{self.own.stderr()[-5000:]}")  # fmt: skip

    def read(self, key):
        return expect.body_of(self.client, self.target, key)

    def rows(self, manifest_key):
        """Of a report, by the names of its schema."""
        manifest = json.loads(self.read(manifest_key))
        names = manifest["fileSchema"].split(", ")
        rows = []
        for file in manifest["files"]:
            packed = self.read(file["key"])
            assert (len(packed), hashlib.md5(packed).hexdigest()) == (file["size"], file["MD5checksum"])
            rows += [dict(zip(names, row, strict=True)) for row in csv.reader(gzip.decompress(packed).decode().splitlines())]
        return rows

    def report(self, id_="all"):
        return self.rows(self.wait(id_)[-1])

    def lost(self, why):
        said = rf"inventory: bucket={self.bucket} id=\S+ destination={self.target} not delivered: {why}"
        return process.until(lambda: re.search(said, self.own.stderr()), lambda: f"{said}\n{self.own.stderr()}")


@pytest.fixture
def reported(own, client):
    return Reported(own, client)


# ---- reports -----------------------------------------------------------------------------------------


def test_inventory__a_report_as_it_is_laid_out(client, reported):
    client.put_object(Bucket=reported.bucket, Key="a b/ü\"+", Body=b"12345")
    client.put_object(Bucket=reported.bucket, Key="c", Body=b"")
    reported.put(fields=["Size", "ETag"])
    (key,) = reported.wait()
    folder = f"to/{reported.bucket}/all"
    assert re.fullmatch(rf"{folder}/\d{{4}}-\d\d-\d\dT00-00Z/manifest.json", key)
    text = reported.read(key)
    assert reported.read(key.replace(".json", ".checksum")).decode() == hashlib.md5(text).hexdigest()
    manifest = json.loads(text)
    assert list(manifest) == ["sourceBucket", "destinationBucket", "version", "creationTimestamp", "fileFormat", "fileSchema", "files"]
    assert manifest["sourceBucket"] == reported.bucket and manifest["destinationBucket"] == f"arn:aws:s3:::{reported.target}"
    assert (manifest["version"], manifest["fileFormat"], manifest["fileSchema"]) == ("2016-11-30", "CSV", "Bucket, Key, Size, ETag")
    assert re.fullmatch(r"\d{13}", manifest["creationTimestamp"])
    assert re.fullmatch(rf"{folder}/data/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\.csv\.gz", manifest["files"][0]["key"])
    lines = gzip.decompress(reported.read(manifest["files"][0]["key"])).decode()
    assert lines == (f'"{reported.bucket}","a+b/%C3%BC%22%2B","5","827ccb0eea8a706c4c34a16891f84e7b"\n'
                     f'"{reported.bucket}","c","0","d41d8cd98f00b204e9800998ecf8427e"\n')  # fmt: skip


def test_inventory__of_all_versions(own, client):
    reported = Reported(own, client, versioned=True)
    old = client.put_object(Bucket=reported.bucket, Key="k", Body=b"1")["VersionId"]
    new = client.put_object(Bucket=reported.bucket, Key="k", Body=b"22")["VersionId"]
    marker = client.delete_object(Bucket=reported.bucket, Key="k")["VersionId"]
    client.put_object(Bucket=reported.bucket, Key="l", Body=b"333")
    reported.put("every", ["Size"], versions="All")
    assert [(row["VersionId"], row["IsLatest"], row["IsDeleteMarker"], row["Size"]) for row in reported.report("every")[:3]] == [
        (marker, "true", "true", ""), (new, "false", "false", "2"), (old, "false", "false", "1")]  # fmt: skip
    reported.put("current", ["Size"])
    assert [(row["Key"], row["Size"]) for row in reported.report("current")] == [("l", "3")]


def test_inventory__every_field(own, client):
    reported = Reported(own, client)
    client.put_object(Bucket=reported.bucket, Key="plain", Body=b"12345", ACL="public-read", StorageClass="STANDARD_IA")
    client.put_object(Bucket=reported.bucket, Key="sealed", Body=b"1", ServerSideEncryption="aws:kms", BucketKeyEnabled=True, ChecksumAlgorithm="SHA256")
    expect.multipart_object(client, reported.bucket, "whole", [b"x"])
    reported.put(fields=ALL_FIELDS)
    plain, sealed, whole = reported.report()
    assert set(plain) == {"Bucket", "Key", *ALL_FIELDS}
    owner = client.get_bucket_acl(Bucket=reported.bucket)["Owner"]["ID"]
    head = client.head_object(Bucket=reported.bucket, Key="plain")
    assert plain["LastModifiedDate"].startswith(head["LastModified"].strftime("%Y-%m-%dT%H:%M:%S.")) and plain["LastModifiedDate"].endswith("Z")
    assert (plain["StorageClass"], plain["ObjectOwner"], plain["IsMultipartUploaded"]) == ("STANDARD_IA", owner, "false")
    assert [row["EncryptionStatus"] for row in (plain, sealed)] == ["NOT-SSE", "SSE-KMS"]
    assert [row["BucketKeyStatus"] for row in (plain, sealed)] == ["DISABLED", "ENABLED"]
    assert sealed["ChecksumAlgorithm"] == "SHA256" and whole["IsMultipartUploaded"] == "true"
    acl = json.loads(base64.b64decode(plain["ObjectAccessControlList"]))
    assert (acl["version"], acl["status"]) == ("2022-11-10", "AVAILABLE")
    assert {(grant.get("canonicalId", grant.get("uri")), grant["permission"]) for grant in acl["grants"]} == {
        (owner, "FULL_CONTROL"), ("http://acs.amazonaws.com/groups/global/AllUsers", "READ")}  # fmt: skip
    assert (plain["ObjectLockMode"], plain["ObjectLockRetainUntilDate"], plain["ObjectLockLegalHoldStatus"]) == ("", "", "Off")


def test_inventory__when_a_lifecycle_rule_ends_it(own, client, reported):
    for key, more in (("short", {"Tagging": "keep=no"}), ("long", {})):
        client.put_object(Bucket=reported.bucket, Key=key, Body=b"", **more)
    client.put_bucket_lifecycle_configuration(Bucket=reported.bucket, LifecycleConfiguration={"Rules": [
        {"ID": "r", "Status": "Enabled", "Filter": {"Tag": {"Key": "keep", "Value": "no"}}, "Expiration": {"Days": 7}}]})  # fmt: skip
    reported.put(fields=["LifecycleExpirationDate", "LastModifiedDate"])
    rows = {row["Key"]: row for row in reported.report()}
    made = datetime.date.fromisoformat(rows["short"]["LastModifiedDate"][:10])
    assert rows["short"]["LifecycleExpirationDate"] == f"{made + datetime.timedelta(days=8)}T00:00:00.000Z"
    assert rows["long"]["LifecycleExpirationDate"] == ""


def test_inventory__of_locked_versions(own, client):
    reported = Reported(own, client)
    bucket = f"locked-{reported.bucket}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    reported.bucket = bucket
    client.put_object(Bucket=bucket, Key="k", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate="2099-01-02T03:04:05Z",
                      ObjectLockLegalHoldStatus="ON")  # fmt: skip
    reported.put(fields=[name for name in ALL_FIELDS if name.startswith("ObjectLock")], versions="All")
    (row,) = reported.report()
    assert (row["ObjectLockMode"], row["ObjectLockRetainUntilDate"], row["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "2099-01-02T03:04:05.000Z", "On")


def test_inventory__of_a_prefix_and_of_nothing(client, reported):
    for key in ("a/1", "a/2", "b/1"):
        client.put_object(Bucket=reported.bucket, Key=key, Body=b"")
    reported.put("some", prefix="a/")
    reported.put("none", prefix="c/")
    assert [row["Key"] for row in reported.report("some")] == ["a/1", "a/2"]
    assert json.loads(reported.read(reported.wait("none")[0]))["files"] == []


def test_inventory__of_more_than_a_page(own, client, reported):
    keys = [f"key-{number:05}" for number in range(2500)]
    raw.put_many(own.url, own.users["root"], reported.bucket, keys)
    reported.put(fields=["EncryptionStatus"])
    assert [row["Key"] for row in reported.report()] == keys


def test_inventory__without_a_prefix_and_encrypted(client, reported):
    client.put_object(Bucket=reported.bucket, Key="k", Body=b"")
    for id_, sse, method in (("s3", {"SSES3": {}}, "AES256"), ("kms", {"SSEKMS": {"KeyId": "alias/mine"}}, "aws:kms")):
        reported.put(id_, place={"Encryption": sse, "Prefix": ""})
        (key,) = reported.wait(id_)
        assert key.startswith(f"{reported.bucket}/{id_}/")
        for name in (key, json.loads(reported.read(key))["files"][0]["key"]):
            assert client.head_object(Bucket=reported.target, Key=name)["ServerSideEncryption"] == method


# ---- who may -----------------------------------------------------------------------------------------


def test_inventory__needs_a_policy_and_comes_once_there_is_one(own, client):
    reported = Reported(own, client, policy=False)
    reported.put()
    reported.lost("s3:PutObject: the bucket's ACL gives no WRITE")
    client.put_bucket_policy(Bucket=reported.target, Policy=policy_for(reported.target))  # of log delivery
    reported.allow(StringEquals={"aws:SourceAccount": "000000000000", "s3:x-amz-acl": "bucket-owner-full-control"},
                   ArnLike={"aws:SourceArn": f"arn:aws:s3:::{reported.bucket}"})  # fmt: skip
    assert len(reported.wait()) == 1


def test_inventory__is_not_for_another_bucket_s_policy(own, client):
    reported = Reported(own, client, policy=False)
    reported.allow(ArnLike={"aws:SourceArn": "arn:aws:s3:::another"})
    reported.put()
    reported.lost("s3:PutObject")


def test_inventory__to_another_account(own, client):
    reported = Reported(own, client, policy=False)
    alice = Cloud(own).client("alice")
    reported.target = f"alices-{reported.target}"
    alice.create_bucket(Bucket=reported.target)
    alice.put_bucket_policy(Bucket=reported.target, Policy=policy_for(reported.target, service="s3.amazonaws.com"))
    reported.put("other", place={"AccountId": "111122223333"})
    reported.lost("it is another account's")
    reported.client = alice
    client.put_bucket_inventory_configuration(Bucket=reported.bucket, Id="any", InventoryConfiguration={
        "Id": "any", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{reported.target}", "Format": "CSV"}}})  # fmt: skip
    (key,) = reported.wait("any")
    owner = alice.get_bucket_acl(Bucket=reported.target)["Owner"]["ID"]
    assert (owner, "FULL_CONTROL") in {(grant["Grantee"]["ID"], grant["Permission"])
                                       for grant in alice.get_object_acl(Bucket=reported.target, Key=key)["Grants"]}  # fmt: skip


def test_inventory__to_a_bucket_that_is_not_there_yet(own, client):
    reported = Reported(own, client)
    reported.target = f"later-{reported.target}"
    reported.put()
    reported.lost("there is no such bucket")
    client.create_bucket(Bucket=reported.target)
    reported.allow()
    assert len(reported.wait()) == 1


# ---- when --------------------------------------------------------------------------------------------


def at(own, when):
    """The wall hand is put there."""
    own.clock.move("set", int(when * 1_000_000))


def test_inventory__comes_each_day_and_each_week(tmp_path):
    own = process.Server(tmp_path)
    client = Cloud(own).client()
    reported = Reported(own, client)
    tuesday = int(raw.now().timestamp()) // (7 * DAY_S) * 7 * DAY_S + 5 * DAY_S
    reported.put("off", enabled=False)
    reported.put("daily")
    reported.put("weekly", frequency="Weekly")
    for id_ in ("daily", "weekly"):
        reported.wait(id_)
    for key in reported.manifests("daily") + reported.manifests("weekly"):
        client.delete_object(Bucket=reported.target, Key=key.replace(".json", ".checksum"))
    for day in range(8):
        at(own, tuesday + day * DAY_S + 3600)
        for id_, count in (("daily", day + 1), ("weekly", 1 if day < 5 else 2)):  # the Sunday is the sixth
            process.until(lambda: len(found) >= count if (found := listed(reported, id_, tuesday + day * DAY_S)) else False)  # noqa: B023
            assert len(listed(reported, id_, tuesday + day * DAY_S)) == count
    assert listed(reported, "off", tuesday + 7 * DAY_S) == []
    own.stop()


def listed(reported, id_, when):
    """Signed for a server whose clock is there."""
    request = raw.Request("GET", f"/{reported.target}?list-type=2&prefix=to/{reported.bucket}/{id_}/", [("Host", raw.host_of(reported.own.url))])
    raw.sign_v4(request, reported.own.users["root"], when=datetime.datetime.fromtimestamp(when + 3600, datetime.timezone.utc))
    reply = raw.send(reported.own.url, request)
    assert reply.status == 200, reply
    return re.findall(r"<Key>([^<]*/manifest\.checksum)</Key>", reply.body.decode())


def test_inventory__is_not_repeated_by_a_restart_and_is_finished_by_it(make_server):
    own = make_server()
    client = Cloud(own).client()
    reported = Reported(own, client)
    client.put_object(Bucket=reported.bucket, Key="k", Body=b"")
    reported.put("done")
    (key,) = reported.wait("done")
    reported.put("cut")
    (cut,) = reported.wait("cut")
    told = client.head_object(Bucket=reported.target, Key=key)["ETag"]
    file = json.loads(reported.read(cut))["files"][0]["key"]
    client.delete_object(Bucket=reported.target, Key=cut.replace(".json", ".checksum"))  # as if it had been killed before
    own.stop()
    own.start()
    reported.client = client = Cloud(own).client()
    assert reported.wait("cut") == [cut] and json.loads(reported.read(cut))["files"][0]["key"] == file
    assert client.head_object(Bucket=reported.target, Key=key)["ETag"] == told


def test_inventory__of_a_server_that_stops_has_no_end(make_server):
    own = make_server()
    reported = Reported(own, Cloud(own).client())
    raw.put_many(own.url, own.users["root"], reported.bucket, [f"{number:05}" for number in range(3000)])
    reported.put(fields=ALL_FIELDS, versions="All")
    own.stop()
    own.start()
    reported.client = Cloud(own).client()
    assert len(reported.report()) == 3000
