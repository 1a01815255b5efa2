# SPDX-License-Identifier: Apache-2.0
"""The world changes while a body travels: what counts is what holds when it has arrived.

Generated from routes.def: every live operation that takes a body is begun, its body held back until the
server has said 100 Continue, something is changed, and the rest is sent. What has to come out is worked out
here from Amazon's rules alone: who owns a bucket, what its ACL grants, whose an upload is.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html

Who asks is told by the signature of the head, once. A form is signed by its fields, which are its body's.
"""

import base64
import dataclasses
import itertools
import json
import xml.etree.ElementTree as ET

import pytest

from tools import documents, routes
from wire import raw
from wire.test_accounts import identity

pytestmark = pytest.mark.matrix

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
OPEN = {f"x-amz-grant-{right}": f'uri="{ALL_USERS}"' for right in ("read", "write", "write-acp")}
PART = b"p" * 1000
numbers = itertools.count(1)


def acl_document(owner, *grants):
    entries = "".join(
        f'<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
        f"<ID>{who}</ID></Grantee><Permission>{right}</Permission></Grant>" for who, right in grants)  # fmt: skip
    return (f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{entries}"
            "</AccessControlList></AccessControlPolicy>").encode()  # fmt: skip


VERSIONING = b"<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>"


class World:
    """alice's bucket with an object and an upload of the caller's, open to whom the caller is."""

    def __init__(self, server, caller):
        self.server, self.url, self.users = server, server.url, server.users
        self.owner, self.other = self.users["alice"], self.users["bob"]
        self.caller = {"owner": self.owner, "grantee": self.users["temp"], "anyone": None}[caller]
        self.bucket = f"held-{next(numbers)}"
        self.now_owner = self.owner
        grants = {} if caller == "owner" else OPEN
        self.ask(self.owner, "PUT", "/of-samples")
        self.ask(self.owner, "PUT", "/of-samples?versioning", VERSIONING % b"Enabled")
        self.ask(self.owner, "PUT", f"/{self.bucket}", headers=grants)
        self.ask(self.owner, "PUT", f"/{self.bucket}?versioning", VERSIONING % b"Enabled")
        opened = {name: value for name, value in grants.items() if name != "x-amz-grant-write"}
        made = self.ask(self.owner, "PUT", f"/{self.bucket}/object", b"one", opened)
        self.version = made.header("x-amz-version-id")
        self.ask(self.owner, "PUT", f"/{self.bucket}/object", b"two", opened)
        begun = self.ask(self.caller, "POST", f"/{self.bucket}/upload?uploads")
        self.upload = begun.element("UploadId")
        sent = self.ask(self.caller, "PUT", f"/{self.bucket}/upload?partNumber=1&uploadId={self.upload}", PART)
        self.etag = sent.header("etag")

    def request(self, who, method, target, body=b"", headers=(), payload=None):
        request = raw.Request(method, target, [("Host", raw.host_of(self.url)), *dict(headers).items()], body)
        if body and "?" in target:
            raw.with_md5(request)
        if who is not None:
            if who.session_token:
                request.set("x-amz-security-token", who.session_token)
            raw.sign_v4(request, who, payload)
        return request

    def ask(self, who, method, target, body=b"", headers=()):
        reply = raw.send(self.url, self.request(who, method, target, body, headers))
        status = 204 if method == "DELETE" or target.endswith("?tagging") else 200
        assert reply.status == status, (method, target, reply)
        return reply

    def complete_body(self):
        return (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{self.etag}</ETag></Part>"
                "</CompleteMultipartUpload>").encode()  # fmt: skip

    def state(self):
        """All of the bucket that a write could change, as its owner of now sees it."""
        found = {}
        for query in ("acl", "versioning", "tagging", "versions", "uploads"):
            reply = raw.send(self.url, self.request(self.now_owner, "GET", f"/{self.bucket}?{query}"))
            found[query] = (reply.status, None if reply.status != 200 else reply.body)
        for query in ("acl", "tagging"):
            reply = raw.send(self.url, self.request(self.now_owner, "GET", f"/{self.bucket}/object?{query}"))
            found[f"object {query}"] = (reply.status, None if reply.status != 200 else reply.body)
        return found

    # ---- what can happen meanwhile --------------------------------------------------------------------

    def nothing(self):
        pass

    def object_deleted(self):
        reply = self.ask(self.owner, "GET", f"/{self.bucket}?versions")
        for node in ET.fromstring(reply.body).iter():
            if node.tag.endswith(("}Version", "}DeleteMarker")):
                key, version = (node.find("{*}" + name).text for name in ("Key", "VersionId"))
                self.ask(self.owner, "DELETE", f"/{self.bucket}/{key}?versionId={version}")

    def removed(self):
        self.object_deleted()
        self.ask(self.owner, "DELETE", f"/{self.bucket}")

    def made_anew(self):
        self.removed()
        self.ask(self.owner, "PUT", f"/{self.bucket}")

    def made_anew_by_another(self, headers=()):
        self.removed()
        self.now_owner = self.other
        self.ask(self.other, "PUT", f"/{self.bucket}", headers=headers)
        self.ask(self.other, "PUT", f"/{self.bucket}/precious", b"bob's")
        self.ask(self.other, "PUT", f"/{self.bucket}/object", b"bob's too")

    def made_anew_by_another_and_open(self):
        self.made_anew_by_another(OPEN)

    def made_anew_twice(self):
        self.made_anew()
        self.made_anew_by_another()

    def revoked(self):
        self.ask(self.owner, "PUT", f"/{self.bucket}?acl", headers={"x-amz-acl": "private"})
        for version in ("", f"&versionId={self.version}"):
            self.ask(self.owner, "PUT", f"/{self.bucket}/object?acl{version}", headers={"x-amz-acl": "private"})

    def versioning_suspended(self):
        self.ask(self.owner, "PUT", f"/{self.bucket}?versioning", VERSIONING % b"Suspended")

    def tagged(self):
        self.ask(self.owner, "PUT", f"/{self.bucket}?tagging", documents.TAGS.replace(b"held", b"meanwhile"))

    def upload_aborted(self):
        self.ask(self.owner, "DELETE", f"/{self.bucket}/upload?uploadId={self.upload}")

    def upload_completed(self):
        self.ask(self.caller, "POST", f"/{self.bucket}/upload?uploadId={self.upload}", self.complete_body())

    def version_deleted(self):
        self.ask(self.owner, "DELETE", f"/{self.bucket}/object?versionId={self.version}")

    def credentials_replaced(self):
        """The caller's key pair is another; where nobody signs, the owner's is."""
        who = self.caller or self.owner
        renewed = dataclasses.replace(who, access_key=f"RENEWED{next(numbers)}")
        self.server.reload({**self.users, who.name: renewed})
        if who is self.owner:
            self.owner = self.now_owner = renewed

    def object_replaced_by_another(self):
        self.ask(self.owner, "PUT", f"/{self.bucket}?acl",
                 headers={**OPEN, "x-amz-grant-full-control": f'id="{self.owner.canonical_id}"'})  # fmt: skip
        self.ask(self.other, "PUT", f"/{self.bucket}/object", b"bob's")


