# SPDX-License-Identifier: Apache-2.0
"""Versioning: never, enabled, suspended; delete markers; versions by id.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
"""

import pytest

from sdk import expect
from wire import raw


def set_state(s3, bucket, state):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})


def history(s3, bucket, key="key"):
    """[(version id, is latest, size or None for a marker)] newest first, as listed one by one."""
    found, markers = [], {}
    while True:
        answer = s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=1, **markers)
        for item in answer.get("Versions", []) + answer.get("DeleteMarkers", []):
            if item["Key"] == key:
                found.append((item["VersionId"], item["IsLatest"], item.get("Size")))
        if not answer["IsTruncated"]:
            return found
        markers = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer["NextVersionIdMarker"]}


# ---- state ----------------------------------------------------------------------------------------


def test_GetBucketVersioning__absent_enabled_suspended(s3, server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?versioning")
    assert b"<Status>" not in reply.body
    assert b"VersioningConfiguration" in reply.body
    for state in ("Enabled", "Suspended", "Enabled"):
        set_state(s3, bucket, state)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == state


@pytest.mark.parametrize("body,code", [
    (b"", "MissingRequestBodyError"), (b"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>", "MalformedXML"),
    (b"<VersioningConfiguration>", "MalformedXML"), (b"<Versioning/>", "MalformedXML"),
    (b"<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>", "MalformedXML"),
    (b"<VersioningConfiguration><Status/></VersioningConfiguration>", "MalformedXML"),
    (b"<VersioningConfiguration><MfaDelete>Maybe</MfaDelete><Status>Enabled</Status></VersioningConfiguration>", "MalformedXML"),
])  # fmt: skip
def test_PutBucketVersioning__malformed(server, root_user, s3, bucket, body, code):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?versioning", body)
    assert (reply.status, reply.code) == (400, code), reply
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_PutBucketVersioning__without_a_status(server, root_user, s3, bucket):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?versioning", b"<VersioningConfiguration/>")
    assert (reply.status, reply.code) == (400, "IllegalVersioningConfigurationException"), reply


def test_PutBucketVersioning__mfa_delete_is_not_dropped(s3, bucket):
    with expect.refused(501, "NotImplemented"):
        s3.put_bucket_versioning(
            Bucket=bucket, MFA="arn 123456", VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"})
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_PutBucketVersioning__mfa_delete_that_stays_off_is_taken(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled", "MFADelete": "Disabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_PutBucketVersioning__a_code_that_nobody_can_check_is_refused(s3, versioned):
    """Whoever sends one wants it to be needed: what it would protect is not done without."""
    version = s3.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"]
    with expect.refused(501, "NotImplemented"):
        s3.put_bucket_versioning(Bucket=versioned, MFA="arn 123456", VersioningConfiguration={"Status": "Suspended"})
    with expect.refused(501, "NotImplemented"):
        s3.delete_object(Bucket=versioned, Key="k", VersionId=version, MFA="arn 123456")
    with expect.refused(501, "NotImplemented"):
        s3.delete_objects(Bucket=versioned, MFA="arn 123456", Delete={"Objects": [{"Key": "k", "VersionId": version}]})
    assert s3.get_object(Bucket=versioned, Key="k", VersionId=version)["Body"].read() == b"x"
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"


def test_PutBucketVersioning__only_the_owner(alice, bucket):
    with expect.refused(403, "AccessDenied"):
        set_state(alice, bucket, "Enabled")
    with expect.refused(403, "AccessDenied"):
        alice.get_bucket_versioning(Bucket=bucket)


# ---- never versioned ------------------------------------------------------------------------------


def test_versioning_never__no_version_ids(s3, bucket):
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="key", Body=b"one")
    s3.put_object(Bucket=bucket, Key="key", Body=b"second")
    assert history(s3, bucket) == [("null", True, 6)]
    got = s3.get_object(Bucket=bucket, Key="key")
    assert "VersionId" not in got
    assert expect.body_of(s3, bucket, "key", VersionId="null") == b"second"
    answer = s3.delete_object(Bucket=bucket, Key="key")
    assert "DeleteMarker" not in answer and "VersionId" not in answer
    assert history(s3, bucket) == []


def test_versioning_never__deleting_the_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"one")
    s3.delete_object(Bucket=bucket, Key="key", VersionId="null")
    assert history(s3, bucket) == []


# ---- enabled --------------------------------------------------------------------------------------


def test_versioning_enabled__every_write_is_a_version(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="key", Body=b"x" * n)["VersionId"] for n in range(1, 4)]
    assert len(set(ids)) == 3 and "null" not in ids
    assert history(s3, versioned) == [(ids[2], True, 3), (ids[1], False, 2), (ids[0], False, 1)]
    for n, version in enumerate(ids, 1):
        got = s3.get_object(Bucket=versioned, Key="key", VersionId=version)
        assert (got["Body"].read(), got["VersionId"]) == (b"x" * n, version)
        head = s3.head_object(Bucket=versioned, Key="key", VersionId=version)
        assert (head["ContentLength"], head["VersionId"]) == (n, version)
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == ids[2]


