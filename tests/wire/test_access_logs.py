# SPDX-License-Identifier: Apache-2.0
"""Server access logs: the configuration, and each request as a line of an object in the target bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

import dataclasses
import datetime
import itertools
import json
import re
import ssl

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

LOG_SERVICE = "3272ee65a908a7677109fedda345db8d9554ba26398b2ca10581de88777e2b61"
GROUP = "http://acs.amazonaws.com/groups/s3/LogDelivery"
FIELDS = ("owner bucket time address requester request operation key uri status error sent size total turn referer agent version "
          "host_id signature cipher auth host tls point acl")  # fmt: skip
LINE = re.compile(r'(\S+) (\S+) \[([^]]+)\] (\S+) (\S+) (\S+) (\S+) (\S+) ("[^"]*"|-) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) '
                  r'("[^"]*"|-) ("[^"]*"|-) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)')  # fmt: skip
Line = dataclasses.make_dataclass("Line", FIELDS.split())
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory, certificate):
    """A server whose clock the tests move; it listens for TLS too."""
    server = process.Server(tmp_path_factory.mktemp("logs"), certificate=certificate)
    yield server
    server.stop()


@pytest.fixture
def client(own):
    return Cloud(own).client()


def policy_for(target, service="logging.s3.amazonaws.com", resource="*", **condition):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "s3:PutObject",
                 "Resource": f"arn:aws:s3:::{target}/{resource}"}  # fmt: skip
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def pass_interval(own):
    """By the hand that intervals go by; the other one is put back, for signatures."""
    own.clock.advance(61)
    own.clock.move("set", int(raw.now().timestamp() * 1_000_000))


def until_told(own, pattern):
    """In the server's own log, once what waits was delivered. A line comes after its answer: one interval may be too few."""

    def told():
        pass_interval(own)
        return re.search(pattern, own.stderr())

    return process.until(told, lambda: f"{pattern} in {own.stderr()}")


class Logged:
    """A bucket that is logged, and where to."""

    def __init__(self, own, client, **target):
        number = next(numbers)
        self.own, self.client = own, client
        self.bucket, self.target = f"logged-{number}", f"logs-{number}"
        client.create_bucket(Bucket=self.bucket)
        client.create_bucket(Bucket=self.target)
        client.put_bucket_policy(Bucket=self.target, Policy=policy_for(self.target))
        self.put(**target)

    def put(self, **target):
        enabled = {"TargetBucket": self.target, "TargetPrefix": "log/", **target}
        self.client.put_bucket_logging(Bucket=self.bucket, BucketLoggingStatus={"LoggingEnabled": enabled})

    def ask(self, method, path="", body=b"", headers=(), user="root", **options):
        return raw.signed(self.own.url, self.own.users[user], method, f"/{self.bucket}{path}", body, headers, **options)

    def keys(self):
        return expect.keys_of(self.client.list_objects_v2(Bucket=self.target))

    def text(self):
        return b"".join(expect.body_of(self.client, self.target, key) for key in self.keys()).decode()

    def lines(self, *wanted, count=None):
        """Those of the operations, in their order, once so many (one of each) have been delivered. A line comes after
        its answer; which of two loops tells first is not known."""

        def all_there():
            pass_interval(self.own)
            lines = [parsed(line) for line in self.text().splitlines()]
            lines = [line for line in lines if line.operation in wanted]
            return sorted(lines, key=lambda line: wanted.index(line.operation)) if len(lines) >= (count or len(wanted)) else None

        return process.until(all_there, lambda: f"{wanted} in {self.text()!r}\n{self.own.stderr()}")


def parsed(line):
    match = LINE.fullmatch(line)
    assert match, line
    return Line(*match.groups())


@pytest.fixture
def logged(own, client):
    return Logged(own, client)


def document(enabled):
    return f"<BucketLoggingStatus><LoggingEnabled>{enabled}</LoggingEnabled></BucketLoggingStatus>".encode()


# ---- the configuration -------------------------------------------------------------------------------


