# SPDX-License-Identifier: Apache-2.0
"""Object lock: the configuration, retention and legal hold of versions, and that nothing removes what they keep.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
"""

import datetime
import itertools

import pytest

from sdk import expect
from sdk.cloud import Cloud
from tools import documents
from wire import process, raw

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LOCKED = "Access Denied because object protected by object lock."
MISSING = "Bucket is missing Object Lock Configuration"
DAY = datetime.timedelta(days=1)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose clock the tests move."""
    server = process.Server(tmp_path_factory.mktemp("lock"))
    yield server
    server.stop()


@pytest.fixture
def client(own):
    return Cloud(own).client()


@pytest.fixture
def locked(client):
    name = f"locked-{next(numbers)}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def now(own):
    return raw.now().replace(microsecond=0)


def retention(mode, until):
    return {"Mode": mode, "RetainUntilDate": until}


def put_version(client, bucket, key="key", **more):
    return client.put_object(Bucket=bucket, Key=key, Body=b"data", **more)["VersionId"]


def told(refusal):
    return refusal["Error"]["Message"]


def ask(own, method, target, body=b"", headers=(), user="root", days=0):
    return raw.signed_later(own, days, method, target, body, headers, user)


# ---- the configuration -------------------------------------------------------------------------------


def test_CreateBucket__with_a_lock_has_versioning_and_the_configuration(client, locked):
    assert client.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    found = client.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}


def test_GetObjectLockConfiguration__of_a_bucket_without(client):
    client.create_bucket(Bucket="plain-lock")
    with expect.refused(404, "ObjectLockConfigurationNotFoundError"):
        client.get_object_lock_configuration(Bucket="plain-lock")


def test_PutObjectLockConfiguration__later_needs_versioning(client):
    name = f"later-{next(numbers)}"
    client.create_bucket(Bucket=name)
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}}
    with expect.refused(409, "InvalidBucketState") as refusal:
        client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=configuration)
    assert told(refusal) == "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=configuration)
    assert client.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == configuration
    with expect.refused(409, "InvalidBucketState") as refusal:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    assert told(refusal) == "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


RULE = "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>{}</Rule>"
PERIOD = RULE.format("<DefaultRetention><Mode>GOVERNANCE</Mode>{}</DefaultRetention>")


@pytest.mark.parametrize("content,code", [
    ("", "MalformedXML"), ("<ObjectLockEnabled>Disabled</ObjectLockEnabled>", "MalformedXML"),
    ("<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>", "MalformedXML"),
    (RULE.format(""), "MalformedXML"), (RULE.format("<DefaultRetention></DefaultRetention>"), "MalformedXML"),
    (RULE.format("<DefaultRetention><Days>1</Days></DefaultRetention>"), "MalformedXML"),
    (RULE.format("<DefaultRetention><Mode>governance</Mode><Days>1</Days></DefaultRetention>"), "MalformedXML"),
    (PERIOD.format(""), "MalformedXML"), (PERIOD.format("<Days>1</Days><Years>1</Years>"), "MalformedXML"),
    (PERIOD.format("<Days>0</Days>"), "InvalidRetentionPeriod"), (PERIOD.format("<Years>-1</Years>"), "InvalidRetentionPeriod"),
    (PERIOD.format("<Days>36501</Days>"), "InvalidRetentionPeriod"), (PERIOD.format("<Years>101</Years>"), "InvalidRetentionPeriod"),
])  # fmt: skip
def test_PutObjectLockConfiguration__refuses_what_is_none(own, locked, content, code):
    body = f"<ObjectLockConfiguration>{content}</ObjectLockConfiguration>".encode()
    assert (ask(own, "PUT", f"/{locked}?object-lock", body).code) == code


@pytest.mark.parametrize("period", ["<Days>1</Days>", "<Days>36500</Days>", "<Years>100</Years>"])
def test_PutObjectLockConfiguration__takes_up_to_a_hundred_years(own, client, period):
    name = f"long-{next(numbers)}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    body = f"<ObjectLockConfiguration xmlns='{NAMESPACE}'>{PERIOD.format(period)}</ObjectLockConfiguration>".encode()
    assert ask(own, "PUT", f"/{name}?object-lock", body).status == 200


# ---- what keeps a version ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_GetObjectRetention__of_what_a_header_retains_until_its_time(own, client, locked, mode):
    until = now(own) + 2 * DAY
    version = put_version(client, locked, ObjectLockMode=mode, ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="OFF")
    for found in (client.head_object(Bucket=locked, Key="key"), client.get_object(Bucket=locked, Key="key", VersionId=version)):
        assert (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"], found["ObjectLockLegalHoldStatus"]) == (mode, until, "OFF")
    assert client.get_object_retention(Bucket=locked, Key="key")["Retention"] == retention(mode, until)
    with expect.refused(403, "AccessDenied") as refusal:
        client.delete_object(Bucket=locked, Key="key", VersionId=version)
    assert told(refusal) == LOCKED
    client.put_object(Bucket=locked, Key="key", Body=b"newer")  # hides it, and keeps it
    marker = client.delete_object(Bucket=locked, Key="key")
    assert marker["DeleteMarker"]
    assert client.get_object(Bucket=locked, Key="key", VersionId=version)["Body"].read() == b"data"
    with expect.refused(409, "BucketNotEmpty"):
        client.delete_bucket(Bucket=locked)
    for days, status in ((1, 403), (-10, 403), (0, 403), (3, 204)):  # a clock that runs back unlocks nothing
        with own.clock.later(days * DAY.total_seconds()):
            assert ask(own, "DELETE", f"/{locked}/key?versionId={version}", days=days).status == status, days


def test_DeleteObject__bypasses_governance_with_header_and_right(own, client, locked):
    until = now(own) + DAY
    version = put_version(client, locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    kept = put_version(client, locked, "other", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    client.delete_object(Bucket=locked, Key="key", VersionId=version, BypassGovernanceRetention=True)
    with expect.refused(403, "AccessDenied"):
        client.delete_object(Bucket=locked, Key="other", VersionId=kept, BypassGovernanceRetention=True)


def test_DeleteObject__of_who_has_no_right_to_bypass(own, client, locked):
    version = put_version(client, locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=now(own) + DAY)
    allowed = ('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:DeleteObjectVersion", '
               f'"Resource": "arn:aws:s3:::{locked}/*"}}}}')  # fmt: skip
    client.put_bucket_policy(Bucket=locked, Policy=allowed)
    for headers in ([], [("x-amz-bypass-governance-retention", "true")]):
        reply = ask(own, "DELETE", f"/{locked}/key?versionId={version}", headers=headers, user="bob")
        assert (reply.status, reply.element("Message")) == (403, LOCKED)
    client.put_bucket_policy(Bucket=locked, Policy=allowed.replace('"s3:DeleteObjectVersion"', '["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]'))
    reply = ask(own, "DELETE", f"/{locked}/key?versionId={version}", headers=[("x-amz-bypass-governance-retention", "true")], user="bob")
    assert reply.status == 204


def test_DeleteObjects__tells_of_each_version_that_is_locked(own, client, locked):
    free = put_version(client, locked, "free")
    kept = put_version(client, locked, "kept", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=now(own) + DAY)
    objects = [{"Key": "free", "VersionId": free}, {"Key": "kept", "VersionId": kept}, {"Key": "kept"}]
    answer = client.delete_objects(Bucket=locked, Delete={"Objects": objects})
    assert {(e["Key"], e.get("VersionId")) for e in answer["Deleted"]} == {("free", free), ("kept", None)}
    assert answer["Errors"] == [{"Key": "kept", "VersionId": kept, "Code": "AccessDenied", "Message": LOCKED}]
    answer = client.delete_objects(Bucket=locked, Delete={"Objects": objects[1:2]}, BypassGovernanceRetention=True)
    assert "Errors" not in answer


def test_PutObjectLegalHold__keeps_until_it_is_off(client, locked):
    version = put_version(client, locked)
    with expect.refused(404, "NoSuchObjectLockConfiguration"):
        client.get_object_legal_hold(Bucket=locked, Key="key")
    client.put_object_legal_hold(Bucket=locked, Key="key", LegalHold={"Status": "ON"})
    assert client.get_object_legal_hold(Bucket=locked, Key="key")["LegalHold"] == {"Status": "ON"}
    assert client.head_object(Bucket=locked, Key="key")["ObjectLockLegalHoldStatus"] == "ON"
    with expect.refused(403, "AccessDenied"):
        client.delete_object(Bucket=locked, Key="key", VersionId=version, BypassGovernanceRetention=True)
    client.put_object_legal_hold(Bucket=locked, Key="key", VersionId=version, LegalHold={"Status": "OFF"})
    assert client.get_object_legal_hold(Bucket=locked, Key="key")["LegalHold"] == {"Status": "OFF"}
    client.delete_object(Bucket=locked, Key="key", VersionId=version)


# ---- changing a retention ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode,to,days,bypass,allowed", [
    ("GOVERNANCE", "GOVERNANCE", 3, False, True), ("COMPLIANCE", "COMPLIANCE", 3, False, True),
    ("GOVERNANCE", "GOVERNANCE", 2, False, True), ("GOVERNANCE", "GOVERNANCE", 1, False, False),
    ("GOVERNANCE", "GOVERNANCE", 1, True, True), ("COMPLIANCE", "COMPLIANCE", 1, True, False),
    ("GOVERNANCE", "COMPLIANCE", 3, False, False), ("GOVERNANCE", "COMPLIANCE", 3, True, True),
    ("COMPLIANCE", "GOVERNANCE", 3, True, False), ("GOVERNANCE", None, 0, False, False),
    ("GOVERNANCE", None, 0, True, True), ("COMPLIANCE", None, 0, True, False),
])  # fmt: skip
def test_PutObjectRetention__while_another_holds(own, client, locked, mode, to, days, bypass, allowed):
    start = now(own)
    put_version(client, locked, ObjectLockMode=mode, ObjectLockRetainUntilDate=start + 2 * DAY)
    wanted = retention(to, start + days * DAY) if to else {}

    def change():
        client.put_object_retention(Bucket=locked, Key="key", Retention=wanted, BypassGovernanceRetention=bypass)

    if not allowed:
        with expect.refused(403, "AccessDenied") as refusal:
            change()
        assert told(refusal) == LOCKED
        assert client.get_object_retention(Bucket=locked, Key="key")["Retention"] == retention(mode, start + 2 * DAY)
        return
    change()
    if to:
        assert client.get_object_retention(Bucket=locked, Key="key")["Retention"] == wanted
    else:
        with expect.refused(404, "NoSuchObjectLockConfiguration"):
            client.get_object_retention(Bucket=locked, Key="key")


def test_PutObjectRetention__that_is_over_is_no_longer_in_the_way(own, client, locked):
    version = put_version(client, locked, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=now(own) + DAY)
    with own.clock.later(2 * DAY.total_seconds()):
        assert ask(own, "PUT", f"/{locked}/key?retention", documents.RETENTION, days=2).status == 200
    found = client.get_object_retention(Bucket=locked, Key="key", VersionId=version)["Retention"]
    assert (found["Mode"], found["RetainUntilDate"].year) == ("GOVERNANCE", 2126)


def test_GetObjectRetention__tells_a_default_that_can_be_put_again(client, locked):
    """To the millisecond it is told in: a finer time would make the same request a shorter retention."""
    client.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}})  # fmt: skip
    for key in ("a", "b", "c"):  # one may end with a whole millisecond by chance
        put_version(client, locked, key)
        found = client.get_object_retention(Bucket=locked, Key=key)["Retention"]
        client.put_object_retention(Bucket=locked, Key=key, Retention=found)
        assert client.get_object_retention(Bucket=locked, Key=key)["Retention"] == found


@pytest.mark.parametrize("asked,kept", [("00.001Z", "00.001Z"), ("00.001001Z", "00.002Z"), ("59.999999Z", "00.000Z")])
def test_PutObjectRetention__rounds_up_to_milliseconds(own, client, locked, asked, kept):
    date = f"2199-01-01T00:00:{asked}"
    assert ask(own, "PUT", f"/{locked}/key", b"data", [(MODE, "COMPLIANCE"), (DATE, date)]).status == 200
    assert ask(own, "GET", f"/{locked}/key?retention").element("RetainUntilDate")[-7:] == kept
    body = f"<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>{date}</RetainUntilDate></Retention>".encode()
    assert ask(own, "PUT", f"/{locked}/key?retention", body).status == 200
    assert ask(own, "HEAD", f"/{locked}/key").header(DATE)[-7:] == kept


# ---- new versions ------------------------------------------------------------------------------------


def test_default_retention__is_of_every_way_to_write(own, client, locked):
    client.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 10}}})  # fmt: skip
    start = now(own)
    put_version(client, locked, "put")
    client.copy_object(Bucket=locked, Key="copied", CopySource=f"{locked}/put")
    upload = client.create_multipart_upload(Bucket=locked, Key="multi")["UploadId"]
    etag = client.upload_part(Bucket=locked, Key="multi", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    client.complete_multipart_upload(Bucket=locked, Key="multi", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": etag}]})  # fmt: skip
    post = client.generate_presigned_post(locked, "posted")
    body, content_type = raw.form_body(list(post["fields"].items()), b"posted")
    request = raw.Request("POST", f"/{locked}", [("Host", raw.host_of(own.url)), ("Content-Type", content_type)], body)
    assert raw.send(own.url, request).status == 204
    for key in ("put", "copied", "multi", "posted"):
        found = client.get_object_retention(Bucket=locked, Key=key)["Retention"]
        assert found["Mode"] == "GOVERNANCE", key
        assert start + 10 * DAY <= found["RetainUntilDate"] <= now(own) + 10 * DAY + datetime.timedelta(seconds=1), key
    put_version(client, locked, "own", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=start + 20 * DAY)
    assert client.get_object_retention(Bucket=locked, Key="own")["Retention"] == retention("COMPLIANCE", start + 20 * DAY)


def test_CopyObject__takes_nothing_of_the_source_s_lock(own, client, locked):
    put_version(client, locked, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=now(own) + DAY, ObjectLockLegalHoldStatus="ON")
    client.copy_object(Bucket=locked, Key="free", CopySource=f"{locked}/key")
    assert "ObjectLockMode" not in client.head_object(Bucket=locked, Key="free")
    client.copy_object(Bucket=locked, Key="held", CopySource=f"{locked}/key", ObjectLockLegalHoldStatus="ON")
    assert client.head_object(Bucket=locked, Key="held")["ObjectLockLegalHoldStatus"] == "ON"


def test_form_upload__locks_by_its_fields(own, client, locked):
    until = (now(own) + DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": until}
    post = client.generate_presigned_post(locked, "posted", Fields=fields, Conditions=[{k: v} for k, v in fields.items()])
    body, content_type = raw.form_body(list(post["fields"].items()), b"posted")
    request = raw.Request("POST", f"/{locked}", [("Host", raw.host_of(own.url)), ("Content-Type", content_type)], body)
    assert raw.send(own.url, request).status == 204
    assert client.get_object_retention(Bucket=locked, Key="posted")["Retention"]["Mode"] == "COMPLIANCE"


MODE, DATE, HOLD = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold"
BOTH = f"{DATE} and {MODE} must both be supplied"
FUTURE = "2199-01-01T00:00:00Z"


def test_GetObject__tells_of_a_lock_whoever_may_know(own, client, locked):
    until = now(own) + DAY
    put_version(client, locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON")
    for actions, named in (([], []), (["GetObjectRetention"], [MODE, DATE]), (["GetObjectLegalHold"], [HOLD])):
        listed = ", ".join(f'"s3:{action}"' for action in ["GetObject", *actions])
        client.put_bucket_policy(Bucket=locked, Policy=(
            f'{{"Statement": {{"Effect": "Allow", "Principal": "*", "Action": [{listed}], '
            f'"Resource": "arn:aws:s3:::{locked}/*"}}}}'))  # fmt: skip
        for method in ("GET", "HEAD"):
            reply = ask(own, method, f"/{locked}/key", user="bob")
            assert reply.status == 200
            assert [name for name in (MODE, DATE, HOLD) if reply.header(name) is not None] == named, (actions, method)


def test_CreateMultipartUpload__locks_what_is_completed(own, client, locked):
    until = now(own) + DAY
    upload = client.create_multipart_upload(Bucket=locked, Key="multi", ObjectLockMode="COMPLIANCE",
                                            ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="OFF")["UploadId"]  # fmt: skip
    etag = client.upload_part(Bucket=locked, Key="multi", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    made = client.complete_multipart_upload(Bucket=locked, Key="multi", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": etag}]})  # fmt: skip
    assert client.get_object_retention(Bucket=locked, Key="multi")["Retention"] == retention("COMPLIANCE", until)
    assert client.get_object_legal_hold(Bucket=locked, Key="multi")["LegalHold"] == {"Status": "OFF"}
    with expect.refused(403, "AccessDenied") as refusal:
        client.delete_object(Bucket=locked, Key="multi", VersionId=made["VersionId"], BypassGovernanceRetention=True)
    assert told(refusal) == LOCKED


@pytest.mark.parametrize("headers,message,name", [
    ({MODE: "GOVERNANCE"}, BOTH, DATE), ({DATE: FUTURE}, BOTH, MODE), ({MODE: "NONE"}, BOTH, DATE),
    ({MODE: "governance", DATE: FUTURE}, "Unknown wormMode directive.", MODE),
    ({MODE: "GOVERNANCE", DATE: "2199-01-01"}, "The retain until date must be provided in ISO 8601 format", DATE),
    ({MODE: "GOVERNANCE", DATE: "2001-01-01T00:00:00Z"}, "The retain until date must be in the future!", DATE),
    ({HOLD: "on"}, "Legal Hold must be either of 'ON' or 'OFF'", HOLD),
])  # fmt: skip
def test_PutObject__refuses_headers_that_lock_nothing(own, locked, headers, message, name):
    reply = ask(own, "PUT", f"/{locked}/refused", b"data", list(headers.items()))
    assert (reply.status, reply.code, reply.element("Message"), reply.element("ArgumentName")) == (400, "InvalidArgument", message, name)
    assert ask(own, "HEAD", f"/{locked}/refused").status == 404


def test_PutObject__that_locks_needs_a_checksum(own, locked):
    headers = [(MODE, "GOVERNANCE"), (DATE, FUTURE)]
    reply = raw.signed(own.url, own.users["root"], "PUT", f"/{locked}/unsummed", b"data", headers)
    assert (reply.status, reply.code) == (400, "InvalidRequest")
    assert reply.element("Message") == "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
    reply = raw.signed(own.url, own.users["root"], "PUT", f"/{locked}/summed", b"data", [*headers, ("x-amz-checksum-crc32", "rfPzYw==")])
    assert reply.status == 200, reply


def test_PutObject__that_locks_needs_the_right_to(own, client, locked):
    client.put_bucket_policy(Bucket=locked, Policy=(
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", '
        f'"Resource": "arn:aws:s3:::{locked}/*"}}}}'))  # fmt: skip
    for headers in ([(MODE, "GOVERNANCE"), (DATE, FUTURE)], [(HOLD, "ON")]):
        reply = ask(own, "PUT", f"/{locked}/bobs", b"data", headers, user="bob")
        assert (reply.status, reply.code) == (403, "AccessDenied")
    assert ask(own, "PUT", f"/{locked}/bobs", b"data", user="bob").status == 200


@pytest.mark.parametrize("method,query,body,headers", [
    ("GET", "?retention", b"", []), ("GET", "?legal-hold", b"", []), ("PUT", "?retention", documents.RETENTION, []),
    ("PUT", "?legal-hold", documents.HOLD, []), ("PUT", "", b"data", [(HOLD, "ON")]),
    ("PUT", "", b"data", [(MODE, "GOVERNANCE"), (DATE, FUTURE)]),
    ("POST", "?uploads", b"", [(HOLD, "ON")]),
])  # fmt: skip
def test_lock__of_a_bucket_that_has_none(own, client, method, query, body, headers):
    name = f"none-{next(numbers)}"
    client.create_bucket(Bucket=name)
    client.put_object(Bucket=name, Key="key", Body=b"data")
    reply = ask(own, method, f"/{name}/key{query}", body, headers)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidRequest", MISSING)


@pytest.mark.parametrize("query,content", [
    ("retention", "<Mode>GOVERNANCE</Mode>"), ("retention", f"<RetainUntilDate>{FUTURE}</RetainUntilDate>"),
    ("retention", f"<Mode>NONE</Mode><RetainUntilDate>{FUTURE}</RetainUntilDate>"),
    ("retention", "<Mode>GOVERNANCE</Mode><RetainUntilDate>tomorrow</RetainUntilDate>"),
    ("legal-hold", ""), ("legal-hold", "<Status>on</Status>"), ("legal-hold", "<Status>ON</Status><Status>ON</Status>"),
])  # fmt: skip
def test_PutObjectRetention_and_PutObjectLegalHold__refuse_malformed_ones(own, client, locked, query, content):
    put_version(client, locked)
    root = "Retention" if query == "retention" else "LegalHold"
    assert ask(own, "PUT", f"/{locked}/key?{query}", f"<{root}>{content}</{root}>".encode()).code == "MalformedXML"


def test_PutObjectRetention__in_the_past(own, client, locked):
    put_version(client, locked)
    body = b"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2001-01-01T00:00:00Z</RetainUntilDate></Retention>"
    reply = ask(own, "PUT", f"/{locked}/key?retention", body)
    assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "RetainUntilDate")
    assert reply.element("Message") == "The retain until date must be in the future!"


def test_GetObjectLegalHold__of_a_delete_marker(own, client, locked):
    put_version(client, locked)
    marker = client.delete_object(Bucket=locked, Key="key")["VersionId"]
    for query, body in (("retention", documents.RETENTION), ("legal-hold", documents.HOLD)):
        reply = ask(own, "PUT", f"/{locked}/key?{query}&versionId={marker}", body)
        assert (reply.status, reply.code) == (405, "MethodNotAllowed")
        assert ask(own, "GET", f"/{locked}/key?{query}&versionId={marker}").status == 405


def test_lock__outlives_a_restart(own, client, locked):
    until = now(own) + DAY
    version = put_version(client, locked, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON")
    own.stop()
    own.start()
    assert client.get_object_retention(Bucket=locked, Key="key")["Retention"] == retention("COMPLIANCE", until)
    with expect.refused(403, "AccessDenied"):
        client.delete_object(Bucket=locked, Key="key", VersionId=version)
