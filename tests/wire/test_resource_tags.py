# SPDX-License-Identifier: Apache-2.0
"""Tags of buckets: as S3 Control sets them one by one, and as conditions of policies where ABAC is enabled.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
"""

import concurrent.futures
import json
import xml.etree.ElementTree as ET

import pytest

from sdk import expect
from wire import raw

ACCOUNT = "000000000000"
NAMESPACE = "{http://awss3control.amazonaws.com/doc/2018-08-20/}"


def tags_xml(pairs):
    tags = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in pairs)
    return (f'<TagResourceRequest xmlns="{NAMESPACE[1:-1]}"><Tags>{tags}</Tags></TagResourceRequest>').encode()


@pytest.fixture
def control(server, root_user, bucket):
    """control(method, query="", body=b"", arn=, account=, user=, host=): a call about the bucket."""

    def ask(method, query="", body=b"", arn=None, account=ACCOUNT, user=root_user, host=None):
        path = f"/v20180820/tags/{raw.quote(arn or f'arn:aws:s3:::{bucket}')}"
        headers = [("Host", host or raw.host_of(server.url))]
        if account is not None:
            headers.append(("x-amz-account-id", account))
        request = raw.Request(method, path + (f"?{query}" if query else ""), headers, body)
        raw.sign_v4(request, user)
        return raw.send(server.url, request)

    return ask


def why(reply):
    """Status and code of an error in the form of S3 Control."""
    root = ET.fromstring(reply.body)
    assert root.tag == NAMESPACE + "ErrorResponse", reply
    return reply.status, root.find(f"{NAMESPACE}Error/{NAMESPACE}Code").text


def listed(control):
    reply = control("GET")
    root = ET.fromstring(reply.body)
    assert (reply.status, root.tag) == (200, NAMESPACE + "ListTagsForResourceResult")
    return [tuple(child.text or "" for child in tag) for tag in root.find(NAMESPACE + "Tags")]


def tag_set(s3, bucket):
    return [(tag["Key"], tag["Value"]) for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]]


# ---- what they do ------------------------------------------------------------------------------------------------


def test_TagResource__adds_and_replaces_and_leaves_the_others(s3, bucket, control):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]})
    reply = control("POST", body=tags_xml([("c", "3"), ("a", "new")]))
    assert (reply.status, reply.body) == (204, b"")
    assert tag_set(s3, bucket) == [("a", "new"), ("b", "2"), ("c", "3")] == listed(control)


def test_UntagResource__removes_those_that_are_named(s3, bucket, control):
    control("POST", body=tags_xml([("a", "1"), ("b c", "2"), ("d", "3")]))
    reply = control("DELETE", "tagKeys=a&tagKeys=b%20c&tagKeys=none")
    assert (reply.status, reply.body) == (204, b"")
    assert tag_set(s3, bucket) == [("d", "3")]
    assert control("DELETE", "tagKeys=d").status == 204
    with expect.refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)


def test_ListTagsForResource__of_a_bucket_without_tags_is_empty(control):
    assert listed(control) == []


@pytest.mark.parametrize("host", [f"{ACCOUNT}.localhost", f"{ACCOUNT}.s3-control.localhost", "localhost"])
def test_ListTagsForResource__at_every_host_that_clients_make(control, server, host):
    if "store" not in raw.host_of(server.url):
        assert control("GET", host=host).status == 200


def test_TagResource__of_many_at_once_all_count(s3, bucket, control):
    """Who loses its bucket's state too often is told so (409), and asks again."""

    def tag(n):
        for _ in range(100):
            if control("POST", body=tags_xml([(f"k{n}", "v")])).status == 204:
                return

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(tag, range(8)))
    assert sorted(key for key, _ in tag_set(s3, bucket)) == [f"k{n}" for n in range(8)]


# ---- what they refuse --------------------------------------------------------------------------------------------


def test_TagResource__fifty_are_the_most(control):
    assert control("POST", body=tags_xml([(f"k{n}", "v") for n in range(50)])).status == 204
    assert control("POST", body=tags_xml([("k0", "new")])).status == 204
    assert why(control("POST", body=tags_xml([("one more", "v")]))) == (400, "TooManyTags")
    assert len(listed(control)) == 50


