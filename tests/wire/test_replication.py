# SPDX-License-Identifier: Apache-2.0
"""Replication between buckets of a store: the document, which versions are replicated, what a replica is, and what
becomes of what can not be.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
"""

import contextlib
import datetime
import itertools
import json
import sqlite3
import subprocess
import time

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

ROLE = "arn:aws:iam::000000000000:role/replication"
MIB = 1 << 20
SCHEMA = ("for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more "
          "information.")  # fmt: skip
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("replication"))
    yield server
    server.stop()


@pytest.fixture
def s3(own):
    return Cloud(own).client()


def versioned(s3, hint="bucket", **more):
    name = f"{hint}-{next(numbers)}"
    s3.create_bucket(Bucket=name, **more)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def arn(bucket):
    return f"arn:aws:s3:::{bucket}"


def rule(bucket, number=1, markers="Enabled", conditions=None, **more):
    destination = {"Bucket": arn(bucket), **more.pop("Destination", {})}
    return {"ID": f"rule-{number}", "Priority": number, "Status": "Enabled", "Filter": conditions or {},
            "DeleteMarkerReplication": {"Status": markers}, "Destination": destination} | more  # fmt: skip


def put_rules(s3, bucket, *rules, role=ROLE):
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role, "Rules": list(rules)})


@pytest.fixture
def pair(s3):
    """Two buckets: all of the first goes to the second."""
    source, copy = versioned(s3, "source"), versioned(s3, "copy")
    put_rules(s3, source, rule(copy))
    return source, copy


def status_of(s3, bucket, key, **more):
    return s3.head_object(Bucket=bucket, Key=key, **more).get("ReplicationStatus")


def settled(s3, bucket, key, **more):
    """The status once it is not PENDING any more."""

    def status():
        found = status_of(s3, bucket, key, **more)
        return found if found != "PENDING" else None

    return process.until(status, lambda: f"an end of {bucket}/{key}")


def versions_of(s3, bucket, key):
    found = s3.list_object_versions(Bucket=bucket, Prefix=key)
    rows = [(row["VersionId"], "ETag" in row, row["IsLatest"], row["LastModified"])
            for row in found.get("Versions", []) + found.get("DeleteMarkers", [])]  # fmt: skip
    return sorted(rows, key=lambda row: (row[3], row[2]), reverse=True)


