# SPDX-License-Identifier: Apache-2.0
"""Buckets: create, head, list, location, delete, tags."""

import base64
import hashlib
import re
import urllib.parse
import zlib

import pytest

from sdk.cloud import Cloud, bucket_name
from sdk import expect
from wire import raw

# ---- CreateBucket -----------------------------------------------------------------------------


def test_CreateBucket__answers_its_location(s3):
    name = bucket_name()
    answer = s3.create_bucket(Bucket=name)
    assert (expect.status_of(answer), answer["Location"]) == (200, f"/{name}")


@pytest.mark.parametrize("name", [
    "abc", "a" * 63, "a.b.c", "1st-bucket", "bucket1", "a-b", "0-9", "192.168.5", "a1b2c3",
])  # fmt: skip
def test_CreateBucket__legal_name(s3, server, root_user, name):
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}")
    assert reply.status == 200, reply
    assert raw.signed(server.url, root_user, "HEAD", f"/{name}").status == 200


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
@pytest.mark.parametrize("name", [
    "ab", "a" * 64, "Upper", "under_score", "-start", "end-", ".start", "end.", "two..dots",
    "192.168.5.4", "xn--prefix", "sthree-prefix", "amzn-s3-demo-prefix", "suffix-s3alias",
    "suffix--ol-s3", "suffix.mrap", "suffix--x-s3", "suffix--table-s3", "sp%20ace", "star*", "a%2Fb",
    "%C3%BCmlaut",
])  # fmt: skip
def test_CreateBucket__illegal_name(server, root_user, name):
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}")
    assert (reply.status, reply.code) == (400, "InvalidBucketName"), reply
    assert reply.element("Message") == "The specified bucket is not valid."
    assert reply.element("BucketName") == urllib.parse.unquote(name)


@pytest.mark.parametrize("name,why", [
    ("ab", "it is shorter than 3 characters"), ("a" * 64, "it is longer than 63 characters"),
    ("Upper", "it has an upper-case letter"), ("under_score", "it has a character other than a-z, 0-9, '-' and '.'"),
    ("-start", "it does not begin and end with a letter or digit"), ("two..dots", "it has a '.' next to '.' or '-'"),
    ("a.-b", "it has a '.' next to '.' or '-'"), ("192.168.5.4", "it has the form of an IP address"),
    ("xn--prefix", "it begins with a prefix that S3 reserves"), ("suffix--ol-s3", "it ends with a suffix that S3 reserves"),
])  # fmt: skip
def test_CreateBucket__illegal_name_is_explained_in_the_log(server, root_user, name, why):
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}")
    assert f'why="bucket name: {why}"' in server.log_line(reply)


def test_CreateBucket__again_in_us_east_1_is_200(s3, bucket):
    s3.put_object(Bucket=bucket, Key="kept", Body=b"data")
    assert expect.status_of(s3.create_bucket(Bucket=bucket)) == 200
    assert expect.body_of(s3, bucket, "kept") == b"data"


def test_CreateBucket__again_with_tags_is_already_owned_and_leaves_the_old_tags(s3, server, root_user):
    name = bucket_name()
    old, other = [{"Key": "team", "Value": "a"}], [{"Key": "team", "Value": "b"}]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": old})
    for tagset in (old, other):
        with expect.refused(409, "BucketAlreadyOwnedByYou") as found:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tagset})
        assert found["Error"]["BucketName"] == name
    assert expect.status_of(s3.create_bucket(Bucket=name)) == 200
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == old


def test_CreateBucket__again_elsewhere_is_already_owned(make_server):
    cloud = Cloud(make_server("--region", "eu-west-1"))
    s3 = cloud.client(region="eu-west-1")
    where = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration=where)
    with expect.refused(409, "BucketAlreadyOwnedByYou"):
        s3.create_bucket(Bucket="mine", CreateBucketConfiguration=where)
    s3.create_bucket(Bucket="ours")
    with expect.refused(409, "BucketAlreadyOwnedByYou"):
        s3.create_bucket(Bucket="ours")
    for name in ("mine", "ours"):
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
        region = expect.headers_of(s3.head_bucket(Bucket=name))["x-amz-bucket-region"]
        assert region == "eu-west-1"