CHANGES = [name for name in vars(World) if name not in
           ("request", "ask", "complete_body", "state") and not name.startswith("_")]  # fmt: skip

# ---- the operations: what is sent, in the one world ----------------------------------------------------


def form(world):
    fields = [("key", "posted")]
    if world.caller is not None:
        date = raw.now().strftime("%Y%m%dT%H%M%SZ")
        signing = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": date,
                   "x-amz-credential": f"{world.caller.access_key}/{date[:8]}/us-east-1/s3/aws4_request"}  # fmt: skip
        if world.caller.session_token:
            signing["x-amz-security-token"] = world.caller.session_token
        text = {"expiration": "2099-01-01T00:00:00Z",
                "conditions": [{"bucket": world.bucket}, {"key": "posted"}, *({k: v} for k, v in signing.items())]}  # fmt: skip
        policy = base64.b64encode(json.dumps(text).encode()).decode()
        key = raw.signing_key(world.caller.secret_key, date[:8], "us-east-1", "s3")
        fields += [*signing.items(), ("policy", policy), ("x-amz-signature", raw.hmac256(key, policy).hex())]
    return raw.form_body(fields, file=b"posted" * 100)


def caller_id(world):
    return world.caller.canonical_id if world.caller else world.owner.canonical_id


SAMPLES = {
    "PutObject": lambda w: ("PUT", f"/{w.bucket}/put", b"put" * 50),
    "UploadPart": lambda w: ("PUT", f"/{w.bucket}/upload?partNumber=2&uploadId={w.upload}", PART),
    "CompleteMultipartUpload": lambda w: ("POST", f"/{w.bucket}/upload?uploadId={w.upload}", w.complete_body()),
    "PutObjectAcl": lambda w: ("PUT", f"/{w.bucket}/object?acl", acl_document(
        w.owner.canonical_id, (w.owner.canonical_id, "FULL_CONTROL"), (caller_id(w), "READ"))),
    "PutObjectTagging": lambda w: ("PUT", f"/{w.bucket}/object?tagging", documents.TAGS),
    "PutObjectRetention": lambda w: ("PUT", f"/{w.bucket}/object?retention", documents.RETENTION),
    "PutObjectLegalHold": lambda w: ("PUT", f"/{w.bucket}/object?legal-hold", documents.HOLD),
    "PutObjectAnnotation": lambda w: ("PUT", f"/{w.bucket}/object?annotation&annotationName=held", b"text" * 50),
    "SelectObjectContent": lambda w: ("POST", f"/{w.bucket}/object?select&select-type=2", documents.SELECT),
    "UpdateObjectEncryption": lambda w: ("PUT", f"/{w.bucket}/object?encryption", documents.RECIPE),
    "TagResource": lambda w: ("POST", documents.tags_of(w.bucket), documents.TAG_RESOURCE),
    "RestoreObject": lambda w: ("POST", f"/{w.bucket}/object?restore", documents.RESTORE),
    "PutBucketVersioning": lambda w: ("PUT", f"/{w.bucket}?versioning", VERSIONING % b"Enabled"),
    "PutBucketAcl": lambda w: ("PUT", f"/{w.bucket}?acl", acl_document(
        w.owner.canonical_id, (w.owner.canonical_id, "FULL_CONTROL"), (caller_id(w), "FULL_CONTROL"))),
    "DeleteObjects": lambda w: ("POST", f"/{w.bucket}?delete", b"<Delete><Object><Key>precious</Key></Object></Delete>"),
    "PostObject": lambda w: ("POST", f"/{w.bucket}", b""),
}  # fmt: skip
OF_VERSION = {"PutObjectAcl", "PutObjectAnnotation", "PutObjectTagging", "PutObjectRetention", "PutObjectLegalHold", "UpdateObjectEncryption", "RestoreObject"}
OF_HOST = {"PutObjectTagging", "PutObjectAnnotation", "PutObjectRetention", "PutObjectLegalHold", "UpdateObjectEncryption", "RestoreObject"}  # of an object, and for no grantee
# What it answers to who may: the bucket has no lock, its object is stored in plain, and in no archive.
UNLOCKED = {"PutObjectRetention": (400, "InvalidRequest"), "PutObjectLegalHold": (400, "InvalidRequest"),
            "UpdateObjectEncryption": (400, "InvalidRequest"), "RestoreObject": (403, "InvalidObjectState")}  # fmt: skip