def keys_of(s3, bucket):
    return [row["Key"] for row in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def drained(s3, bucket, copy):
    """What was written before is replicated: later writes are, too, in their order."""
    last = f"zz-last-{next(numbers)}"
    s3.put_object(Bucket=bucket, Key=last, Body=b"last")
    assert settled(s3, bucket, last) == "COMPLETED"
    s3.delete_object(Bucket=copy, Key=last, VersionId=versions_of(s3, copy, last)[0][0])


# ---- the document ------------------------------------------------------------------------------------


def document(*rules, role=ROLE):
    return f"<ReplicationConfiguration><Role>{role}</Role>{''.join(rules)}</ReplicationConfiguration>".encode()


def rule_text(bucket, version=2, id="<ID>a</ID>", priority="<Priority>1</Priority>", conditions="<Filter/>",
              markers="<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>",
              status="<Status>Enabled</Status>", more="", destination=""):  # fmt: skip
    if version == 1:
        priority = markers = ""
        conditions = "<Prefix></Prefix>"
    return (f"<Rule>{id}{priority}{conditions}{status}{markers}{more}"
            f"<Destination><Bucket>{arn(bucket)}</Bucket>{destination}</Destination></Rule>")  # fmt: skip


def put_text(own, bucket, body):
    request = raw.Request("PUT", f"/{bucket}?replication", [("Host", raw.host_of(own.url))], body)
    raw.with_md5(request)
    raw.sign_v4(request, own.users["root"])
    return raw.send(own.url, request)


def test_PutBucketReplication__comes_back_as_it_was_sent(own, s3):
    source, copy = versioned(s3), versioned(s3)
    body = document(rule_text(copy, conditions="<Filter><And><Prefix>a&amp;b</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"),
                    rule_text(copy, id="<ID>b</ID>", priority="<Priority>0</Priority>"))  # fmt: skip
    assert put_text(own, source, body).status == 200
    got = raw.signed(own.url, own.users["root"], "GET", f"/{source}?replication")
    assert (got.status, got.body) == (200, b'<?xml version="1.0" encoding="UTF-8"?>\n' + body)


def test_GetBucketReplication__every_element_comes_back(s3):
    source, copy = versioned(s3), versioned(s3)
    sent = rule(copy, Status="Disabled", SourceSelectionCriteria={
        "SseKmsEncryptedObjects": {"Status": "Enabled"}, "ReplicaModifications": {"Status": "Enabled"}},
        ExistingObjectReplication={"Status": "Disabled"},
        Destination={"Account": "000000000000", "StorageClass": "STANDARD_IA", "AccessControlTranslation": {"Owner": "Destination"},
                     "EncryptionConfiguration": {"ReplicaKmsKeyID": "alias/b"},
                     "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
                     "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}})  # fmt: skip
    put_rules(s3, source, sent)
    assert s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"] == {"Role": ROLE, "Rules": [sent]}


def test_PutBucketReplication__a_rule_without_an_id_gets_one_that_stays(own, s3):
    source, copy = versioned(s3), versioned(s3)
    assert put_text(own, source, document(rule_text(copy, id=""))).status == 200
    found = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    assert len(found["Rules"][0]["ID"]) == 36
    assert found["Role"] == ROLE and found["Rules"][0]["Destination"]["Bucket"] == arn(copy)
    s3.put_bucket_replication(Bucket=source, ReplicationConfiguration=found)
    assert s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"] == found


def test_DeleteBucketReplication__ends_it(s3, pair):
    source, copy = pair
    s3.delete_bucket_replication(Bucket=source)
    with expect.refused(404, "ReplicationConfigurationNotFoundError"):
        s3.get_bucket_replication(Bucket=source)
    s3.put_object(Bucket=source, Key="after", Body=b"x")
    assert status_of(s3, source, "after") is None


KMS = "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>"
KEY = "<EncryptionConfiguration><ReplicaKmsKeyID>a</ReplicaKmsKeyID></EncryptionConfiguration>"
ENABLED = "<DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>"
TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>"
TIME = "<ReplicationTime><Status>Enabled</Status><Time><Minutes>15</Minutes></Time></ReplicationTime>"
MALFORMED = {
    "no-rules": lambda bucket: document(),
    "no-status": lambda bucket: document(rule_text(bucket, status="")),
    "other-status": lambda bucket: document(rule_text(bucket, status="<Status>On</Status>")),
    "prefix-and-filter": lambda bucket: document(rule_text(bucket, conditions="<Filter/><Prefix>a</Prefix>")),
    "neither": lambda bucket: document(rule_text(bucket, conditions="")),
    "two-conditions": lambda bucket: document(rule_text(bucket, conditions=f"<Filter><Prefix>a</Prefix>{TAG}</Filter>")),
    "empty-and": lambda bucket: document(rule_text(bucket, conditions="<Filter><And/></Filter>")),
    "long-prefix": lambda bucket: document(rule_text(bucket, conditions=f"<Filter><Prefix>{'p' * 1025}</Prefix></Filter>")),
    "priority": lambda bucket: document(rule_text(bucket, priority="<Priority>-1</Priority>")),
    "great-priority": lambda bucket: document(rule_text(bucket, priority="<Priority>2147483648</Priority>")),
    "class": lambda bucket: document(rule_text(bucket, destination="<StorageClass>WARM</StorageClass>")),
    "account": lambda bucket: document(rule_text(bucket, destination="<Account>1</Account>")),
    "owner": lambda bucket: document(rule_text(bucket, destination="<Account>000000000000</Account><AccessControlTranslation><Owner>Source</Owner>"
                                                                   "</AccessControlTranslation>")),
    "minutes": lambda bucket: document(rule_text(bucket, destination=TIME.replace("15", "16"))),
    "existing": lambda bucket: document(rule_text(bucket, more="<ExistingObjectReplication><Status>Enabled</Status></ExistingObjectReplication>")),
    "unknown": lambda bucket: document(rule_text(bucket, more="<Speed>1</Speed>")),
    "empty-criteria": lambda bucket: document(rule_text(bucket, more="<SourceSelectionCriteria/>")),
    "too-many": lambda bucket: document(*(rule_text(bucket, id=f"<ID>{n}</ID>", priority=f"<Priority>{n}</Priority>") for n in range(1001))),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_PutBucketReplication__malformed(own, s3, case):
    source, copy = versioned(s3), versioned(s3)
    answer = put_text(own, source, MALFORMED[case](copy))
    assert (answer.status, answer.code) == (400, "MalformedXML")


REFUSED = {
    "marker-of-tag": (lambda bucket: rule_text(bucket, conditions=f"<Filter>{TAG}</Filter>", markers=ENABLED),
                      "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer "
                      "Guide for more information."),
    "no-priority": (lambda bucket: rule_text(bucket, priority=""), f"Priority must be specified {SCHEMA}"),
    "no-markers": (lambda bucket: rule_text(bucket, markers=""), f"DeleteMarkerReplication must be specified {SCHEMA}"),
    "v1-priority": (lambda bucket: rule_text(bucket, version=1, more="<Priority>1</Priority>"), f"Priority cannot be used {SCHEMA}"),
    "v1-markers": (lambda bucket: rule_text(bucket, version=1, more=ENABLED), f"DeleteMarkerReplication cannot be used {SCHEMA}"),
    "v1-replicas": (lambda bucket: rule_text(bucket, version=1, more="<SourceSelectionCriteria><ReplicaModifications><Status>Enabled</Status>"
                                             "</ReplicaModifications></SourceSelectionCriteria>"), f"ReplicaModifications cannot be used {SCHEMA}"),
    "key-alone": (lambda bucket: rule_text(bucket, destination=KEY), "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present."),
    "kms-alone": (lambda bucket: rule_text(bucket, more=KMS), "EncryptionConfiguration must be specified if SseKmsEncryptedObjects is present."),
    "time-alone": (lambda bucket: rule_text(bucket, destination=TIME), "Metrics must be enabled where ReplicationTime is."),
    "owner-alone": (lambda bucket: rule_text(bucket, destination="<AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>"),
                    "Account must be specified if AccessControlTranslation is present."),
    "priorities": (lambda bucket: rule_text(bucket) + rule_text(bucket, id="<ID>b</ID>"),
                   "Priority must be unique. Found same Priority for more than one rule"),
    "absent": (lambda bucket: rule_text("never-made"), "Destination bucket must have versioning enabled."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_PutBucketReplication__refused(own, s3, case):
    source, copy = versioned(s3), versioned(s3)
    text, message = REFUSED[case]
    answer = put_text(own, source, document(text(copy)))
    assert (answer.status, answer.code, answer.element("Message")) == (400, "InvalidRequest", message)


def test_PutBucketReplication__versioning_is_needed_on_both_sides(s3):
    source, copy = versioned(s3), versioned(s3)
    plain = f"plain-{next(numbers)}"
    s3.create_bucket(Bucket=plain)
    with expect.refused(400, "InvalidRequest") as told:
        put_rules(s3, plain, rule(copy))
    assert told["Error"]["Message"] == ("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    s3.put_bucket_versioning(Bucket=copy, VersioningConfiguration={"Status": "Suspended"})
    for destination in (plain, copy):
        with expect.refused(400, "InvalidRequest") as told:
            put_rules(s3, source, rule(destination))
        assert told["Error"]["Message"] == "Destination bucket must have versioning enabled."
    with expect.refused(400, "InvalidRequest"):
        put_rules(s3, source, rule(source))


def test_PutBucketReplication__arguments(s3):
    source, copy = versioned(s3), versioned(s3)
    for role in ("replication", "arn:aws:iam::1:role/a", "arn:aws:iam::000000000000:role/", "arn:aws:iam::000000000000:user/a"):
        with expect.refused(400, "InvalidArgument"):
            put_rules(s3, source, rule(copy), role=role)
    with expect.refused(400, "InvalidArgument"):
        put_rules(s3, source, rule(copy, Destination={"Bucket": copy}))
    with expect.refused(400, "InvalidArgument"):
        put_rules(s3, source, rule(copy, ID="i" * 256))
    with expect.refused(400, "InvalidArgument"):
        put_rules(s3, source, rule(copy, ID="a"), rule(copy, 2, ID="a"))
    put_rules(s3, source, rule(copy, ID="i" * 255))


def test_PutBucketReplication__a_thousand_rules(own, s3):
    source, copy = versioned(s3), versioned(s3)
    rules = [rule_text(copy, id=f"<ID>{n}</ID>", priority=f"<Priority>{n}</Priority>", conditions=f"<Filter><Prefix>p{n}/</Prefix></Filter>")
             for n in range(1000)]  # fmt: skip
    assert put_text(own, source, document(*rules)).status == 200
    assert len(s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]["Rules"]) == 1000
    s3.put_object(Bucket=source, Key="p0/a", Body=b"x")
    assert settled(s3, source, "p0/a") == "COMPLETED"


def test_PutBucketVersioning__stays_while_replication_is_there(s3, pair):
    source, copy = pair
    with expect.refused(409, "InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_replication(Bucket=source)
    s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Suspended"})


# ---- replicas ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 300_000, 5 * MIB])
def test_PutObject__is_replicated_with_all_it_has(own, s3, pair, size):
    source, copy = pair
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    put = s3.put_object(Bucket=source, Key="key", Body=body, ContentType="text/x", CacheControl="no-cache",
                        Metadata={"a": "b"}, Tagging="t=1&u=2", ChecksumAlgorithm="SHA256")  # fmt: skip
    assert settled(s3, source, "key") == "COMPLETED"
    first = s3.head_object(Bucket=source, Key="key", ChecksumMode="ENABLED")
    second = s3.get_object(Bucket=copy, Key="key", VersionId=put["VersionId"], ChecksumMode="ENABLED")
    assert second["Body"].read() == body
    assert (first["ReplicationStatus"], second["ReplicationStatus"]) == ("COMPLETED", "REPLICA")
    for name in ("ETag", "VersionId", "LastModified", "ContentType", "CacheControl", "Metadata", "ChecksumSHA256"):
        assert first[name] == second[name], name
    assert s3.get_object_tagging(Bucket=copy, Key="key")["TagSet"] == [{"Key": "t", "Value": "1"}, {"Key": "u", "Value": "2"}]


def test_CompleteMultipartUpload__the_replica_has_the_parts(s3, pair):
    source, copy = pair
    upload = s3.create_multipart_upload(Bucket=source, Key="many", Tagging="a=b")["UploadId"]
    parts = [{"PartNumber": number, "ETag": s3.upload_part(Bucket=source, Key="many", UploadId=upload, PartNumber=number, Body=body)["ETag"]}
             for number, body in ((1, b"1" * 5 * MIB), (2, b"2" * 7))]  # fmt: skip
    done = s3.complete_multipart_upload(Bucket=source, Key="many", UploadId=upload, MultipartUpload={"Parts": parts})
    assert settled(s3, source, "many") == "COMPLETED"
    got = s3.get_object(Bucket=copy, Key="many", PartNumber=2)
    assert (got["ETag"], got["PartsCount"], got["Body"].read()) == (done["ETag"], 2, b"2" * 7)
    assert s3.get_object(Bucket=copy, Key="many")["Body"].read() == b"1" * 5 * MIB + b"2" * 7
    s3.delete_object(Bucket=source, Key="many", VersionId=done["VersionId"])
    assert s3.get_object(Bucket=copy, Key="many", PartNumber=1)["Body"].read() == b"1" * 5 * MIB


def test_CopyObject__is_replicated(s3, pair):
    source, copy = pair
    s3.put_object(Bucket=source, Key="one", Body=b"data")
    s3.copy_object(Bucket=source, Key="two", CopySource={"Bucket": source, "Key": "one"})
    assert settled(s3, source, "two") == "COMPLETED"
    assert s3.get_object(Bucket=copy, Key="two")["Body"].read() == b"data"


def test_PutObject__what_no_rule_speaks_of_has_no_status(s3):
    source, copy = versioned(s3), versioned(s3)
    s3.put_object(Bucket=source, Key="in/before", Body=b"x")
    put_rules(s3, source, rule(copy, conditions={"And": {"Prefix": "in/", "Tags": [{"Key": "k", "Value": "v"}]}}, markers="Disabled"),
              rule(copy, 2, conditions={"Prefix": "off/"}, Status="Disabled"))  # fmt: skip
    for key, tags in (("in/yes", "k=v&l=m"), ("in/no", "k=w"), ("in/none", ""), ("out", "k=v"), ("off/a", "k=v")):
        s3.put_object(Bucket=source, Key=key, Body=b"x", Tagging=tags)
    assert settled(s3, source, "in/yes") == "COMPLETED"
    assert [status_of(s3, source, key) for key in ("in/no", "in/none", "in/before", "out", "off/a")] == [None] * 5
    assert keys_of(s3, copy) == ["in/yes"]


def test_PutObject__of_rules_to_one_bucket_the_first_counts(s3):
    source, copy, other = versioned(s3), versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy, 1, Destination={"StorageClass": "GLACIER_IR"}),
              rule(copy, 7, conditions={"Prefix": "a/"}, Destination={"StorageClass": "STANDARD_IA"}),
              rule(other, 3))  # fmt: skip
    for key in ("a/x", "b"):
        s3.put_object(Bucket=source, Key=key, Body=b"x")
        assert settled(s3, source, key) == "COMPLETED"
    found = [s3.head_object(Bucket=bucket, Key=key).get("StorageClass") for bucket in (copy, other) for key in ("a/x", "b")]
    assert found == ["STANDARD_IA", "GLACIER_IR", None, None]


def test_PutObject__the_first_version_of_the_schema(own, s3):
    source, copy, other = versioned(s3), versioned(s3), versioned(s3)
    answer = put_text(own, source, document(rule_text(copy, version=1), rule_text(other, version=1, id="<ID>b</ID>")))
    assert (answer.status, answer.element("Message")) == (400, "Number of distinct destination bucket ARNs cannot exceed 1")
    assert put_text(own, source, document(rule_text(copy, version=1))).status == 200
    s3.put_object(Bucket=source, Key="key", Body=b"x")
    marker = s3.delete_object(Bucket=source, Key="key")["VersionId"]
    drained(s3, source, copy)
    assert versions_of(s3, copy, "key")[0][:3] == (marker, False, True)


def test_DeleteObject__markers_if_the_rule_says_so_and_versions_never(s3):
    source, copy, other = versioned(s3), versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy), rule(other, 2, markers="Disabled"))
    version = s3.put_object(Bucket=source, Key="key", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=source, Key="key")["VersionId"]
    drained(s3, source, copy)
    assert [row[:3] for row in versions_of(s3, copy, "key")] == [(marker, False, True), (version, True, False)]
    assert [row[:3] for row in versions_of(s3, other, "key")] == [(version, True, True)]
    s3.delete_objects(Bucket=source, Delete={"Objects": [{"Key": "key", "VersionId": id} for id in (marker, version)]})
    drained(s3, source, copy)
    assert versions_of(s3, source, "key") == []
    assert [row[0] for row in versions_of(s3, copy, "key")] == [marker, version]


def test_DeleteObjects__markers_of_many(s3, pair):
    source, copy = pair
    for number in range(5):
        s3.put_object(Bucket=source, Key=f"k{number}", Body=b"x")
    s3.delete_objects(Bucket=source, Delete={"Objects": [{"Key": f"k{number}"} for number in range(5)]})
    drained(s3, source, copy)
    assert keys_of(s3, copy) == []
    assert len(s3.list_object_versions(Bucket=copy)["DeleteMarkers"]) == 5


def test_PutObject__a_loop_of_buckets_ends(s3):
    names = [versioned(s3, "loop") for _ in range(3)]
    for at, name in enumerate(names):
        put_rules(s3, name, rule(names[(at + 1) % 3]))
    version = s3.put_object(Bucket=names[0], Key="key", Body=b"x")["VersionId"]
    assert settled(s3, names[0], "key") == "COMPLETED"
    drained(s3, names[1], names[2])
    assert [status_of(s3, name, "key") for name in names[:2]] == ["COMPLETED", "REPLICA"]
    assert versions_of(s3, names[2], "key") == []
    assert [row[0] for row in versions_of(s3, names[0], "key")] == [version]


def test_PutObject__a_to_b_and_b_to_a_have_the_same_history(s3):
    """Each replica takes its place by its number: both buckets end with the newest write as the current one."""
    a, b = versioned(s3, "both"), versioned(s3, "both")
    put_rules(s3, a, rule(b))
    put_rules(s3, b, rule(a))
    written = [s3.put_object(Bucket=bucket, Key="key", Body=f"{at}".encode())["VersionId"] for at, bucket in enumerate([a, b] * 10)]
    drained(s3, a, b)
    drained(s3, b, a)
    for bucket in (a, b):
        rows = s3.list_object_versions(Bucket=bucket, Prefix="key")["Versions"]
        assert [row["VersionId"] for row in rows] == written[::-1]
        assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"19"
        assert [s3.get_object(Bucket=bucket, Key="key", VersionId=id)["Body"].read() for id in written] == [
            str(at).encode() for at in range(20)]  # fmt: skip


# ---- changes -----------------------------------------------------------------------------------------


def test_PutObjectTagging__follows_and_a_removed_replica_stays_away(s3, pair):
    source, copy = pair
    version = s3.put_object(Bucket=source, Key="key", Body=b"x")["VersionId"]
    assert settled(s3, source, "key") == "COMPLETED"
    s3.put_object_tagging(Bucket=source, Key="key", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert settled(s3, source, "key") == "COMPLETED"
    assert s3.get_object_tagging(Bucket=copy, Key="key")["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.delete_object_tagging(Bucket=source, Key="key")
    assert settled(s3, source, "key") == "COMPLETED"
    assert s3.get_object_tagging(Bucket=copy, Key="key")["TagSet"] == []
    s3.put_object_acl(Bucket=source, Key="key", ACL="public-read")
    assert settled(s3, source, "key") == "COMPLETED"
    assert len(s3.get_object_acl(Bucket=copy, Key="key")["Grants"]) == 2
    s3.delete_object(Bucket=copy, Key="key", VersionId=version)
    s3.put_object_tagging(Bucket=source, Key="key", Tagging={"TagSet": [{"Key": "a", "Value": "2"}]})
    assert settled(s3, source, "key") == "COMPLETED"
    assert versions_of(s3, copy, "key") == []


def test_PutObjectTagging__of_a_replica_goes_back_where_the_rule_says_so(s3):
    a, b = versioned(s3), versioned(s3)
    back = {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}}
    put_rules(s3, a, rule(b))
    put_rules(s3, b, rule(a))
    s3.put_object(Bucket=a, Key="key", Body=b"x")
    assert settled(s3, a, "key") == "COMPLETED"
    s3.put_object_tagging(Bucket=b, Key="key", Tagging={"TagSet": [{"Key": "stays", "Value": "1"}]})
    drained(s3, b, a)
    assert s3.get_object_tagging(Bucket=a, Key="key")["TagSet"] == []
    put_rules(s3, b, rule(a, **back))
    s3.put_object_tagging(Bucket=b, Key="key", Tagging={"TagSet": [{"Key": "goes", "Value": "1"}]})
    drained(s3, b, a)
    assert s3.get_object_tagging(Bucket=a, Key="key")["TagSet"] == [{"Key": "goes", "Value": "1"}]
    assert (status_of(s3, a, "key"), status_of(s3, b, "key")) == ("COMPLETED", "REPLICA")


def test_PutObjectRetention__follows(own, s3):
    source, copy = versioned(s3, ObjectLockEnabledForBucket=True), versioned(s3, ObjectLockEnabledForBucket=True)
    put_rules(s3, source, rule(copy))
    until = raw.now().replace(microsecond=0) + datetime.timedelta(days=1)
    version = s3.put_object(Bucket=source, Key="key", Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)["VersionId"]
    assert settled(s3, source, "key") == "COMPLETED"
    assert s3.get_object_retention(Bucket=copy, Key="key")["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    later = until + datetime.timedelta(days=1)
    s3.put_object_retention(Bucket=source, Key="key", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later})
    s3.put_object_legal_hold(Bucket=source, Key="key", LegalHold={"Status": "ON"})
    assert settled(s3, source, "key") == "COMPLETED"
    assert s3.get_object_retention(Bucket=copy, Key="key")["Retention"]["RetainUntilDate"] == later
    with expect.refused(403, "AccessDenied"):
        s3.delete_object(Bucket=copy, Key="key", VersionId=version)


# ---- encryption, owners ------------------------------------------------------------------------------


def test_PutObject__encrypted(s3):
    source, copy = versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy))
    s3.put_object(Bucket=source, Key="sse", Body=b"plain", ServerSideEncryption="AES256")
    s3.put_object(Bucket=source, Key="kms", Body=b"plain", ServerSideEncryption="aws:kms")
    assert settled(s3, source, "sse") == "COMPLETED"
    assert status_of(s3, source, "kms") is None
    got = s3.get_object(Bucket=copy, Key="sse")
    assert (got["ServerSideEncryption"], got["Body"].read()) == ("AES256", b"plain")


def test_PutObject__encrypted_under_named_keys(own, s3, tmp_path):
    server = process.Server(tmp_path)
    s3 = Cloud(server).client()
    run = lambda *words: subprocess.run([process.program(), "key", words[0], server.directory, *words[1:]], capture_output=True, text=True)
    first, second = (run("create").stdout.strip().rpartition("/")[2] for _ in range(2))
    assert run("create").returncode == 0
    source, copy = versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy, SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
                               Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": second}}))  # fmt: skip
    s3.put_object(Bucket=source, Key="kms", Body=b"secret", ServerSideEncryption="aws:kms", SSEKMSKeyId=first)
    assert settled(s3, source, "kms") == "COMPLETED"
    assert run("disable", first).returncode == 0
    got = s3.get_object(Bucket=copy, Key="kms")
    assert got["SSEKMSKeyId"].endswith(second) and got["Body"].read() == b"secret"
    with expect.refused(400, "KMS.DisabledException"):
        s3.get_object(Bucket=source, Key="kms")
    assert run("disable", second).returncode == 0
    assert run("enable", first).returncode == 0
    s3.put_object(Bucket=source, Key="not", Body=b"secret", ServerSideEncryption="aws:kms", SSEKMSKeyId=first)
    assert settled(s3, source, "not") == "FAILED"
    server.stop()


def test_PutObject__into_another_accounts_bucket_needs_its_policy(own):
    cloud = Cloud(own)
    root, alice = cloud.client(), cloud.client("alice")
    source, copy = versioned(root), versioned(alice, "others")
    put_rules(root, source, rule(copy))
    root.put_object(Bucket=source, Key="no", Body=b"x")
    assert settled(root, source, "no") == "FAILED"
    assert keys_of(alice, copy) == []
    alice.put_bucket_policy(Bucket=copy, Policy=json.dumps({"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": ["s3:ReplicateObject"],
         "Resource": arn(copy) + "/*"}]}))  # fmt: skip
    root.put_object(Bucket=source, Key="yes", Body=b"x", Tagging="a=b")
    assert settled(root, source, "yes") == "COMPLETED"
    root.delete_object(Bucket=source, Key="yes")
    root.put_object(Bucket=source, Key="later", Body=b"x")
    assert settled(root, source, "later") == "COMPLETED"
    assert keys_of(alice, copy) == ["later", "yes"]