def test_CreateBucket__of_another_owner_already_exists(alice, bucket):
    with expect.refused(409, "BucketAlreadyExists"):
        alice.create_bucket(Bucket=bucket)


def test_CreateBucket__anonymous(anyone):
    with expect.refused(403, "AccessDenied"):
        anyone.create_bucket(Bucket=bucket_name())


def located(server, user, name, constraint, **options):
    """CreateBucket with a LocationConstraint, as it is on the wire; None: without a body."""
    body = b"" if constraint is None else (
        f'<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<LocationConstraint>{constraint}</LocationConstraint></CreateBucketConfiguration>").encode()
    return raw.signed(server.url, user, "PUT", f"/{name}", body, **options)


def told_regions(server, user, name, region="us-east-1"):
    """What HeadBucket, both listings and ListBuckets say; GetBucketLocation apart."""
    told = {raw.signed(server.url, user, method, target, region=region).header("x-amz-bucket-region")
            for method, target in (("HEAD", f"/{name}"), ("GET", f"/{name}"), ("GET", f"/{name}?list-type=2"))}
    listed = raw.signed(server.url, user, "GET", f"/?prefix={name}&max-buckets=1", region=region)
    return told | {listed.element("Buckets/Bucket/BucketRegion")}


# AWS's list, and which of its names is shown as which.
@pytest.mark.parametrize("constraint,location,region", [
    ("eu-central-1", "eu-central-1", "eu-central-1"), ("EU", "EU", "eu-west-1"), ("eu-west-1", "eu-west-1", "eu-west-1"),
    ("us-west-2", "us-west-2", "us-west-2"), ("ap-southeast-7", "ap-southeast-7", "ap-southeast-7"),
    ("mx-central-1", "mx-central-1", "mx-central-1"), ("cn-northwest-1", "cn-northwest-1", "cn-northwest-1"),
    ("us-gov-west-1", "us-gov-west-1", "us-gov-west-1"), ("us-isob-east-1", "us-isob-east-1", "us-isob-east-1"),
    ("eusc-de-east-1", "eusc-de-east-1", "eusc-de-east-1"), ("us-east-1", None, "us-east-1"), ("", None, "us-east-1"),
    (None, None, "us-east-1"),
])  # fmt: skip
def test_CreateBucket__is_in_the_region_that_was_named(server, root_user, s3, constraint, location, region):
    name = bucket_name()
    assert located(server, root_user, name, constraint).status == 200
    reply = raw.signed(server.url, root_user, "GET", f"/{name}?location")
    assert reply.body.endswith(f"2006-03-01/\">{location or ''}</LocationConstraint>".encode()), reply.body
    assert told_regions(server, root_user, name) == {region}
    shown = [b["Name"] for b in s3.list_buckets(BucketRegion=region.upper(), Prefix=name)["Buckets"]]
    assert shown == [name]


@pytest.mark.parametrize("constraint", [
    "foo", "bar", "bogus", "auto", "aws-global", "global", "local", "us-east-9", "eu-east-1", "us-east-1a", "EU-WEST-1",
    "eu", "US", "us_east_1", "fips-us-east-1", "s3-external-1", "eu-west-1,eu-west-2", "e" * 300,
])  # fmt: skip
def test_CreateBucket__name_that_is_no_region(server, root_user, constraint):
    name = bucket_name()
    reply = located(server, root_user, name, constraint)
    assert (reply.status, reply.code) == (400, "InvalidLocationConstraint"), reply
    assert reply.element("Message") == "The specified location-constraint is not valid"
    assert reply.element("LocationConstraint") == constraint
    assert raw.signed(server.url, root_user, "HEAD", f"/{name}").status == 404


def test_CreateBucket__the_servers_own_region_whatever_it_is_called(make_server):
    server = make_server("--region", "local")
    user = server.users["root"]
    assert located(server, user, "mine", "local").status == 200
    assert located(server, user, "other", "eu-west-3").status == 200
    assert located(server, user, "creator", "us-east-1").status == 200
    assert located(server, user, "bad", "locale").code == "InvalidLocationConstraint"
    assert [told_regions(server, user, name) for name in ("mine", "other", "creator")] == [
        {"local"}, {"eu-west-3"}, {"us-east-1"}]  # fmt: skip
    assert raw.signed(server.url, user, "GET", "/creator?location").element(".") in (None, "")
    assert raw.signed(server.url, user, "GET", "/?bucket-region=local").status == 200
    assert raw.signed(server.url, user, "GET", "/?bucket-region=locale").code == "InvalidArgument"


STRICT = [
    # the server's region, LocationConstraint, code or None, the name in the message
    ("eu-west-1", None, "IllegalLocationConstraintException", "unspecified"),
    ("eu-west-1", "", "IllegalLocationConstraintException", "unspecified"),
    ("eu-west-1", "us-east-2", "IllegalLocationConstraintException", "us-east-2"),
    ("eu-west-1", "us-east-1", "IllegalLocationConstraintException", "us-east-1"),
    ("eu-west-1", "bar", "IllegalLocationConstraintException", "bar"),
    ("eu-west-1", "eu-west-1", None, None),
    ("eu-west-1", "EU", None, None),
    ("eu-west-2", "EU", "IllegalLocationConstraintException", "EU"),
    ("us-east-1", None, None, None),
    ("us-east-1", "us-east-1", "InvalidLocationConstraint", None),
    ("us-east-1", "bar", "InvalidLocationConstraint", None),
    ("us-east-1", "eu-west-1", "IllegalLocationConstraintException", "eu-west-1"),
    ("us-east-1", "EU", "IllegalLocationConstraintException", "EU"),
    ("local", "local", None, None),
    ("local", "us-east-1", "IllegalLocationConstraintException", "us-east-1"),
]


def test_CreateBucket__strict_region_makes_buckets_of_its_own_region_only(make_server):
    servers = {}
    for number, (region, constraint, code, named) in enumerate(STRICT):
        if region not in servers:
            servers[region] = make_server("--region", region, "--strict-region")
        server, case = servers[region], (region, constraint)
        user = server.users["root"]
        reply = located(server, user, f"bucket{number}", constraint, region=region)
        assert (reply.status, reply.code) == ((400, code) if code else (200, None)), (case, reply)
        if named:
            assert reply.element("Message") == (
                f"The {named} location constraint is incompatible for the region specific endpoint "
                "this request was sent to."), case  # fmt: skip
        if code is None:
            assert told_regions(server, user, f"bucket{number}", region) == {region}, case


@pytest.mark.parametrize("body", [
    b"<CreateBucketConfiguration", b"not xml",
    b"<Other xmlns='http://s3.amazonaws.com/doc/2006-03-01/'/>",
    b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><CreateBucketConfiguration>"
    b"<LocationConstraint>&e;</LocationConstraint></CreateBucketConfiguration>",
])  # fmt: skip
def test_CreateBucket__malformed_configuration(server, root_user, body):
    name = bucket_name()
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}", body)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert raw.signed(server.url, root_user, "HEAD", f"/{name}").status == 404