def test_PutBucketLogging__is_kept_as_it_came_until_it_is_emptied(client, logged):
    assert client.get_bucket_logging(Bucket=logged.bucket)["LoggingEnabled"] == {"TargetBucket": logged.target, "TargetPrefix": "log/"}
    whole = {"TargetBucket": logged.target, "TargetPrefix": "", "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
             "TargetGrants": [{"Grantee": {"Type": "CanonicalUser", "ID": process.USERS["alice"].canonical_id}, "Permission": "READ"},
                              {"Grantee": {"Type": "Group", "URI": GROUP}, "Permission": "WRITE"}]}  # fmt: skip
    logged.put(**whole)
    assert client.get_bucket_logging(Bucket=logged.bucket)["LoggingEnabled"] == whole
    client.put_bucket_logging(Bucket=logged.bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in client.get_bucket_logging(Bucket=logged.bucket)


def test_GetBucketLogging__of_a_bucket_without(own, root_user, logged):
    reply = raw.signed(own.url, root_user, "GET", f"/{logged.target}?logging")
    assert reply.status == 200 and b"LoggingEnabled" not in reply.body
    assert raw.signed(own.url, own.users["alice"], "GET", f"/{logged.target}?logging").code == "AccessDenied"


def grant(who, permission="READ", kind="CanonicalUser", element="ID"):
    return (f'<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{kind}"><{element}>{who}</{element}>'
            f"</Grantee><Permission>{permission}</Permission></Grant>")  # fmt: skip


def logging_to(target, prefix="p", more=""):
    return document(f"<TargetBucket>{target}</TargetBucket><TargetPrefix>{prefix}</TargetPrefix>{more}")


def formatted(inner):
    return f"<TargetObjectKeyFormat>{inner}</TargetObjectKeyFormat>"


ALICE = process.USERS["alice"].canonical_id
MALFORMED = [
    "<TargetPrefix>p</TargetPrefix>", "<TargetBucket>{0}</TargetBucket>", "{1}<Other/>", "{1}{1}",
    "<TargetBucket>{0}</TargetBucket><TargetPrefix>" + "p" * 513 + "</TargetPrefix>",
    "{1}" + formatted(""), "{1}" + formatted("<SimplePrefix/><PartitionedPrefix/>"), "{1}" + formatted("<Flat/>"),
    "{1}" + formatted("<SimplePrefix><x/></SimplePrefix>"),
    "{1}" + formatted("<PartitionedPrefix><PartitionDateSource>Noon</PartitionDateSource></PartitionedPrefix>"),
    "{1}<TargetGrants><Owner/></TargetGrants>", "{1}<TargetGrants><Grant/></TargetGrants>",
    "{1}<TargetGrants>" + grant(ALICE, "OWN") + "</TargetGrants>",
    "{1}<TargetGrants>" + grant(ALICE) * 99 + "</TargetGrants>",
]  # fmt: skip


@pytest.mark.parametrize("enabled", MALFORMED)
def test_PutBucketLogging__malformed_is_refused_and_changes_nothing(own, client, logged, enabled):
    body = document(enabled.format(logged.target, f"<TargetBucket>{logged.target}</TargetBucket><TargetPrefix>p</TargetPrefix>"))
    reply = logged.ask("PUT", "?logging", body)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert client.get_bucket_logging(Bucket=logged.bucket)["LoggingEnabled"]["TargetPrefix"] == "log/"


@pytest.mark.parametrize("more", [
    formatted("<SimplePrefix/>"), formatted("<PartitionedPrefix/>"), "<TargetGrants/>",
    formatted("<PartitionedPrefix><PartitionDateSource>DeliveryTime</PartitionDateSource></PartitionedPrefix>"),
    "<TargetGrants>" + grant(ALICE) * 98 + "</TargetGrants>",
])  # fmt: skip
def test_PutBucketLogging__well_formed_is_taken(logged, more):
    assert logged.ask("PUT", "?logging", logging_to(logged.target, "p" * 512, more)).status == 200


def test_PutBucketLogging__grants_are_to_whom_there_is(logged):
    for one, refusal in ((grant("f" * 64), (400, "InvalidArgument")),
                         (grant("http://nobody/", kind="Group", element="URI"), (400, "InvalidArgument")),
                         (grant("alice@example.com", kind="AmazonCustomerByEmail", element="EmailAddress"), (405, "MethodNotAllowed"))):  # fmt: skip
        reply = logged.ask("PUT", "?logging", logging_to(logged.target, more=f"<TargetGrants>{one}</TargetGrants>"))
        assert (reply.status, reply.code) == refusal, reply


def refused(logged, target, message, status=400, code="InvalidTargetBucketForLogging"):
    reply = logged.ask("PUT", "?logging", logging_to(target))
    assert (reply.status, reply.code, reply.element("Message")) == (status, code, message), reply
    return reply


def test_PutBucketLogging__to_a_bucket_that_is_not_there(logged):
    reply = refused(logged, "no-such-bucket-of-ours", "The target bucket for logging does not exist")
    assert reply.element("TargetBucket") == "no-such-bucket-of-ours"


def test_PutBucketLogging__to_somebody_elses_bucket(own, logged):
    assert raw.signed(own.url, own.users["alice"], "PUT", f"/alices-{logged.target}").status == 200
    refused(logged, f"alices-{logged.target}", "The owner for the bucket to be logged and the target bucket must be the same.")


def test_PutBucketLogging__to_another_region(client, logged):
    client.create_bucket(Bucket=f"far-{logged.target}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    reply = refused(logged, f"far-{logged.target}", "Cross S3 location logging not allowed. ", 403, "CrossLocationLoggingProhibitted")
    assert reply.element("TargetBucketLocation") == "eu-central-1"
    assert reply.element("SourceBucketLocation") is None


def test_PutBucketLogging__to_a_bucket_that_locks_all(client, logged):
    target = f"locks-{logged.target}"
    client.create_bucket(Bucket=target, ObjectLockEnabledForBucket=True)
    client.put_bucket_policy(Bucket=target, Policy=policy_for(target))
    assert logged.ask("PUT", "?logging", logging_to(target)).status == 200
    client.put_object_lock_configuration(Bucket=target, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})  # fmt: skip
    refused(logged, target, "The target bucket for logging must not have a default retention.")


GIVE = "You must give the log-delivery group WRITE and READ_ACP permissions to the target bucket"


@pytest.mark.parametrize(("acl", "given"), [
    ({}, False), ({"GrantWrite": f"uri={GROUP}"}, False), ({"GrantReadACP": f"uri={GROUP}"}, False),
    ({"GrantWrite": f"uri={GROUP}", "GrantReadACP": f"uri={GROUP}"}, True), ({"ACL": "log-delivery-write"}, True),
    ({"ACL": "public-read"}, False),
])  # fmt: skip
def test_PutBucketLogging__by_grants_to_the_group(client, logged, acl, given):
    client.delete_bucket_policy(Bucket=logged.target)
    if acl:
        client.put_bucket_acl(Bucket=logged.target, **acl)
    if given:
        assert logged.ask("PUT", "?logging", logging_to(logged.target)).status == 200
    else:
        refused(logged, logged.target, GIVE)


def conditions(bucket, account="000000000000"):
    return {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}, "StringEquals": {"aws:SourceAccount": account}}