OF_OBJECT = OF_VERSION | {"SelectObjectContent"}
OF_UPLOAD = {"UploadPart", "CompleteMultipartUpload"}
for _name in documents.PUTS:
    SAMPLES[_name] = lambda w, name=_name: ("PUT", documents.target(name, w.bucket), documents.body(name, w.bucket))
OF_BUCKET_OWNER = {"PutBucketVersioning", "TagResource", *documents.PUTS}
ELSEWHERE = {"CreateBucket"}  # it has no bucket yet: see its own test below


def test_held_bodies__cover_every_operation_that_takes_a_body():
    taking = {route.name for route in routes.load() if route.kind == "R" and route.takes not in ("NOTHING", "")}
    assert taking == set(SAMPLES) | ELSEWHERE


def callers(operation):
    yield "owner"
    if operation not in OF_BUCKET_OWNER | OF_HOST:
        yield "grantee"
        yield "anyone"


def expected(operation, caller, change, versioned):
    """Status and code by Amazon's rules. None: it succeeds."""
    if change == "credentials_replaced":
        return (403, "InvalidAccessKeyId") if operation == "PostObject" and caller != "anyone" else None
    if change == "removed":
        return (404, "NoSuchBucket")
    if change in ("made_anew_by_another", "made_anew_twice"):
        return (403, "AccessDenied")
    if change == "made_anew_by_another_and_open":
        if versioned:
            return (404, "NoSuchVersion")
        if operation in OF_BUCKET_OWNER | OF_OBJECT:
            return (403, "AccessDenied")
        return (409, "OperationAborted")
    if change == "made_anew":
        if caller != "owner":
            return (403, "AccessDenied")
        if operation in OF_OBJECT:
            return (404, "NoSuchVersion" if versioned else "NoSuchKey")
        return (404, "NoSuchUpload") if operation in OF_UPLOAD else None
    if change == "revoked":
        return (403, "AccessDenied") if caller != "owner" else None
    if change == "upload_aborted" and operation in OF_UPLOAD:
        return (404, "NoSuchUpload")
    if change == "upload_completed" and operation == "UploadPart":
        return (404, "NoSuchUpload")
    if operation in OF_VERSION and versioned:
        return (404, "NoSuchVersion") if change in ("version_deleted", "object_deleted") else None
    if operation in OF_OBJECT and change == "object_deleted":
        return (404, "NoSuchKey")
    if operation in ("PutObjectAcl", "SelectObjectContent") and change == "object_replaced_by_another":
        return (403, "AccessDenied")
    return None