@pytest.mark.parametrize("pairs,refusal", [
    ([("k" * 128, "v" * 256)], None),
    ([("k" * 129, "v")], (400, "InvalidTag")),
    ([("k", "v" * 257)], (400, "InvalidTag")),
    ([("", "v")], (400, "InvalidTag")),
    ([("aws:k", "v")], (400, "InvalidTag")),
    ([("k", "1"), ("k", "2")], (400, "InvalidTag")),
    ([(f"k{n}", "v") for n in range(51)], (400, "BadRequest")),
])  # fmt: skip
def test_TagResource__tags_have_the_limits_of_tags(control, pairs, refusal):
    reply = control("POST", body=tags_xml(pairs))
    assert (why(reply) if refusal else reply.status) == (refusal or 204)
    assert listed(control) == ([] if refusal else pairs)


@pytest.mark.parametrize("body,refusal", [
    (b"", (400, "MissingRequestBodyError")),
    (b"<TagResourceRequest/>", (400, "MalformedXML")),
    (b"<TagResourceRequest><Tag/></TagResourceRequest>", (400, "MalformedXML")),
    (b"<TagResourceRequest><Tags/><Tags/></TagResourceRequest>", (400, "MalformedXML")),
    (b"<Tagging><TagSet/></Tagging>", (400, "MalformedXML")),
    (tags_xml([]), None),
])  # fmt: skip
def test_TagResource__documents(control, body, refusal):
    reply = control("POST", body=body)
    assert (why(reply) if refusal else reply.status) == (refusal or 204)


@pytest.mark.parametrize("count,refusal", [(0, (400, "InvalidArgument")), (50, None), (51, (400, "InvalidArgument"))])
def test_UntagResource__names_between_one_and_fifty(control, count, refusal):
    reply = control("DELETE", "&".join(f"tagKeys=k{n}" for n in range(count)))
    assert (why(reply) if refusal else reply.status) == (refusal or 204)


@pytest.mark.parametrize("account,refusal", [
    ("", (400, "InvalidRequest")), ("12345678901", (400, "InvalidRequest")), ("0000000000000", (400, "InvalidRequest")),
    ("00000000000a", (400, "InvalidRequest")), ("999999999999", (403, "AccessDenied")),
])  # fmt: skip
def test_ListTagsForResource__the_account_is_the_owner_s_or_the_caller_s(control, account, refusal):
    assert why(control("GET", account=account)) == refusal


@pytest.mark.parametrize("arn,refusal", [
    ("arn:aws:s3:::no-such-bucket", (404, "NoSuchBucket")),
    ("arn:aws:s3:::bucket/key", (400, "InvalidBucketName")),
    ("arn:aws:s3:us-east-1:000000000000:accesspoint/name", (501, "NotImplemented")),
    ("arn:aws:s3:us-east-1:000000000000:storage-lens-group/name", (501, "NotImplemented")),
    ("arn:aws:s3express:us-east-1:000000000000:bucket/b--x-s3", (501, "NotImplemented")),
    ("bucket", (501, "NotImplemented")),
])  # fmt: skip
def test_ListTagsForResource__of_what_is_no_bucket_here(control, arn, refusal):
    assert why(control("GET", arn=arn)) == refusal


@pytest.mark.parametrize("method,path", [
    ("GET", "accesspoint"), ("GET", "configuration/publicAccessBlock"), ("POST", "jobs"), ("PUT", "accesspoint/name"),
    ("GET", "tags"), ("DELETE", "bucket/name"),
])  # fmt: skip
def test_S3Control__everything_else_is_not_there(server, root_user, method, path):
    reply = raw.signed(server.url, root_user, method, f"/v20180820/{path}", headers=[("x-amz-account-id", ACCOUNT)])
    assert why(reply) == (501, "NotImplemented")


def test_S3Control__a_bucket_of_that_name_is_a_bucket(server, root_user, s3):
    s3.create_bucket(Bucket="v20180820")
    try:
        s3.put_object(Bucket="v20180820", Key="tags/arn:aws:s3:::b", Body=b"x")
        assert s3.get_object(Bucket="v20180820", Key="tags/arn:aws:s3:::b")["Body"].read() == b"x"
    finally:
        s3.delete_object(Bucket="v20180820", Key="tags/arn:aws:s3:::b")
        s3.delete_bucket(Bucket="v20180820")