def test_CreateBucket__bad_canned_acl(server, root_user):
    name = bucket_name()
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}", headers=[("x-amz-acl", "public-everything")])
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert raw.signed(server.url, root_user, "HEAD", f"/{name}").status == 404


@pytest.mark.parametrize("acl", ["bucket-owner-read", "bucket-owner-full-control"])
def test_CreateBucket__a_canned_acl_of_objects_is_ignored(server, root_user, s3, acl):
    name = bucket_name()
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}", headers=[("x-amz-acl", acl)])
    assert reply.status == 200, reply
    answer = s3.get_bucket_acl(Bucket=name)
    grants = [(grant["Grantee"]["ID"], grant["Permission"]) for grant in answer["Grants"]]
    assert grants == [(answer["Owner"]["ID"], "FULL_CONTROL")]
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}?acl", headers=[("x-amz-acl", acl)])
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply  # it is one of a bucket that is there


# ---- HeadBucket, GetBucketLocation --------------------------------------------------------------


def test_HeadBucket__names_the_region(s3, bucket):
    answer = s3.head_bucket(Bucket=bucket)
    assert expect.headers_of(answer)["x-amz-bucket-region"] == "us-east-1"


def test_HeadBucket__missing_is_404_without_a_body(server, root_user):
    reply = raw.signed(server.url, root_user, "HEAD", "/no-such-bucket-of-ours")
    assert (reply.status, reply.body) == (404, b"")