def test_versioning_enabled__keeps_what_was_there_as_null(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"before")
    set_state(s3, bucket, "Enabled")
    assert s3.get_object(Bucket=bucket, Key="key")["VersionId"] == "null"
    new = s3.put_object(Bucket=bucket, Key="key", Body=b"after")["VersionId"]
    assert history(s3, bucket) == [(new, True, 5), ("null", False, 6)]
    assert expect.body_of(s3, bucket, "key", VersionId="null") == b"before"


def test_versioning_enabled__delete_adds_a_marker(s3, versioned):
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"data")["VersionId"]
    answer = s3.delete_object(Bucket=versioned, Key="key")
    assert answer["DeleteMarker"] is True
    marker = answer["VersionId"]
    assert marker != version
    assert history(s3, versioned) == [(marker, True, None), (version, False, 4)]
    with expect.refused(404, "NoSuchKey") as error:
        s3.get_object(Bucket=versioned, Key="key")
    headers = error["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    with expect.refused(404, "404") as error:
        s3.head_object(Bucket=versioned, Key="key")
    assert error["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert expect.body_of(s3, versioned, "key", VersionId=version) == b"data"
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0


def test_versioning_enabled__a_marker_cannot_be_read(s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with expect.refused(405, "MethodNotAllowed") as error:
        s3.get_object(Bucket=versioned, Key="key", VersionId=marker)
    headers = error["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true"
    assert headers["last-modified"]
    assert headers["allow"] == "DELETE"
    with expect.refused(405, "405"):
        s3.head_object(Bucket=versioned, Key="key", VersionId=marker)


TAGS = b"<Tagging><TagSet/></Tagging>"
ACL = [("x-amz-acl", "private")]
ATTRIBUTES = [("x-amz-object-attributes", "ETag")]
ABSENT, MARKER = (404, "NoSuchKey"), (405, "MethodNotAllowed")


# What each operation says of a key whose current version is a delete marker, and of the version before; with
# the marker's id it is always 405. Reading the object and its ACL finds nothing, tags and writes find a marker.
@pytest.mark.parametrize("method,sub,body,headers,current,of_old", [
    ("GET", "", b"", [], ABSENT, 200), ("HEAD", "", b"", [], ABSENT, 200), ("GET", "partNumber=1", b"", [], ABSENT, 206),
    ("GET", "attributes", b"", ATTRIBUTES, ABSENT, 200), ("GET", "acl", b"", [], ABSENT, 200),
    ("PUT", "acl", b"", ACL, MARKER, 200), ("GET", "tagging", b"", [], MARKER, 200),
    ("PUT", "tagging", TAGS, [], MARKER, 200), ("DELETE", "tagging", b"", [], MARKER, 204),
])  # fmt: skip
def test_versioning_enabled__what_a_delete_marker_is_to_each_operation(
        server, root_user, s3, versioned, method, sub, body, headers, current, of_old):  # fmt: skip
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"data")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    for version, (status, code) in (("", current), (f"versionId={marker}", MARKER)):
        query = "&".join(part for part in (sub, version) if part)
        reply = raw.signed(server.url, root_user, method, f"/{versioned}/key?{query}".rstrip("?"), body, headers)
        assert (reply.status, reply.header("x-amz-delete-marker")) == (status, "true"), reply
        assert reply.header("x-amz-version-id") == marker
        if method != "HEAD":
            assert reply.code == code, reply
            assert reply.facts == ({"Key": "key"} if code == "NoSuchKey" else
                                   {"Method": method, "ResourceType": "DeleteMarker"})  # fmt: skip
        if status == 405:
            assert reply.header("last-modified") and reply.header("allow") == "DELETE"
    query = "&".join(part for part in (sub, f"versionId={old}") if part)
    assert raw.signed(server.url, root_user, method, f"/{versioned}/key?{query}", body, headers).status == of_old


def test_versioning_enabled__removing_the_marker_brings_it_back(s3, versioned):
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"data")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = s3.delete_object(Bucket=versioned, Key="key", VersionId=marker)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker)
    assert expect.body_of(s3, versioned, "key") == b"data"
    assert history(s3, versioned) == [(version, True, 4)]


def test_versioning_enabled__removing_the_latest_shows_the_one_before(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="key", Body=b"x" * n)["VersionId"] for n in range(1, 4)]
    answer = s3.delete_object(Bucket=versioned, Key="key", VersionId=ids[2])
    assert answer["VersionId"] == ids[2]
    assert "DeleteMarker" not in answer
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == ids[1]
    s3.delete_object(Bucket=versioned, Key="key", VersionId=ids[0])
    assert history(s3, versioned) == [(ids[1], True, 2)]
    s3.delete_object(Bucket=versioned, Key="key", VersionId=ids[1])
    assert history(s3, versioned) == []
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=versioned, Key="key")