def test_PutObjectAnnotation__stays_with_the_source(own, s3, pair):
    source, copy = pair
    s3.put_object(Bucket=source, Key="key", Body=b"x")
    target = "?annotation&annotationName=note"
    root = own.users["root"]
    assert raw.signed(own.url, root, "PUT", f"/{source}/key{target}", b"text").status == 200
    assert settled(s3, source, "key") == "COMPLETED"
    assert raw.signed(own.url, root, "GET", f"/{copy}/key{target}").code == "NoSuchAnnotation"
    for method in ("PUT", "DELETE"):
        assert raw.signed(own.url, root, method, f"/{copy}/key{target}", b"text" if method == "PUT" else b"").status == 501
    s3.delete_object(Bucket=copy, Key="key", VersionId=versions_of(s3, copy, "key")[0][0])
    assert raw.signed(own.url, root, "GET", f"/{source}/key{target}").body == b"text"


# ---- failures ----------------------------------------------------------------------------------------


def test_PutObject__fails_where_the_destination_can_not_be(own, s3):
    source, copy, other = versioned(s3), versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy), rule(other, 2))
    s3.put_bucket_versioning(Bucket=copy, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=source, Key="one", Body=b"x")
    assert settled(s3, source, "one") == "FAILED"
    assert keys_of(s3, other) == ["one"]
    s3.delete_bucket(Bucket=copy)
    s3.put_object(Bucket=source, Key="two", Body=b"x")
    assert settled(s3, source, "two") == "FAILED"
    assert "there is no destination bucket" in own.stderr()
    s3.create_bucket(Bucket=copy)
    s3.put_bucket_versioning(Bucket=copy, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_tagging(Bucket=source, Key="two", Tagging={"TagSet": []})
    assert settled(s3, source, "two") == "COMPLETED"
    assert keys_of(s3, copy) == ["two"]


PAUSES = [min(2**number, 3600) for number in range(35)]


def spoiled(server, bucket, key):
    """The version waits to be replicated and its bytes are not there; what brings them back."""
    with contextlib.closing(sqlite3.connect(server.directory / "catalog.db")) as catalog:
        id, seq = catalog.execute("SELECT bucket.id, seq FROM object JOIN bucket ON bucket.id = bucket WHERE name = ? AND key = ?",
                                  (bucket.encode(), key.encode())).fetchone()  # fmt: skip
        body = catalog.execute("SELECT b.* FROM inline_body b JOIN object ON b.id = body_id WHERE seq = ? AND bucket = ?", (seq, id)).fetchone()
        catalog.execute("DELETE FROM inline_body WHERE id = ?", body[:1])
        catalog.execute("UPDATE object SET replication = 1 WHERE seq = ? AND bucket = ?", (seq, id))
        catalog.execute("INSERT INTO backlog VALUES(?, ?, ?, ?, 0, 0, 0)", (seq, id, key.encode(), seq))
        catalog.commit()
    return body


def tries(server):
    with contextlib.closing(sqlite3.connect(f"file:{server.directory}/catalog.db?mode=ro", uri=True)) as catalog:
        return (catalog.execute("SELECT tries FROM backlog").fetchone() or [None])[0]


@pytest.fixture
def waiting(tmp_path):
    """A server that has ended, with a version that waits and can not be replicated."""
    server = process.Server(tmp_path, "--scrub-rate", "0")
    s3 = Cloud(server).client()
    source, copy = versioned(s3), versioned(s3)
    s3.put_object(Bucket=source, Key="key", Body=b"data")
    put_rules(s3, source, rule(copy))
    server.stop()
    yield server, source, copy, spoiled(server, source, "key")
    server.stop()


def test_PutObject__is_tried_again_with_longer_pauses_and_given_up_after_a_day(waiting):
    server, source, copy, body = waiting
    server.start()
    s3 = Cloud(server).client()
    with server.clock.stands():
        process.until(lambda: tries(server), lambda: tries(server))
        while (count := tries(server)) is not None:
            assert count <= len(PAUSES)
            server.clock.advance(PAUSES[count - 1])
            process.until(lambda before=count: tries(server) != before, lambda before=count: before)
        server.clock.move("set", int(time.time() * 1_000_000))  # by which requests are signed
        assert status_of(s3, source, "key") == "FAILED"
    assert keys_of(s3, copy) == []


def test_PutObject__is_replicated_once_it_can_be(waiting):
    server, source, copy, body = waiting
    server.start()
    process.until(lambda: tries(server), lambda: tries(server))
    assert status_of(Cloud(server).client(), source, "key") == "PENDING"
    server.stop()
    with contextlib.closing(sqlite3.connect(server.directory / "catalog.db")) as catalog:
        catalog.execute(f"INSERT INTO inline_body VALUES({', '.join('?' * len(body))})", body)
        catalog.commit()
    server.start()
    s3 = Cloud(server).client()
    server.clock.advance(sum(PAUSES[:6]))
    assert settled(s3, source, "key") == "COMPLETED"
    assert s3.get_object(Bucket=copy, Key="key")["Body"].read() == b"data"


def test_PutObject__what_waited_when_the_server_ended_is_replicated_by_the_next(tmp_path):
    server = process.Server(tmp_path)
    s3 = Cloud(server).client()
    source, copy = versioned(s3), versioned(s3)
    put_rules(s3, source, rule(copy))
    for number in range(200):
        s3.put_object(Bucket=source, Key=f"k{number:03}", Body=b"x" * number)
    server.stop()
    server.start()
    s3 = Cloud(server).client()
    for number in range(200):
        assert settled(s3, source, f"k{number:03}") == "COMPLETED"
    assert len(keys_of(s3, copy)) == 200
    server.stop()
    assert subprocess.run([process.program(), "fsck", "--read-data", server.directory]).returncode == 0