def test_HeadBucket__of_another_owner_is_403_and_names_the_region(server, bucket):
    for method, target in (("HEAD", ""), ("GET", ""), ("GET", "?list-type=2")):
        reply = raw.signed(server.url, server.users["alice"], method, f"/{bucket}{target}")
        assert (reply.status, reply.header("x-amz-bucket-region")) == (403, "us-east-1"), reply
        reply = raw.anonymous(server.url, method, f"/{bucket}{target}")
        assert (reply.status, reply.header("x-amz-bucket-region")) == (403, "us-east-1"), reply


def test_HeadBucket__with_a_trailing_slash(server, root_user, bucket):
    assert raw.signed(server.url, root_user, "HEAD", f"/{bucket}/").status == 200


def test_GetBucketLocation__empty_element_in_us_east_1(s3, server, root_user, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?location")
    assert b"us-east-1" not in reply.body
    assert reply.header("content-type") == "application/xml"
    assert reply.body.startswith(b"<?xml")


def test_GetBucketLocation__missing_bucket(s3):
    with expect.refused(404, "NoSuchBucket"):
        s3.get_bucket_location(Bucket="no-such-bucket-of-ours")


# ---- DeleteBucket -------------------------------------------------------------------------------


def test_DeleteBucket__is_204_and_frees_the_name(s3, alice):
    name = bucket_name()
    s3.create_bucket(Bucket=name)
    assert expect.status_of(s3.delete_bucket(Bucket=name)) == 204
    with expect.refused(404, "NoSuchBucket"):
        s3.delete_bucket(Bucket=name)
    alice.create_bucket(Bucket=name)


def test_DeleteBucket__not_empty_names_the_bucket(s3, server, root_user, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    reply = raw.signed(server.url, root_user, "DELETE", f"/{bucket}")
    assert (reply.status, reply.code, reply.element("BucketName")) == (409, "BucketNotEmpty", bucket)


def test_DeleteBucket__delete_markers_and_versions_count(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with expect.refused(409, "BucketNotEmpty"):
        s3.delete_bucket(Bucket=versioned)
    s3.delete_object(Bucket=versioned, Key="key", VersionId=first)
    with expect.refused(409, "BucketNotEmpty"):
        s3.delete_bucket(Bucket=versioned)
    s3.delete_object(Bucket=versioned, Key="key", VersionId=marker)
    s3.delete_bucket(Bucket=versioned)


def test_DeleteBucket__of_another_owner(alice, s3, bucket):
    with expect.refused(403, "AccessDenied"):
        alice.delete_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)


def test_DeleteBucket__recreated_bucket_has_nothing_of_the_old_one(s3):
    name = bucket_name()
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    s3.delete_bucket(Bucket=name)
    s3.create_bucket(Bucket=name)
    with expect.refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=name)
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    assert len(s3.get_bucket_acl(Bucket=name)["Grants"]) == 1


# ---- ListBuckets --------------------------------------------------------------------------------


def test_ListBuckets__only_ones_own(alice, bob, bucket, cloud):
    hers = cloud.new_bucket("alice")
    names = [item["Name"] for item in alice.list_buckets()["Buckets"]]
    assert hers in names
    assert bucket not in names
    assert hers not in [item["Name"] for item in bob.list_buckets()["Buckets"]]


def test_ListBuckets__anonymous_is_refused(anyone):
    with expect.refused(403, "AccessDenied"):
        anyone.list_buckets()


def test_ListBuckets__pages_and_prefix(make_server):
    s3 = Cloud(make_server()).client()
    names = [f"page-{n:02}" for n in range(7)] + ["other-a", "other-b"]
    for name in names:
        s3.create_bucket(Bucket=name)
    found, token, sizes = [], {}, []
    while True:
        answer = s3.list_buckets(MaxBuckets=4, **token)
        found += [item["Name"] for item in answer["Buckets"]]
        sizes.append(len(answer["Buckets"]))
        if not answer.get("ContinuationToken"):
            break
        token = {"ContinuationToken": answer["ContinuationToken"]}
    assert (found, sizes) == (sorted(names), [4, 4, 1])
    answer = s3.list_buckets(Prefix="other-", MaxBuckets=10)
    assert [item["Name"] for item in answer["Buckets"]] == ["other-a", "other-b"]
    assert answer["Prefix"] == "other-"
    assert {item["BucketRegion"] for item in answer["Buckets"]} == {"us-east-1"}
    assert s3.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []
    assert len(s3.list_buckets(BucketRegion="us-east-1")["Buckets"]) == 9


@pytest.mark.parametrize("query", [
    "max-buckets=0", "max-buckets=-1", "max-buckets=10001", "max-buckets=many",
    "continuation-token=%00", "continuation-token=not-ours",
])  # fmt: skip
def test_ListBuckets__bad_argument(server, root_user, query):
    reply = raw.signed(server.url, root_user, "GET", f"/?{query}")
    assert reply.status == 400, reply
    assert reply.code == ("BadRequest" if "%00" in query else "InvalidArgument"), reply


@pytest.mark.parametrize("name", ["eu-east-1", "us-east-9", "global", "local", "us-east-1a", "", "us-east-1%20", "EU"])
def test_ListBuckets__region_that_is_none(server, root_user, name):
    reply = raw.signed(server.url, root_user, "GET", f"/?bucket-region={name}")
    shown = name.replace("%20", " ")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert reply.element("Message") == f"Argument value {shown} is not a valid AWS Region"
    assert reply.element("ArgumentName") == "bucket-region"
    assert reply.element("ArgumentValue") is None


def test_ListBuckets__strict_region_lists_its_own_region_only(make_server):
    server = make_server("--region", "eu-west-1", "--strict-region")
    user = server.users["root"]
    assert raw.signed(server.url, user, "GET", "/?bucket-region=eu-west-1", region="eu-west-1").status == 200
    reply = raw.signed(server.url, user, "GET", "/?bucket-region=us-east-2", region="eu-west-1")
    assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "bucket-region"), reply
    assert reply.element("Message") == (
        "Requests with bucket-region specified must be made to the corresponding regional endpoint")


