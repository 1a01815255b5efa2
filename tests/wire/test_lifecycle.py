# SPDX-License-Identifier: Apache-2.0
"""Lifecycle: the document, what answers say of it, and that it is carried out by the store's clock.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
"""

import datetime
import itertools
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

DAY = datetime.timedelta(days=1)
ALL = {"Prefix": ""}
UNSET = ("NoSuchLifecycleConfiguration", 404)
BIG = 128 * 1024  # smaller ones keep their class
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose clock the tests move."""
    server = process.Server(tmp_path_factory.mktemp("lifecycle"))
    yield server
    server.stop()


@pytest.fixture
def client(own):
    return Cloud(own).client()


@pytest.fixture
def bucket(client):
    name = f"cycle-{next(numbers)}"
    client.create_bucket(Bucket=name)
    yield name
    client.delete_bucket_lifecycle(Bucket=name)


@pytest.fixture
def versioned(client, bucket):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def rule(number="a", where=ALL, status="Enabled", **actions):
    return {"ID": number, "Filter": where, "Status": status, **actions}


def refused(code, status, call, *arguments, **named):
    with expect.refused(status, code) as found:
        call(*arguments, **named)
    return found["Error"]["Message"]


def put_rules(client, bucket, *rules, **more):
    return client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)}, **more)  # fmt: skip


def ask(own, method, target, body=b"", headers=(), days=0):
    return raw.signed_later(own, days, method, target, body, headers)


def midnight(days):
    """So many days from now, and the rest of that day: when what is of today and of that many days is due."""
    return (raw.now() + (days + 1) * DAY).replace(hour=0, minute=0, second=0, microsecond=0)


class Shifted:
    """A client of a server whose clock shows another day: what it sees is what S3 would show then."""

    def __init__(self, own, days):
        self.own, self.days = own, days

    def versions(self, bucket):
        """(key, kind, class) of all, newest first within a key."""
        reply = ask(self.own, "GET", f"/{bucket}?versions", days=self.days)
        assert reply.status == 200, reply
        found = []
        for node in ElementTree.fromstring(reply.body):
            kind = node.tag.rpartition("}")[2]
            if kind in ("Version", "DeleteMarker"):
                text = {child.tag.rpartition("}")[2]: child.text for child in node}
                found.append((text["Key"], kind if text["IsLatest"] == "true" else "old " + kind,
                              text.get("StorageClass", "")))  # fmt: skip
        return found

    def uploads(self, bucket):
        reply = ask(self.own, "GET", f"/{bucket}?uploads", days=self.days)
        return [node.text for node in ElementTree.fromstring(reply.body).iter() if node.tag.endswith("}Key")]

    def until(self, bucket, wanted):
        """The pass that the move of the clock began comes to that."""
        process.until(lambda: self.versions(bucket) == wanted, lambda: f"{self.versions(bucket)} is not {wanted}")


class later:
    """With the clock so many whole days ahead, a little after midnight."""

    def __init__(self, own, days):
        self.own, self.days = own, days

    def __enter__(self):
        self.moved = self.own.clock.later(((midnight(self.days) - raw.now()).total_seconds()) + 60)
        self.moved.__enter__()
        return Shifted(self.own, (midnight(self.days) - raw.now()) / DAY)

    def __exit__(self, *error):
        self.moved.__exit__(*error)


# ---- the document --------------------------------------------------------------------------------------


def test_PutBucketLifecycleConfiguration__comes_back_as_it_was_put(client, bucket):
    rules = [
        rule("one", {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
                             "ObjectSizeGreaterThan": 10, "ObjectSizeLessThan": 99}}, Expiration={"Days": 400},
             Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]),
        rule("two", {"Tag": {"Key": "k", "Value": "v"}}, "Disabled",
             Expiration={"Date": datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)}),
        rule("three", {"Prefix": "x"}, NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
             NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "DEEP_ARCHIVE"}],
             Expiration={"ExpiredObjectDeleteMarker": True}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
    ]  # fmt: skip
    answer = put_rules(client, bucket, *rules)
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    found = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert found["Rules"] == rules
    assert found["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"


def test_PutBucketLifecycleConfiguration__keeps_the_rule_for_small_objects(client, bucket):
    put_rules(client, bucket, rule(Expiration={"Days": 1}), TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    found = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert found["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    assert refused("InvalidRequest", 400, put_rules, client, bucket, rule(Expiration={"Days": 1}),
                   TransitionDefaultMinimumObjectSize="none") == "Invalid TransitionDefaultMinimumObjectSize found: none"  # fmt: skip


def test_PutBucketLifecycleConfiguration__makes_an_ID_for_a_rule_without(client, bucket):
    put_rules(client, bucket, {"Filter": {"Prefix": "a&b"}, "Status": "Enabled", "Expiration": {"Days": 1}},
              rule("named", Expiration={"Days": 2}))  # fmt: skip
    first, second = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert len(first.pop("ID")) == 48
    assert first == {"Filter": {"Prefix": "a&b"}, "Status": "Enabled", "Expiration": {"Days": 1}}
    assert second["ID"] == "named"


def test_PutBucketLifecycleConfiguration__takes_the_older_form(client, bucket):
    old = [{"ID": "a", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 1}}]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": old})
    assert client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == old


def test_GetBucketLifecycleConfiguration__of_a_bucket_without(client, bucket):
    assert refused(*UNSET, client.get_bucket_lifecycle_configuration, Bucket=bucket) == (
        "The lifecycle configuration does not exist")  # fmt: skip


def test_DeleteBucketLifecycle__can_be_repeated(client, bucket):
    put_rules(client, bucket, rule(Expiration={"Days": 1}))
    for _ in range(2):
        client.delete_bucket_lifecycle(Bucket=bucket)
        refused(*UNSET, client.get_bucket_lifecycle_configuration, Bucket=bucket)


EXPIRE = "<Expiration><Days>1</Days></Expiration>"
ON = "<Status>Enabled</Status>"
MALFORMED = [
    "",
    f"<Rule>{ON}{EXPIRE}</Rule>",
    f"<Rule><Filter/>{EXPIRE}</Rule>",
    f"<Rule><Filter/><Status>enabled</Status>{EXPIRE}</Rule>",
    f"<Rule><Filter/><Prefix/>{ON}{EXPIRE}</Rule>",
    f"<Rule><Filter/>{ON}{EXPIRE}<Colour/></Rule>",
    f"<Rule><Filter/>{ON}<Expiration/></Rule>",
    f"<Rule><Filter/>{ON}<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>",
    f"<Rule><Filter/>{ON}<Expiration><Days>one</Days></Expiration></Rule>",
    f"<Rule><Filter/>{ON}<Expiration><Date>20400101</Date></Expiration></Rule>",
    f"<Rule><Filter/>{ON}<Expiration><ExpiredObjectDeleteMarker>yes</ExpiredObjectDeleteMarker></Expiration></Rule>",
    f"<Rule><Filter/>{ON}<NoncurrentVersionExpiration/></Rule>",
    f"<Rule><Filter/>{ON}<AbortIncompleteMultipartUpload/></Rule>",
    f"<Rule><Filter/>{ON}<Transition><Days>1</Days></Transition></Rule>",
    f"<Rule><Filter/>{ON}<Transition><Days>1</Days><StorageClass>STANDARD</StorageClass></Transition></Rule>",
    f"<Rule><Filter/>{ON}<Transition><Days>1</Days><StorageClass>COLD</StorageClass></Transition></Rule>",
    f"<Rule><Filter/>{ON}<Transition><StorageClass>GLACIER</StorageClass></Transition></Rule>",
    f"<Rule><Filter/>{ON}<NoncurrentVersionTransition><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition></Rule>",
    f"<Rule><Filter><Prefix/><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter>{ON}{EXPIRE}</Rule>",
    f"<Rule><Filter><And><Prefix/></And><Prefix/></Filter>{ON}{EXPIRE}</Rule>",
    f"<Rule><Filter><Tag><Value>v</Value></Tag></Filter>{ON}{EXPIRE}</Rule>",
    f"<Rule><Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>{ON}{EXPIRE}</Rule>",
]  # fmt: skip


@pytest.mark.parametrize("content", MALFORMED)
def test_PutBucketLifecycleConfiguration__refuses_what_is_no_such_document(own, bucket, content):
    reply = ask(own, "PUT", f"/{bucket}?lifecycle", f"<LifecycleConfiguration>{content}</LifecycleConfiguration>".encode())
    assert (reply.status, reply.code) == (400, "MalformedXML"), content


TAGGED = {"And": {"Prefix": "a", "Tags": [{"Key": "k", "Value": "v"}]}}
SIZED = {"ObjectSizeGreaterThan": 5}
CROSSED = {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}
TWICE = {"And": {"Tags": [{"Key": "k", "Value": "v"}, {"Key": "k", "Value": "w"}]}}


def noon(day):
    return datetime.datetime(2040, 1, day, 12, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize("rules,code,message", [
    ([rule(Expiration={"Days": 0})], "InvalidArgument", "'Days' for Expiration action must be a positive integer"),
    ([rule(Expiration={"Days": -1})], "InvalidArgument", "'Days' for Expiration action must be a positive integer"),
    ([rule(Expiration={"Date": noon(1)})], "InvalidArgument", "'Date' must be at midnight GMT"),
    ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})], "InvalidArgument",
     "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"),
    ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101})], "InvalidArgument",
     "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive integer"),
    ([rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})], "InvalidArgument",
     "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"),
    ([rule(Transitions=[{"Days": 29, "StorageClass": "STANDARD_IA"}])], "InvalidArgument",
     "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'"),
    ([rule(Transitions=[{"Days": -1, "StorageClass": "GLACIER"}])], "InvalidArgument",
     "'Days' for Transition action must be nonnegative"),
    ([rule(where={"Prefix": "p"}, Expiration={"Days": 5}, Transitions=[{"Days": 5, "StorageClass": "GLACIER"}])],
     "InvalidArgument",
     "'Days' in the Expiration action for filter '(prefix=p)' must be greater than 'Days' in the Transition action"),
    ([rule(Expiration={"Days": 5}, Transitions=[{"Date": datetime.datetime(2040, 1, 1), "StorageClass": "GLACIER"}])],
     "InvalidRequest", "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for "
                       "filter '(prefix=)'"),
    ([rule(Transitions=[{"Days": 5, "StorageClass": "GLACIER"}, {"Days": 6, "StorageClass": "GLACIER"}])],
     "InvalidRequest", "'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=)'"),
    ([rule(where=TAGGED, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})], "InvalidRequest",
     "AbortIncompleteMultipartUpload cannot be specified with Tags."),
    ([rule(where=SIZED, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})], "InvalidRequest",
     "AbortIncompleteMultipartUpload cannot be specified with Object Size."),
    ([rule(where=TAGGED, Expiration={"ExpiredObjectDeleteMarker": True})], "InvalidRequest",
     "ExpiredObjectDeleteMarker cannot be specified with Tags."),
    ([rule(where=TWICE, Expiration={"Days": 1})], "InvalidRequest", "Duplicate Tag Keys are not allowed."),
    ([rule(where=CROSSED, Expiration={"Days": 1})], "InvalidRequest",
     "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."),
    ([rule()], "InvalidRequest", "At least one action needs to be specified in a rule"),
    ([rule("i" * 256, Expiration={"Days": 1})], "InvalidArgument", "ID length should not exceed allowed limit of 255"),
    ([rule(Expiration={"Days": 1}), rule(Expiration={"Days": 2})], "InvalidArgument",
     "Rule ID must be unique. Found same ID for more than one rule"),
    ([rule(Expiration={"Days": 1}), {"ID": "b", "Prefix": "p", "Status": "Enabled", "Expiration": {"Days": 1}}],
     "InvalidRequest", "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."),
    ([rule(where={"Prefix": "p" * 1025}, Expiration={"Days": 1})], "InvalidArgument",
     "The maximum size of a prefix is 1024."),
])  # fmt: skip
def test_PutBucketLifecycleConfiguration__refuses(client, bucket, rules, code, message):
    assert refused(code, 400, put_rules, client, bucket, *rules) == message
    refused(*UNSET, client.get_bucket_lifecycle_configuration, Bucket=bucket)


def test_PutBucketLifecycleConfiguration__takes_what_is_just_allowed(client, bucket):
    put_rules(client, bucket,
              rule("i" * 255, {"Prefix": "p" * 1024}, Expiration={"Days": 2**31 - 1},
                   NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 100},
                   Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 0, "StorageClass": "GLACIER"}]),
              *(rule(f"r{number}", Expiration={"Days": 1}) for number in range(999)))  # fmt: skip
    assert len(client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]) == 1000
    client.delete_bucket_lifecycle(Bucket=bucket)
    put_rules(client, bucket, rule("far", Expiration={"Days": 2**31 - 1}))
    assert "9999" in client.put_object(Bucket=bucket, Key="k", Body=b"x")["Expiration"]


def test_PutBucketLifecycleConfiguration__refuses_more_than_a_thousand_rules(client, bucket):
    refused("MalformedXML", 400, put_rules, client, bucket,
            *(rule(f"r{number}", Expiration={"Days": 1}) for number in range(1001)))  # fmt: skip


# ---- what answers say ----------------------------------------------------------------------------------


def http_date(when):
    return when.strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_expiration_header__names_the_midnight_and_the_rule(client, bucket):
    put_rules(client, bucket, rule("long one/é", {"Prefix": "logs/"}, Expiration={"Days": 9}),
              rule("short", {"Prefix": "logs/soon"}, Expiration={"Days": 2}), rule("off", ALL, "Disabled", Expiration={"Days": 1}))  # fmt: skip
    wanted = {"logs/x": f'expiry-date="{http_date(midnight(9))}", rule-id="{urllib.parse.quote("long one/é", safe="")}"',
              "logs/soon": f'expiry-date="{http_date(midnight(2))}", rule-id="short"'}  # fmt: skip
    for key, header in wanted.items():
        assert client.put_object(Bucket=bucket, Key=key, Body=b"x")["Expiration"] == header
        assert client.head_object(Bucket=bucket, Key=key)["Expiration"] == header
        assert client.get_object(Bucket=bucket, Key=key)["Expiration"] == header
        copied = client.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/{key}", MetadataDirective="REPLACE")
        assert copied["Expiration"] == header
    assert "Expiration" not in client.put_object(Bucket=bucket, Key="other", Body=b"x")


def test_expiration_header__of_a_date_and_of_tags(client, bucket):
    date = datetime.datetime(2041, 5, 1, tzinfo=datetime.timezone.utc)
    put_rules(client, bucket, rule("d", {"Tag": {"Key": "k", "Value": "v"}}, Expiration={"Date": date}))
    header = f'expiry-date="{http_date(date)}", rule-id="d"'
    assert client.put_object(Bucket=bucket, Key="a", Body=b"x", Tagging="k=v")["Expiration"] == header
    assert "Expiration" not in client.put_object(Bucket=bucket, Key="b", Body=b"x", Tagging="k=w")
    client.put_object_tagging(Bucket=bucket, Key="b", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    assert client.head_object(Bucket=bucket, Key="b")["Expiration"] == header


def test_expiration_header__is_of_current_versions(client, versioned):
    put_rules(client, versioned, rule(Expiration={"Days": 1}))
    first = client.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"]
    client.put_object(Bucket=versioned, Key="k", Body=b"y")
    assert "Expiration" in client.head_object(Bucket=versioned, Key="k")
    assert "Expiration" not in client.head_object(Bucket=versioned, Key="k", VersionId=first)


def test_abort_headers__of_uploads_and_what_comes_of_them(client, bucket):
    put_rules(client, bucket, rule("up", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 3}, Expiration={"Days": 8}))
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")
    parts = client.list_parts(Bucket=bucket, Key="k", UploadId=upload["UploadId"])
    for answer in (upload, parts):
        assert answer["AbortDate"] == midnight(3)
        assert answer["AbortRuleId"] == "up"
    part = client.upload_part(Bucket=bucket, Key="k", UploadId=upload["UploadId"], PartNumber=1, Body=b"x")["ETag"]
    done = client.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload["UploadId"],
                                            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})  # fmt: skip
    assert done["Expiration"] == f'expiry-date="{http_date(midnight(8))}", rule-id="up"'


# ---- carried out ---------------------------------------------------------------------------------------


def put(client, bucket, *names, size=1, **more):
    for name in names:
        client.put_object(Bucket=bucket, Key=name, Body=b"x" * size, **more)


def test_expiration__removes_what_is_due_and_nothing_else(own, client, bucket):
    put(client, bucket, "logs/a", "logs/b", "keep")
    put_rules(client, bucket, rule("l", {"Prefix": "logs/"}, Expiration={"Days": 3}))
    with later(own, 2) as then:
        assert len(then.versions(bucket)) == 3
    with later(own, 3) as then:
        then.until(bucket, [("keep", "Version", "STANDARD")])


def test_expiration__by_date(own, client, bucket):
    put(client, bucket, "a")
    put_rules(client, bucket, rule(Expiration={"Date": midnight(4)}))
    with later(own, 3) as then:
        assert then.versions(bucket) == [("a", "Version", "STANDARD")]
    with later(own, 4) as then:
        then.until(bucket, [])


@pytest.mark.parametrize("where,left", [
    ({"ObjectSizeGreaterThan": 4}, ["four"]),
    ({"ObjectSizeLessThan": 5}, ["five"]),
    ({"Tag": {"Key": "k", "Value": "v"}}, ["five"]),
    ({"And": {"Prefix": "f", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "x", "Value": "y"}]}}, ["five", "four"]),
    ({"And": {"Prefix": "fo", "ObjectSizeGreaterThan": 3, "ObjectSizeLessThan": 5}}, ["five"]),
])  # fmt: skip
def test_expiration__is_of_what_the_filter_says(own, client, bucket, where, left):
    put(client, bucket, "four", size=4, Tagging="k=v")
    put(client, bucket, "five", size=5, Tagging="k=w&x=y")
    put(client, bucket, "due")  # tells that the pass is over
    put_rules(client, bucket, rule("filter", where, Expiration={"Days": 1}),
              rule("sign", {"Prefix": "due"}, Expiration={"Days": 1}))  # fmt: skip
    with later(own, 1) as then:
        then.until(bucket, [(key, "Version", "STANDARD") for key in left])


def test_expiration__of_a_versioned_bucket_makes_a_marker_once(own, client, versioned):
    put(client, versioned, "a")
    put_rules(client, versioned, rule(Expiration={"Days": 1}))
    with later(own, 1) as then:
        then.until(versioned, [("a", "DeleteMarker", ""), ("a", "old Version", "STANDARD")])
    with later(own, 2) as then:  # an old version keeps the marker
        assert then.versions(versioned) == [("a", "DeleteMarker", ""), ("a", "old Version", "STANDARD")]


def test_expiration__of_a_suspended_bucket_replaces_the_null_version(own, client, versioned):
    put(client, versioned, "a")
    client.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    put(client, versioned, "a")
    put_rules(client, versioned, rule(Expiration={"Days": 1}))
    with later(own, 1) as then:
        then.until(versioned, [("a", "DeleteMarker", ""), ("a", "old Version", "STANDARD")])


def test_noncurrent_expiration__counts_from_when_it_was_replaced(own, client, versioned):
    put(client, versioned, "a", "a", "a", "b")
    put_rules(client, versioned, rule(NoncurrentVersionExpiration={"NoncurrentDays": 2}))
    with later(own, 1) as then:
        assert len(then.versions(versioned)) == 4
    with later(own, 2) as then:
        then.until(versioned, [("a", "Version", "STANDARD"), ("b", "Version", "STANDARD")])


def test_noncurrent_expiration__keeps_the_newer_ones(own, client, versioned):
    put(client, versioned, *"aaaaab")
    put_rules(client, versioned, rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}))
    with later(own, 1) as then:
        then.until(versioned, [("a", "Version", "STANDARD"), ("a", "old Version", "STANDARD"),
                               ("a", "old Version", "STANDARD"), ("b", "Version", "STANDARD")])  # fmt: skip


def test_markers__go_once_nothing_is_below_them(own, client, versioned):
    put(client, versioned, "a", "b")
    for key in ("a", "b", "never"):
        client.delete_object(Bucket=versioned, Key=key)
    put_rules(client, versioned, rule("m", Expiration={"ExpiredObjectDeleteMarker": True}),
              rule("n", {"Prefix": "a"}, NoncurrentVersionExpiration={"NoncurrentDays": 1}))  # fmt: skip
    with later(own, 1) as then:
        then.until(versioned, [("a", "DeleteMarker", ""), ("b", "DeleteMarker", ""), ("b", "old Version", "STANDARD")])
    with later(own, 2) as then:
        then.until(versioned, [("b", "DeleteMarker", ""), ("b", "old Version", "STANDARD")])


def test_markers__go_by_age_too(own, client, versioned):
    client.delete_object(Bucket=versioned, Key="gone")
    put_rules(client, versioned, rule(Expiration={"Days": 3}))
    with later(own, 2) as then:
        assert then.versions(versioned) == [("gone", "DeleteMarker", "")]
    with later(own, 3) as then:
        then.until(versioned, [])


def test_uploads__are_aborted(own, client, bucket):
    for key in ("a/1", "a/2", "b"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    put_rules(client, bucket, rule("u", {"Prefix": "a/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}))
    with later(own, 1) as then:
        assert then.uploads(bucket) == ["a/1", "a/2", "b"]
    with later(own, 2) as then:
        process.until(lambda: then.uploads(bucket) == ["b"], lambda: then.uploads(bucket))


def test_uploads__more_than_fit_on_a_page_are_aborted(own, client, bucket):
    for number in range(230):
        client.create_multipart_upload(Bucket=bucket, Key=f"k{number % 7}")
    put_rules(client, bucket, rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    with later(own, 1) as then:
        process.until(lambda: then.uploads(bucket) == [], lambda: then.uploads(bucket))


def test_transitions__move_large_ones_to_colder_classes(own, client, bucket):
    put(client, bucket, "big", size=BIG)
    put(client, bucket, "cold", size=BIG, StorageClass="DEEP_ARCHIVE")
    put(client, bucket, "small", size=BIG - 1)
    made = client.head_object(Bucket=bucket, Key="big")
    put_rules(client, bucket, rule("t", Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"},
                                                     {"Days": 60, "StorageClass": "GLACIER"}]))  # fmt: skip
    with later(own, 30) as then:
        then.until(bucket, [("big", "Version", "STANDARD_IA"), ("cold", "Version", "DEEP_ARCHIVE"),
                            ("small", "Version", "STANDARD")])  # fmt: skip
    with later(own, 60) as then:
        then.until(bucket, [("big", "Version", "GLACIER"), ("cold", "Version", "DEEP_ARCHIVE"),
                            ("small", "Version", "STANDARD")])  # fmt: skip
    moved = client.head_object(Bucket=bucket, Key="big")
    assert moved["StorageClass"] == "GLACIER"
    assert (moved["ETag"], moved["LastModified"]) == (made["ETag"], made["LastModified"])


def test_transitions__take_small_ones_where_the_document_says_so(own, client, bucket):
    put(client, bucket, "small")
    put_rules(client, bucket, rule("ia", Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}]),
              rule("g", Transitions=[{"Days": 31, "StorageClass": "GLACIER"}]),
              TransitionDefaultMinimumObjectSize="varies_by_storage_class")  # fmt: skip
    with later(own, 30) as then:
        assert then.versions(bucket) == [("small", "Version", "STANDARD")]
    with later(own, 31) as then:
        then.until(bucket, [("small", "Version", "GLACIER")])


def test_transitions__take_small_ones_of_a_rule_with_sizes(own, client, bucket):
    put(client, bucket, "small")
    put_rules(client, bucket, rule("s", {"ObjectSizeLessThan": 10}, Transitions=[{"Days": 0, "StorageClass": "GLACIER_IR"}]))
    with later(own, 0) as then:
        then.until(bucket, [("small", "Version", "GLACIER_IR")])


def test_transitions__of_noncurrent_versions(own, client, versioned):
    put(client, versioned, "a", "a", "a", size=BIG)
    put_rules(client, versioned, rule("n", NoncurrentVersionTransitions=[
        {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1, "StorageClass": "GLACIER"}]))  # fmt: skip
    with later(own, 1) as then:
        then.until(versioned, [("a", "Version", "STANDARD"), ("a", "old Version", "STANDARD"), ("a", "old Version", "GLACIER")])


def test_rules__that_remove_go_before_those_that_move(own, client, bucket):
    put(client, bucket, "a", size=BIG)
    put_rules(client, bucket, rule("move", Transitions=[{"Days": 1, "StorageClass": "GLACIER"}]),
              rule("remove", Expiration={"Days": 1}))  # fmt: skip
    with later(own, 1) as then:
        then.until(bucket, [])


def test_rules__that_are_off_do_nothing(own, client, bucket):
    put(client, bucket, "a", "due")
    put_rules(client, bucket, rule("off", {"Prefix": "a"}, "Disabled", Expiration={"Days": 1}),
              rule("sign", {"Prefix": "due"}, Expiration={"Days": 1}))  # fmt: skip
    with later(own, 1) as then:
        then.until(bucket, [("a", "Version", "STANDARD")])


def test_pass__goes_over_pages(own, client, versioned):
    """Keys with histories that end anywhere on a page, and markers that may be the last thing on one."""
    for number in range(420):
        put(client, versioned, *[f"k{number:03}"] * (number % 5 + 1))
        if number % 7 == 0:
            client.delete_object(Bucket=versioned, Key=f"k{number:03}")
    for number in range(0, 420, 3):
        client.delete_object(Bucket=versioned, Key=f"k{number:03}-lone")
    put_rules(client, versioned, rule("n", NoncurrentVersionExpiration={"NoncurrentDays": 1}),
              rule("m", Expiration={"ExpiredObjectDeleteMarker": True}))  # fmt: skip

    def left(then):
        reply = ask(own, "GET", f"/{versioned}?versions&max-keys=1000", days=then.days)
        return [child.text for child in ElementTree.fromstring(reply.body).iter() if child.tag.endswith("}Key")]

    live = [f"k{number:03}" for number in range(420) if number % 7]
    with later(own, 2) as then:  # the second pass takes the markers that the first laid bare
        process.until(lambda: set(left(then)) <= {f"k{number:03}" for number in range(420)}, lambda: len(left(then)))
    with later(own, 3) as then:
        process.until(lambda: left(then) == live, lambda: len(left(then)))


def test_pass__removes_no_locked_version(own, client):
    bucket = f"cycle-{next(numbers)}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    put(client, bucket, "held", ObjectLockLegalHoldStatus="ON")
    put(client, bucket, "held", "free", "free")
    put_rules(client, bucket, rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    with later(own, 1) as then:
        then.until(bucket, [("free", "Version", "STANDARD"), ("held", "Version", "STANDARD"), ("held", "old Version", "STANDARD")])
    client.delete_bucket_lifecycle(Bucket=bucket)


def test_pass__is_run_at_the_start_too(own, client, bucket):
    put(client, bucket, "a")
    put_rules(client, bucket, rule(Expiration={"Date": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)}))
    own.stop()
    own.start()
    client = Cloud(own).client()
    process.until(lambda: "Contents" not in client.list_objects_v2(Bucket=bucket), lambda: "it is still there")


def test_pass__that_was_killed_is_finished_by_the_next(tmp_path):
    server = process.Server(tmp_path, "--durability", "relaxed")

    def count():
        pages = Cloud(server).client().get_paginator("list_objects_v2").paginate(Bucket="killed")
        return sum(page["KeyCount"] for page in pages)

    try:
        client = Cloud(server).client()
        client.create_bucket(Bucket="killed")
        put(client, "killed", *(f"k{number:04}" for number in range(2500)), "stays")
        date = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        put_rules(client, "killed", rule("k", {"Prefix": "k"}, Expiration={"Date": date}))
        server.kill()
        server.start()
        process.until(lambda: count() < 2501)
        server.kill()
        server.start()
        process.until(lambda: count() == 1)
        assert Cloud(server).client().list_objects_v2(Bucket="killed")["Contents"][0]["Key"] == "stays"
    finally:
        server.stop()


def test_lifecycle_day__is_as_long_as_the_setting_says(tmp_path):
    server = process.Server(tmp_path, "--lifecycle-day", "10m")
    try:
        client = Cloud(server).client()
        client.create_bucket(Bucket="short")
        put_rules(client, "short", rule("s", Expiration={"Days": 2}))
        header = client.put_object(Bucket="short", Key="a", Body=b"x")["Expiration"]
        made = client.head_object(Bucket="short", Key="a")["LastModified"].timestamp()
        due = datetime.datetime.strptime(header.split('"')[1], "%a, %d %b %Y %H:%M:%S GMT")
        due = due.replace(tzinfo=datetime.timezone.utc).timestamp()
        assert due % 600 == 0
        assert made + 1200 <= due < made + 1801
        server.clock.advance(due - made + 1)
        then = Shifted(server, (due - made) / 86400)
        then.until("short", [])
    finally:
        server.stop()