def held(world, request, hold):
    """Send the head, wait until the server wants the body, change the world, send the rest."""
    wire = request.wire()
    head, mark, body = wire.partition(b"\r\n\r\n")
    connection = raw.Connection(world.url)
    connection.send(head + b"\r\nExpect: 100-continue" + mark)
    assert connection.reply(informational=True).status == 100
    if hold == "tail":
        connection.send(body[:-1])
        body = body[-1:]
    return connection, body


def build(world, operation, versioned, payload):
    method, target, body = SAMPLES[operation](world)
    headers = {"x-amz-account-id": identity(world.server, "alice")[0]} if operation == "TagResource" else {}
    if operation == "PostObject":
        body, kind = form(world)
        return raw.Request(method, target, [("Host", raw.host_of(world.url)), ("Content-Type", kind)], body)
    if versioned:
        target += f"&versionId={world.version}"
    if payload == "unsigned":
        return world.request(world.caller, method, target, body, headers, raw.UNSIGNED)
    return world.request(world.caller, method, target, body, headers)


def cases():
    for operation in SAMPLES:
        for caller in callers(operation):
            for change in CHANGES:
                for hold in ("all", "tail"):
                    # Whether the fields were read by then, nobody can tell: see test_credentials.py.
                    if (operation, change, hold) == ("PostObject", "credentials_replaced", "tail"):
                        continue
                    yield operation, caller, change, hold, False, "signed"
                if operation in OF_VERSION:
                    yield operation, caller, change, "all", True, "signed"
                if caller == "owner" and operation != "PostObject":
                    yield operation, caller, change, "all", False, "unsigned"


@pytest.fixture
def users_again(server, request):
    yield
    if "credentials_replaced" in request.node.name:
        server.reload(server.users)