def test_versioning_enabled__delete_of_a_missing_key_adds_a_marker(s3, versioned):
    answer = s3.delete_object(Bucket=versioned, Key="absent")
    assert answer["DeleteMarker"] is True
    assert history(s3, versioned, "absent") == [(answer["VersionId"], True, None)]
    again = s3.delete_object(Bucket=versioned, Key="absent")
    assert again["VersionId"] != answer["VersionId"]
    assert len(history(s3, versioned, "absent")) == 2


def test_versioning_enabled__delete_of_a_missing_version_is_204(s3, versioned, gone):
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"data")["VersionId"]
    answer = s3.delete_object(Bucket=versioned, Key="key", VersionId=gone)
    assert expect.status_of(answer) == 204
    assert history(s3, versioned) == [(version, True, 4)]


# ---- suspended ------------------------------------------------------------------------------------


def test_versioning_suspended__writes_the_null_version(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    set_state(s3, versioned, "Suspended")
    assert s3.put_object(Bucket=versioned, Key="key", Body=b"null1").get("VersionId") in (None, "null")
    assert history(s3, versioned) == [("null", True, 5), (old, False, 3)]
    s3.put_object(Bucket=versioned, Key="key", Body=b"null-2")
    assert history(s3, versioned) == [("null", True, 6), (old, False, 3)]
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == "null"
    assert expect.body_of(s3, versioned, "key", VersionId=old) == b"old"


def test_versioning_suspended__delete_replaces_the_null_version_by_a_marker(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    set_state(s3, versioned, "Suspended")
    s3.put_object(Bucket=versioned, Key="key", Body=b"null1")
    answer = s3.delete_object(Bucket=versioned, Key="key")
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert history(s3, versioned) == [("null", True, None), (old, False, 3)]
    s3.delete_object(Bucket=versioned, Key="key")
    assert history(s3, versioned) == [("null", True, None), (old, False, 3)]
    s3.put_object(Bucket=versioned, Key="key", Body=b"again")
    assert history(s3, versioned) == [("null", True, 5), (old, False, 3)]


def test_versioning_suspended__then_enabled_keeps_the_null_version(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    set_state(s3, versioned, "Suspended")
    s3.put_object(Bucket=versioned, Key="key", Body=b"22")
    set_state(s3, versioned, "Enabled")
    last = s3.put_object(Bucket=versioned, Key="key", Body=b"333")["VersionId"]
    assert history(s3, versioned) == [(last, True, 3), ("null", False, 2), (first, False, 1)]
    s3.delete_object(Bucket=versioned, Key="key", VersionId="null")
    assert history(s3, versioned) == [(last, True, 3), (first, False, 1)]


def test_versioning_suspended__null_moves_to_the_top(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    set_state(s3, bucket, "Enabled")
    middle = s3.put_object(Bucket=bucket, Key="key", Body=b"22")["VersionId"]
    set_state(s3, bucket, "Suspended")
    s3.put_object(Bucket=bucket, Key="key", Body=b"333")
    assert history(s3, bucket) == [("null", True, 3), (middle, False, 2)]


# ---- ids --------------------------------------------------------------------------------------------


def test_GetObject__version_id_of_another_key(s3, versioned):
    version = s3.put_object(Bucket=versioned, Key="a", Body=b"a")["VersionId"]
    s3.put_object(Bucket=versioned, Key="b", Body=b"b")
    with expect.refused(404, "NoSuchVersion"):
        s3.get_object(Bucket=versioned, Key="b", VersionId=version)
    with expect.refused(404, "404"):
        s3.head_object(Bucket=versioned, Key="b", VersionId=version)
    s3.delete_object(Bucket=versioned, Key="b", VersionId=version)
    assert expect.body_of(s3, versioned, "a", VersionId=version) == b"a"


def test_GetObject__null_version_where_there_is_none(s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    with expect.refused(404, "NoSuchVersion"):
        s3.get_object(Bucket=versioned, Key="key", VersionId="null")


@pytest.mark.parametrize("version", ["abc", "0" * 31, "0" * 33, "NULL", "%27%20OR%201%3D1", "g" * 32, "x" * 2000, "-1"])
def test_GetObject__malformed_version_id(server, root_user, s3, versioned, version):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    reply = raw.signed(server.url, root_user, "GET", f"/{versioned}/key?versionId={version}")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_GetObject__empty_version_id(server, root_user, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    reply = raw.signed(server.url, root_user, "GET", f"/{versioned}/key?versionId=")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    reply = raw.signed(server.url, root_user, "DELETE", f"/{versioned}/key?versionId=")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert expect.body_of(s3, versioned, "key") == b"data"


def test_GetObject__version_of_a_missing_key(s3, versioned, gone):
    with expect.refused(404, "NoSuchVersion"):
        s3.get_object(Bucket=versioned, Key="absent", VersionId=gone)


# ---- the resource API, many versions -----------------------------------------------------------------


def test_ObjectVersion__resource_iterates_and_deletes(cloud, s3, versioned):
    for n in range(3):
        s3.put_object(Bucket=versioned, Key="key", Body=b"x")
    s3.delete_object(Bucket=versioned, Key="key")
    bucket = cloud.resource().Bucket(versioned)
    assert len(list(bucket.object_versions.all())) == 4
    bucket.object_versions.delete()
    assert list(bucket.object_versions.all()) == []
    s3.delete_bucket(Bucket=versioned)


def test_ListObjectVersions__1200_versions_of_one_key(server, s3, versioned):
    raw.put_many(server.url, server.users["root"], versioned, ["key"] * 1200)
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=versioned))
    ids = [item["VersionId"] for page in pages for item in page["Versions"]]
    assert (len(pages), len(ids), len(set(ids))) == (2, 1200, 1200)
    assert [item["IsLatest"] for item in pages[0]["Versions"]][:2] == [True, False]


@pytest.mark.tsan
def test_versioning_enabled__writers_at_once_lose_no_version(s3, versioned):
    answers = expect.at_once(8, lambda i: s3.put_object(Bucket=versioned, Key="key", Body=b"%d" % i)["VersionId"])
    found = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert sorted(item["VersionId"] for item in found) == sorted(answers)
    assert [item["IsLatest"] for item in found] == [True] + [False] * 7
    latest = s3.get_object(Bucket=versioned, Key="key")
    assert latest["VersionId"] == found[0]["VersionId"]
    assert latest["Body"].read() == b"%d" % answers.index(latest["VersionId"])