def test_ListBuckets__every_bucket_has_an_arn(server, root_user, bucket):
    for query in ("/", "/?prefix=" + bucket, "/?max-buckets=10000", "/?max-buckets=", "/?continuation-token="):
        reply = raw.signed(server.url, root_user, "GET", query)
        arn = f"<Name>{bucket}</Name>.*?<BucketArn>arn:aws:s3:::{bucket}</BucketArn></Bucket>"
        assert reply.status == 200
        assert re.search(arn.encode(), reply.body)
        assert reply.body.count(b"<BucketArn>") == reply.body.count(b"<Bucket>")


@pytest.mark.parametrize("value", ["0", "10001", "2147483647"])
def test_ListBuckets__max_buckets_out_of_range(server, root_user, value):
    reply = raw.signed(server.url, root_user, "GET", f"/?max-buckets={value}")
    assert reply.refusal() == (
        400, "InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000",
        {"ArgumentName": "max-buckets", "ArgumentValue": value})  # fmt: skip


def test_ListBuckets__a_token_that_is_not_ours(server, root_user):
    reply = raw.signed(server.url, root_user, "GET", "/?continuation-token=not-ours")
    assert reply.refusal() == (
        400, "InvalidArgument", "The continuation token provided is incorrect", {"ArgumentName": "continuation-token"})


def test_DeleteBucket__says_that_versions_count(server, root_user, s3, bucket, versioned):
    for name, more in ((bucket, ""), (versioned, ". You must delete all versions in the bucket.")):
        s3.put_object(Bucket=name, Key="key", Body=b"")
        reply = raw.signed(server.url, root_user, "DELETE", f"/{name}")
        assert reply.refusal() == (
            409, "BucketNotEmpty", f"The bucket you tried to delete is not empty{more}", {"BucketName": name})
    s3.delete_object(Bucket=versioned, Key="key")
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    assert raw.signed(server.url, root_user, "DELETE", f"/{versioned}").element("Message").endswith("in the bucket.")