def test_PutBucketLogging__by_a_policy(client, logged):
    target = logged.target
    for policy, given in ((policy_for(target, resource="p*", **conditions(logged.bucket)), True),
                          (policy_for(target, resource="q*"), False),
                          (policy_for(target, service="s3.amazonaws.com"), False),
                          (policy_for(target, **conditions("another")), False),
                          (policy_for(target, **conditions(logged.bucket, "111122223333")), False),
                          (policy_for(target, Bool={"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "true"}), True),
                          (policy_for(target, StringEquals={"aws:PrincipalServiceName": "logging.s3.amazonaws.com"}), True),
                          (policy_for(target, StringEquals={"aws:PrincipalAccount": "000000000000"}), False)):  # fmt: skip
        client.put_bucket_policy(Bucket=target, Policy=policy)
        if given:
            assert logged.ask("PUT", "?logging", logging_to(target)).status == 200, policy
        else:
            refused(logged, target, GIVE)


def test_PutBucketLogging__a_denial_has_the_last_word(client, logged):
    policy = json.loads(policy_for(logged.target))
    policy["Statement"].append({**policy["Statement"][0], "Effect": "Deny"})
    client.put_bucket_policy(Bucket=logged.target, Policy=json.dumps(policy))
    client.put_bucket_acl(Bucket=logged.target, ACL="log-delivery-write")
    refused(logged, logged.target, GIVE)


def test_PutBucketLogging__to_a_bucket_without_acls_is_taken_before_its_policy(own, client, logged):
    client.put_bucket_ownership_controls(Bucket=logged.target, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    client.delete_bucket_policy(Bucket=logged.target)
    assert logged.ask("PUT", "?logging", logging_to(logged.target)).status == 200
    reply = logged.ask("PUT", "?logging", logging_to(logged.target, more=f"<TargetGrants>{grant(ALICE)}</TargetGrants>"))
    assert (reply.status, reply.code) == (400, "InvalidBucketAclWithObjectOwnership")
    until_told(own, rf"access log: bucket={logged.bucket} target={logged.target} lines=\d+ lost: s3:PutObject: ")
    client.put_bucket_policy(Bucket=logged.target, Policy=policy_for(logged.target))
    logged.ask("GET")
    assert [line.status for line in logged.lines("REST.GET.BUCKET")] == ["200"]
    assert client.get_object_acl(Bucket=logged.target, Key=logged.keys()[0])["Owner"]["ID"] != LOG_SERVICE


# ---- lines -------------------------------------------------------------------------------------------


def test_access_log__each_field_of_a_write_and_a_read(own, client, logged):
    put = logged.ask("PUT", "/a%20b/%C3%A9%22", b"12345", [("User-Agent", "me 1.0"), ("Referer", "http://page/")])
    get = logged.ask("GET", "/a%20b/%C3%A9%22?x-test=1", headers=[("Range", "bytes=1-3")])
    first, second = logged.lines("REST.PUT.OBJECT", "REST.GET.OBJECT")
    root = client.get_bucket_acl(Bucket=logged.bucket)["Owner"]["ID"]
    for line, reply in ((first, put), (second, get)):
        assert (line.owner, line.bucket, line.requester, line.address) == (root, logged.bucket, root, "127.0.0.1")
        assert (line.request, line.host_id) == (reply.header("x-amz-request-id"), reply.header("x-amz-id-2"))
        assert (line.key, line.error, line.size, line.version) == ("a%2520b/%25C3%25A9%2522", "-", "5", "-")
        assert (line.signature, line.auth, line.host) == ("SigV4", "AuthHeader", raw.host_of(own.url))
        assert (line.cipher, line.tls, line.point, line.acl) == ("-", "-", "-", "-")
        assert int(line.total) >= int(line.turn) >= 0
        assert re.fullmatch(r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000", line.time)
    assert (first.uri, first.status, first.sent) == (f'"PUT /{logged.bucket}/a%20b/%C3%A9%22 HTTP/1.1"', "200", "-")
    assert (second.uri, second.status, second.sent) == (f'"GET /{logged.bucket}/a%20b/%C3%A9%22?x-test=1 HTTP/1.1"', "206", "3")
    assert (first.referer, first.agent) == ('"http://page/"', '"me 1.0"')
    assert (second.referer, second.agent) == ('"-"', '"-"')


def test_access_log__refusals(own, client, logged):
    logged.ask("GET", "/none")
    logged.ask("GET", "/none", user="alice")
    raw.anonymous(own.url, "GET", f"/{logged.bucket}/none")
    mallory = dataclasses.replace(own.users["root"], secret_key="wrong")
    raw.signed(own.url, mallory, "HEAD", f"/{logged.bucket}/none")
    lines = logged.lines("REST.GET.OBJECT", "REST.HEAD.OBJECT", count=4)
    assert sorted((line.status, line.error, line.signature, line.auth, line.requester[:13]) for line in lines) == [
        ("403", "AccessDenied", "-", "-", "-"), ("403", "AccessDenied", "SigV4", "AuthHeader", "arn:aws:iam::"),
        ("403", "SignatureDoesNotMatch", "-", "-", "-"), ("404", "NoSuchKey", "SigV4", "AuthHeader", lines[0].owner[:13])]  # fmt: skip
    assert {line.requester.partition("/")[2] for line in lines} == {"", "alice"}


def test_access_log__who_needed_an_acl(own, client, logged):
    client.put_object(Bucket=logged.bucket, Key="open", Body=b"1", ACL="public-read")
    assert raw.anonymous(own.url, "GET", f"/{logged.bucket}/open").status == 200
    logged.ask("GET", "/open")
    found = {line.requester: line.acl for line in logged.lines("REST.GET.OBJECT", count=2)}
    assert found == {"-": "Yes", client.get_bucket_acl(Bucket=logged.bucket)["Owner"]["ID"]: "-"}


@pytest.mark.parametrize(("scheme", "signature"), [("s3v4", "SigV4"), ("s3", "SigV2")])
def test_access_log__a_presigned_url_without_its_secrets(own, logged, scheme, signature):
    url = Cloud(own).client(signature_version=scheme).generate_presigned_url("get_object", Params={"Bucket": logged.bucket, "Key": "k"})
    assert expect.fetch(url)[0] == 404
    (line,) = logged.lines("REST.GET.OBJECT")
    assert (line.auth, line.signature) == ("QueryString", signature)
    sent = re.search(r"Signature=([^&]+)", url)[1]
    assert "Signature=" in line.uri and sent not in line.uri


def test_access_log__over_tls(own, client, logged, certificate):
    request = raw.Request("GET", f"/{logged.bucket}", [("Host", raw.host_of(own.tls_url))])
    raw.sign_v4(request, own.users["root"])
    assert raw.send(own.tls_url, request, ca=certificate[0]).status == 200
    (line,) = logged.lines("REST.GET.BUCKET")
    assert line.tls == "TLSv1.3" and re.fullmatch(r"TLS_[A-Z0-9_]+", line.cipher)


def test_access_log__over_an_older_tls(own, client, logged, certificate):
    context = ssl.create_default_context(cafile=certificate[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    url = Cloud(own).client(scheme="https").generate_presigned_url("get_object", Params={"Bucket": logged.bucket, "Key": "k"})
    assert expect.fetch(url, context=context)[0] == 404
    (line,) = logged.lines("REST.GET.OBJECT")
    assert (line.tls, line.cipher) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")


def test_access_log__operations_by_their_names(own, client, logged):
    bucket = logged.bucket
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = client.put_object(Bucket=bucket, Key="k", Body=b"12345")["VersionId"]
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"123")["ETag"]
    client.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload, PartNumber=2, CopySource=f"{bucket}/k")
    client.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    client.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k", "VersionId": version})
    client.list_object_versions(Bucket=bucket)
    client.list_multipart_uploads(Bucket=bucket)
    client.get_object_tagging(Bucket=bucket, Key="k")
    client.get_bucket_location(Bucket=bucket)
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    names = {"PUT.VERSIONING", "PUT.OBJECT", "POST.UPLOADS", "PUT.PART", "COPY.PART", "GET.UPLOAD", "POST.UPLOAD", "COPY.OBJECT",
             "GET.BUCKETVERSIONS", "GET.UPLOADS", "GET.OBJECT_TAGGING", "GET.LOCATION", "DELETE.OBJECT"}  # fmt: skip
    lines = logged.lines(*(f"REST.{name}" for name in names))
    named = {line.operation.partition(".")[2]: line for line in lines}
    assert set(named) == names and len(lines) == len(names)
    assert (named["PUT.OBJECT"].version, named["DELETE.OBJECT"].version) == (version, marker)
    assert [named[name].size for name in ("PUT.OBJECT", "PUT.PART", "COPY.PART", "POST.UPLOAD", "COPY.OBJECT")] == ["5", "3", "5", "3", "5"]
    (source, other) = logged.lines("REST.COPY.OBJECT_GET")
    assert (source.key, source.size, other.version, source.bucket) == ("k", "5", version, bucket)


def test_access_log__each_key_of_DeleteObjects(client, logged):
    client.put_object(Bucket=logged.bucket, Key="a", Body=b"")
    client.delete_objects(Bucket=logged.bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "0" * 31 + "1"}]})
    lines = logged.lines("REST.POST.MULTI_OBJECT_DELETE", "BATCH.DELETE.OBJECT", count=3)  # told together
    assert [(line.operation, line.key, line.status, line.version) for line in lines] == [
        ("REST.POST.MULTI_OBJECT_DELETE", "-", "200", "-"), ("BATCH.DELETE.OBJECT", "a", "204", "-"),
        ("BATCH.DELETE.OBJECT", "b", "204", "0" * 31 + "1")]  # fmt: skip
    assert len({line.request for line in lines}) == 1 and lines[1].uri == "-"


def test_access_log__of_a_browser(own, client, logged):
    client.put_bucket_website(Bucket=logged.bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    request = raw.Request("GET", "/page", [("Host", f"{logged.bucket}.s3-website.{process.BASE}")])
    assert raw.send(own.url, request).status == 403
    request = raw.Request("OPTIONS", f"/{logged.bucket}/k", [("Host", raw.host_of(own.url)), ("Origin", "http://o"), ("Access-Control-Request-Method", "GET")])
    assert raw.send(own.url, request).status == 403
    lines = logged.lines("WEBSITE.GET.OBJECT", "REST.OPTIONS.PREFLIGHT")
    assert [(line.operation, line.key, line.status) for line in lines] == [
        ("WEBSITE.GET.OBJECT", "page", "403"), ("REST.OPTIONS.PREFLIGHT", "k", "403")]  # fmt: skip


# ---- objects -----------------------------------------------------------------------------------------


def test_access_log__its_object_is_log_delivery_s_and_the_owner_controls_it(own, client):
    logged = Logged(own, client, TargetGrants=[{"Grantee": {"Type": "CanonicalUser", "ID": ALICE}, "Permission": "READ"}])
    logged.ask("GET")
    logged.lines("REST.GET.BUCKET")
    (key,) = logged.keys()
    acl = client.get_object_acl(Bucket=logged.target, Key=key)
    owner = client.get_bucket_acl(Bucket=logged.target)["Owner"]["ID"]
    assert acl["Owner"]["ID"] == LOG_SERVICE
    assert {(one["Grantee"]["ID"], one["Permission"]) for one in acl["Grants"]} == {
        (LOG_SERVICE, "FULL_CONTROL"), (owner, "FULL_CONTROL"), (ALICE, "READ")}  # fmt: skip
    assert client.head_object(Bucket=logged.target, Key=key)["ContentType"] == "text/plain"
    assert raw.signed(logged.own.url, logged.own.users["alice"], "GET", f"/{logged.target}/{key}").status == 200


UNIQUE = r"[0-9A-F]{16}"
NOW = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"


@pytest.mark.parametrize(("form", "pattern"), [
    ({}, rf"log/{NOW}-{UNIQUE}"),
    ({"SimplePrefix": {}}, rf"log/{NOW}-{UNIQUE}"),
    ({"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}}, rf"log/000000000000/us-east-1/BUCKET/\d{{4}}/\d\d/\d\d/{NOW}-{UNIQUE}"),
    ({"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
     rf"log/000000000000/us-east-1/BUCKET/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\d-00-00-00-{UNIQUE}"),
])  # fmt: skip
def test_access_log__keys(own, client, form, pattern):
    logged = Logged(own, client, **({"TargetObjectKeyFormat": form} if form else {}))
    logged.ask("GET")
    logged.lines("REST.GET.BUCKET")
    (key,) = logged.keys()
    assert re.fullmatch(pattern.replace("BUCKET", logged.bucket), key), key


def test_access_log__of_buckets_to_one_target_are_objects_of_their_own(client, logged):
    client.create_bucket(Bucket=f"more-{logged.bucket}")
    client.put_bucket_logging(Bucket=f"more-{logged.bucket}", BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": logged.target, "TargetPrefix": "more/"}})  # fmt: skip
    logged.ask("GET")
    client.list_objects_v2(Bucket=f"more-{logged.bucket}")
    lines = logged.lines("REST.GET.BUCKET", count=2)
    assert {line.bucket for line in lines} == {logged.bucket, f"more-{logged.bucket}"}
    assert [key.partition("/")[0] for key in logged.keys()] == ["log", "more"]


def test_access_log__of_a_bucket_in_itself_tells_of_requests_and_not_of_deliveries(own, client, logged):
    client.put_bucket_logging(Bucket=logged.target, BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": logged.target, "TargetPrefix": "own/"}})  # fmt: skip
    logged.ask("GET")
    client.get_bucket_location(Bucket=logged.target)
    logged.lines("REST.GET.LOCATION")
    for _ in range(2):
        pass_interval(own)
    lines = [parsed(line) for line in logged.text().splitlines()]
    assert [line.operation for line in lines if line.requester == LOG_SERVICE or "PUT.OBJECT" in line.operation] == []


def test_access_log__is_encrypted_as_its_bucket_says(client, logged):
    client.put_bucket_encryption(Bucket=logged.target, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})  # fmt: skip
    logged.ask("GET")
    logged.lines("REST.GET.BUCKET")
    assert client.head_object(Bucket=logged.target, Key=logged.keys()[0])["ServerSideEncryption"] == "AES256"


def test_access_log__to_a_target_that_is_gone_is_lost_and_told(own, client, logged):
    logged.ask("GET")
    client.delete_bucket_policy(Bucket=logged.target)
    client.delete_bucket(Bucket=logged.target)
    until_told(own, rf"access log: bucket={logged.bucket} target={logged.target} lines=1 lost: The specified bucket does not exist")


def test_access_log__is_delivered_when_the_server_stops(make_server):
    server = make_server("--access-log-interval", "1d")
    client = Cloud(server).client()
    logged = Logged(server, client)
    logged.ask("GET")
    server.stop()
    server.start()
    assert [parsed(line).operation for line in logged.text().splitlines()] == ["REST.GET.BUCKET"]


def test_access_log__of_a_stopped_request_says_what_was_sent(own, client, logged):
    with raw.Connection(own.url) as connection:
        request = raw.Request("PUT", f"/{logged.bucket}/cut", [("Host", raw.host_of(own.url))], b"0123456789")
        raw.sign_v4(request, own.users["root"])
        connection.send(request.wire()[:-5])
    (line,) = logged.lines("REST.PUT.OBJECT")
    assert (line.key, line.status, line.sent, line.turn) == ("cut", "-", "-", "-")


def test_access_log__half_a_memory_full_does_not_wait_for_the_interval(make_server):
    server = make_server("--access-log-interval", "1d")
    logged = Logged(server, Cloud(server).client())
    wanted = 2 * 1024 * 1024 // 15000 + 1
    for _ in range(wanted):
        logged.ask("GET", f"?x-fill={'f' * 15000}")
    assert len(process.until(lambda: logged.text().splitlines(), server.stderr)) > wanted // 2


def test_access_log__tells_what_lifecycle_rules_remove(make_server):
    server = make_server()
    client = Cloud(server).client()
    plain, versioned = Logged(server, client), Logged(server, client)
    client.put_bucket_versioning(Bucket=versioned.bucket, VersioningConfiguration={"Status": "Enabled"})
    for logged in (plain, versioned):
        client.put_object(Bucket=logged.bucket, Key="a b", Body=b"1")
        client.put_bucket_lifecycle_configuration(Bucket=logged.bucket, LifecycleConfiguration={
            "Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]})  # fmt: skip
    with server.clock.later(3 * 24 * 3600):
        process.until(lambda: all(key_is_gone(server, logged) for logged in (plain, versioned)), server.stderr)
    (line,) = plain.lines("S3.EXPIRE.OBJECT")
    assert (line.bucket, line.key, line.requester, line.address, line.uri, line.version) == (plain.bucket, "a%2520b", "AmazonS3", "-", '"-"', "-")
    (line,) = versioned.lines("S3.CREATE.DELETEMARKER")
    marker = client.list_object_versions(Bucket=versioned.bucket)["DeleteMarkers"][0]["VersionId"]
    assert (line.bucket, line.key, line.version) == (versioned.bucket, "a%2520b", marker)


def key_is_gone(server, logged):
    """Signed for a server whose clock is three days ahead."""
    request = raw.Request("HEAD", f"/{logged.bucket}/a%20b", [("Host", raw.host_of(server.url))])
    raw.sign_v4(request, server.users["root"], when=raw.now() + datetime.timedelta(days=3))
    return raw.send(server.url, request).status == 404