@pytest.mark.parametrize(("operation", "caller", "change", "hold", "versioned", "payload"), list(cases()))
def test_held_bodies__are_judged_when_they_have_arrived(
        server, users_again, operation, caller, change, hold, versioned, payload):  # fmt: skip
    world = World(server, caller)
    connection, rest = held(world, build(world, operation, versioned, payload), hold)
    with connection:
        getattr(world, change)()
        before = world.state()
        connection.send(rest)
        reply = connection.reply()
    refusal = expected(operation, caller, change, versioned) or UNLOCKED.get(operation)
    if refusal is None and change in ("versioning_suspended", "made_anew"):
        refusal = documents.OF_VERSIONED.get(operation)
    if refusal is None:
        no_content = operation in ("PostObject", "TagResource") or operation in documents.PUTS and documents.status(operation) == 204
        assert reply.status == (204 if no_content else 200), reply
        assert b"<Error>" not in reply.body
        return
    assert (reply.status, reply.code) == refusal
    assert world.state() == before
    if change == "made_anew_by_another" and caller == "owner":
        reply = raw.send(world.url, world.request(world.owner, "GET", f"/{world.bucket}"))
        assert (reply.status, reply.code) == (403, "AccessDenied")


def test_held_bodies__are_at_least_three_hundred_cases():
    assert len(list(cases())) >= 300


# ---- a name that is taken meanwhile ---------------------------------------------------------------------

CONFIGURATION = b'<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></CreateBucketConfiguration>'


@pytest.mark.parametrize("hold", ["all", "tail"])
@pytest.mark.parametrize(("taker", "refusal"), [("bob", (409, "BucketAlreadyExists")), ("alice", None), (None, None)])
def test_held_bodies__of_CreateBucket_meet_the_name_taken(server, hold, taker, refusal):
    world = World(server, "owner")
    name = f"held-new-{next(numbers)}"
    request = world.request(world.owner, "PUT", f"/{name}", CONFIGURATION)
    connection, rest = held(world, request, hold)
    with connection:
        if taker:
            world.ask(world.users[taker], "PUT", f"/{name}")
        connection.send(rest)
        reply = connection.reply()
    assert (None if reply.status == 200 else (reply.status, reply.code)) == refusal
    owner = world.users[taker or "alice"]
    acl = world.ask(owner, "GET", f"/{name}?acl")
    assert acl.element("Owner/ID") == owner.canonical_id


# ---- no body, but bytes that take their time -------------------------------------------------------------


def test_CopyObject__that_writes_bytes_anew_does_not_outlive_its_bucket(server):
    world = World(server, "owner")
    source = f"held-source-{next(numbers)}"
    world.ask(world.owner, "PUT", f"/{source}")
    world.ask(world.owner, "PUT", f"/{source}/big", b"b" * (48 << 20))
    outran = 0
    for _ in range(20):
        target = f"held-target-{next(numbers)}"
        world.ask(world.owner, "PUT", f"/{target}")
        copy = world.request(world.owner, "PUT", f"/{target}/copy", headers={
            "x-amz-copy-source": f"{source}/big", "x-amz-server-side-encryption": "AES256"})  # fmt: skip
        with raw.Connection(world.url, timeout_s=60) as connection:
            connection.send(copy.wire())
            gone = raw.send(world.url, world.request(world.owner, "DELETE", f"/{target}"))
            if gone.status == 409:  # the copy was faster
                connection.reply()
                continue
            assert gone.status == 204, gone
            world.ask(world.other, "PUT", f"/{target}")
            reply = connection.reply()
        listed = world.ask(world.other, "GET", f"/{target}?list-type=2")
        assert listed.element("KeyCount") == "0"
        # Before the head was read the bucket was gone already: no race, and no proof.
        if (reply.status, reply.code) == (403, "AccessDenied"):
            outran += 1
            if outran == 3:
                return
        else:
            assert (reply.status, reply.code) == (404, "NoSuchBucket")
    pytest.fail("the copy was always faster than the deletion of its bucket")