def test_ListBuckets__document(server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "GET", "/")
    assert reply.status == 200
    assert reply.header("content-type") == "application/xml"
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in reply.body
    date = re.search(rb"<CreationDate>([^<]+)</CreationDate>", reply.body)[1].decode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", date)


# ---- every answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method,target", [
    ("GET", "/"), ("HEAD", "/"), ("GET", "/no-such-bucket-of-ours"), ("GET", "/no-such-bucket-of-ours/key"),
])  # fmt: skip
def test_every_answer__has_ids_date_and_server(server, root_user, method, target):
    reply = raw.signed(server.url, root_user, method, target)
    assert reply.header("x-amz-request-id")
    assert reply.header("x-amz-id-2")
    assert reply.header("server")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply.header("date"))
    if method == "GET" and reply.status >= 400:
        assert reply.element("RequestId") == reply.header("x-amz-request-id")
        assert reply.element("HostId") == reply.header("x-amz-id-2")
        assert reply.facts == {"BucketName": "no-such-bucket-of-ours"}
        assert b"xmlns" not in reply.body


def test_every_bucket_operation__missing_bucket(s3):
    gone = {"Bucket": "no-such-bucket-of-ours"}
    calls = [
        lambda: s3.list_objects(**gone), lambda: s3.list_objects_v2(**gone),
        lambda: s3.list_object_versions(**gone), lambda: s3.list_multipart_uploads(**gone),
        lambda: s3.get_bucket_versioning(**gone), lambda: s3.get_bucket_acl(**gone),
        lambda: s3.get_bucket_tagging(**gone), lambda: s3.get_bucket_cors(**gone),
        lambda: s3.put_bucket_versioning(VersioningConfiguration={"Status": "Enabled"}, **gone),
        lambda: s3.put_bucket_tagging(Tagging={"TagSet": []}, **gone),
        lambda: s3.put_bucket_acl(ACL="private", **gone),
        lambda: s3.delete_bucket_tagging(**gone),
        lambda: s3.delete_objects(Delete={"Objects": [{"Key": "a"}]}, **gone),
        lambda: s3.put_object(Key="k", Body=b"x", **gone), lambda: s3.get_object(Key="k", **gone),
        lambda: s3.delete_object(Key="k", **gone), lambda: s3.get_object_tagging(Key="k", **gone),
        lambda: s3.create_multipart_upload(Key="k", **gone),
        lambda: s3.copy_object(Key="k", CopySource="a/b", **gone),
        lambda: s3.list_parts(Key="k", UploadId="0" * 32, **gone),
    ]  # fmt: skip
    for number, call in enumerate(calls):
        try:
            with expect.refused(404, "NoSuchBucket"):
                call()
        except AssertionError as failure:
            raise AssertionError(f"call {number}: {failure}") from failure


# ---- tags -------------------------------------------------------------------------------------------


def tags(count):
    return [{"Key": f"key{n}", "Value": f"value {n}"} for n in range(count)]


def test_PutBucketTagging__replaces(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(50)})
    assert len(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == 50
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(2)})
    assert sorted(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], key=str) == tags(2)


def test_DeleteBucketTagging__removes_the_set(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(2)})
    assert expect.status_of(s3.delete_bucket_tagging(Bucket=bucket)) == 204
    assert expect.status_of(s3.delete_bucket_tagging(Bucket=bucket)) == 204
    with expect.refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)


def test_GetBucketTagging__only_the_owner(alice, s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(1)})
    with expect.refused(403, "AccessDenied"):
        alice.get_bucket_tagging(Bucket=bucket)
    with expect.refused(403, "AccessDenied"):
        alice.delete_bucket_tagging(Bucket=bucket)
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(1)