def test_S3Control__a_wrong_signature_is_told_in_its_form(server, bucket, control):
    user = raw.User("x", server.users["root"].access_key, "wrong")
    assert why(control("GET", user=user)) == (403, "SignatureDoesNotMatch")


def test_TagResource__asks_for_actions_of_its_own(server, s3, bucket, control):
    alice = server.users["alice"]
    calls = {"s3:ListTagsForResource": lambda: control("GET", user=alice),
             "s3:TagResource": lambda: control("POST", body=tags_xml([("a", "1")]), user=alice),
             "s3:UntagResource": lambda: control("DELETE", "tagKeys=a", user=alice)}  # fmt: skip
    for action, call in calls.items():
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}"}}))  # fmt: skip
        assert {name: other().status for name, other in calls.items()} == {
            name: (200 if name.endswith("ListTagsForResource") else 204) if name == action else 403 for name in calls}  # fmt: skip
        assert why(calls["s3:TagResource" if action != "s3:TagResource" else "s3:UntagResource"]()) == (403, "AccessDenied")


# ---- tags that decide --------------------------------------------------------------------------------------------


def abac(s3, bucket, status):
    s3.put_bucket_abac(Bucket=bucket, AbacStatus={"Status": status})


def test_GetBucketAbac__shows_what_was_put(server, root_user, s3, bucket):
    assert s3.get_bucket_abac(Bucket=bucket)["AbacStatus"] == {"Status": "Disabled"}
    for status in ("Enabled", "Disabled"):
        abac(s3, bucket, status)
        assert s3.get_bucket_abac(Bucket=bucket)["AbacStatus"] == {"Status": status}


@pytest.mark.parametrize("body", [b"<AbacStatus/>", b"<AbacStatus><Status>enabled</Status></AbacStatus>",
                                  b"<AbacStatus><Status>Enabled</Status><Status>Enabled</Status></AbacStatus>",
                                  b"<Abac><Status>Enabled</Status></Abac>"])  # fmt: skip
def test_PutBucketAbac__refuses_other_words(server, root_user, bucket, body):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?abac", body)
    assert (reply.status, reply.code) == (400, "MalformedXML")


def test_PutBucketAbac__tags_are_set_by_TagResource_alone(s3, bucket, control):
    tagging = {"TagSet": [{"Key": "a", "Value": "1"}]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tagging)
    abac(s3, bucket, "Enabled")
    with expect.refused(400, "InvalidRequest"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    with expect.refused(400, "InvalidRequest"):
        s3.delete_bucket_tagging(Bucket=bucket)
    assert tag_set(s3, bucket) == [("a", "1")]
    assert control("POST", body=tags_xml([("b", "2")])).status == 204
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tagging)  # an object's are another thing
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    abac(s3, bucket, "Disabled")
    s3.delete_bucket_tagging(Bucket=bucket)


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "s3:BucketTag/team"])
def test_PutBucketAbac__conditions_ask_for_the_bucket_s_tags_while_it_is_enabled(s3, alice, bucket, control, key):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": {
        "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"StringEquals": {key: "blue"}}}}))  # fmt: skip

    def may():
        try:
            alice.get_object(Bucket=bucket, Key="k")
            alice.list_objects_v2(Bucket=bucket)
        except alice.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            return False
        return True

    assert control("POST", body=tags_xml([("team", "blue")])).status == 204
    assert not may()  # it has the tag, which decides nothing yet
    abac(s3, bucket, "Enabled")
    assert may()
    assert control("POST", body=tags_xml([("team", "red")])).status == 204
    assert not may()
    assert control("DELETE", "tagKeys=team").status == 204
    assert not may()
    assert control("POST", body=tags_xml([("team", "blue")])).status == 204
    assert may()
    abac(s3, bucket, "Disabled")
    assert not may()


def test_PutBucketAbac__a_denial_by_tag_holds_for_others_and_the_owner_s_users(s3, bucket, control):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/frozen": "yes"}}}}))  # fmt: skip
    control("POST", body=tags_xml([("frozen", "yes")]))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    abac(s3, bucket, "Enabled")
    with expect.refused(403, "AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