def test_PutBucketTagging__unicode_and_markup_survive(s3, bucket):
    wanted = [{"Key": "größe", "Value": "a+b = c/d @ e:f_g-h.i"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": wanted})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == wanted


def tag_document(pairs):
    tags = "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in pairs)
    return f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()


def md5(body):
    return ("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode())


KEY = "The TagKey you have provided is invalid"
VALUE = "The TagValue you have provided is invalid"
TWICE = "Cannot provide multiple Tags with the same key"
SYSTEM = "System tags cannot be added/updated by requester"
NEW_SYSTEM = (
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag '
    "keys and try again.")  # fmt: skip
BAD_TAGS = {
    "51 tags": ([(f"k{n}", "v") for n in range(51)], ("BadRequest", "Bucket tag count cannot be greater than 50", None, None)),
    "duplicate": ([("a", "1"), ("a", "2")], ("InvalidTag", TWICE, "a", None)),
    "long key": ([("k" * 129, "")], ("InvalidTag", KEY, "k" * 129, None)),
    "long value": ([("k", "v" * 257)], ("InvalidTag", VALUE, "k", "v" * 257)),
    "empty key": ([("", "v")], ("InvalidTag", KEY, "", None)),
    "aws: prefix": ([("aws:reserved", "v")], ("InvalidTag", SYSTEM, "aws:reserved", None)),
    "emoji": ([("k", "\U0001f600")], ("InvalidTag", VALUE, "k", "\U0001f600")),
    "tab": ([("a&#9;b", "v")], ("InvalidTag", KEY, "a\tb", None)),
    "markup": ([("k", "a &lt; b")], ("InvalidTag", VALUE, "k", "a < b")),
}


@pytest.mark.parametrize("case", BAD_TAGS)
def test_PutBucketTagging__bad_tag_changes_nothing(server, root_user, s3, bucket, case):
    pairs, wanted = BAD_TAGS[case]
    kept = [{"Key": "kept", "Value": "1"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": kept})
    body = tag_document(pairs)
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?tagging", body, [md5(body)])
    facts = tuple(reply.element(name) for name in ("Code", "Message", "TagKey", "TagValue"))
    assert (reply.status, facts) == (400, wanted), reply
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == kept


@pytest.mark.parametrize("case", BAD_TAGS)
def test_CreateBucket__bad_tag_makes_no_bucket(server, root_user, case):
    pairs, wanted = BAD_TAGS[case]
    if case == "aws: prefix":
        wanted = ("InvalidTag", NEW_SYSTEM, None, None)
    name = bucket_name()
    body = tag_document(pairs).replace(b"Tagging>", b"CreateBucketConfiguration>").replace(b"TagSet>", b"Tags>")
    reply = raw.signed(server.url, root_user, "PUT", f"/{name}", body)
    facts = tuple(reply.element(element) for element in ("Code", "Message", "TagKey", "TagValue"))
    assert (reply.status, facts) == (400, wanted), reply
    assert raw.signed(server.url, root_user, "HEAD", f"/{name}").status == 404


@pytest.mark.parametrize("body", [b"<Tagging/>", b"<Tagging><TagSet/></Tagging>",
                                  b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'])  # fmt: skip
def test_PutBucketTagging__document_without_tags_removes_them(server, root_user, s3, bucket, body):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(2)})
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?tagging", body, [md5(body)])
    assert reply.status == 204, reply
    with expect.refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)


def test_PutBucketTagging__needs_a_checksum_of_its_own(server, root_user, s3, bucket):
    body = tag_document([("a", "b")])
    crc32 = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    for payload in (None, raw.UNSIGNED):
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?tagging", body, payload=payload)
        assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
        assert reply.element("Message") == "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
    with expect.refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)
    for header in (md5(body), ("x-amz-checksum-crc32", crc32)):
        assert raw.signed(server.url, root_user, "PUT", f"/{bucket}?tagging", body, [header]).status == 204, header


def test_PutBucketVersioning__needs_no_checksum(server, root_user, s3, bucket):
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}?versioning", body).status == 200
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_PutBucketTagging__longest_key_and_value(s3, bucket):
    wanted = [{"Key": "k" * 128, "Value": "v" * 256}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": wanted})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == wanted
