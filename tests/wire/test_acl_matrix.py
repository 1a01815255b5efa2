# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every row of routes.def x ACLs x callers, against a model of its own.

The model knows Amazon's table of permissions and nothing of the server's: a row of routes.def that it does
not know fails the test. Each cell is one request on the wire; allowed means any answer but 403 AccessDenied.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
"""

import dataclasses
import itertools

import pytest

from tools import documents, routes
from wire import raw
from wire.test_accounts import identity
from wire.test_held_bodies import VERSIONING, acl_document

pytestmark = pytest.mark.matrix

GROUPS = {"all": "http://acs.amazonaws.com/groups/global/AllUsers",
          "users": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}  # fmt: skip
CALLERS = ["owner", "named", "stranger", "anyone"]
numbers = itertools.count(1)

# What a bucket and its objects are given: (who, right) by header. Full control of the owner is implied.
ACLS = {"private": ()}
ACLS |= {f"{who} {right}": ((who, right),) for who in ("named", "users", "all")
         for right in ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")}  # fmt: skip
ACLS["named READ and all WRITE"] = (("named", "READ"), ("all", "WRITE"))
ACLS["users READ and named READ_ACP"] = (("users", "READ"), ("named", "READ_ACP"))


def granted(acl, caller, right):
    reach = {"named": {"named"}, "users": {"named", "stranger"}, "all": {"named", "stranger", "anyone"}}
    return any(caller in reach[who] and given in (right, "FULL_CONTROL") for who, given in ACLS[acl])


@dataclasses.dataclass(frozen=True)
class Subject:
    bucket_acl: str
    object_acl: str

    def bucket(self, caller, right):
        return caller == "owner" or granted(self.bucket_acl, caller, right)

    def object(self, caller, right):
        return caller == "owner" or granted(self.object_acl, caller, right)


# ---- the model: an operation -> who may ------------------------------------------------------------------

ANY_USER = {"ListBuckets", "CreateBucket"}
BUCKET = {"READ": {"HeadBucket", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"},
          "WRITE": {"PutObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "PostObject"},
          "READ_ACP": {"GetBucketAcl"}, "WRITE_ACP": {"PutBucketAcl"}}  # fmt: skip
OBJECT = {"READ": {"GetObject", "HeadObject", "GetObjectAttributes", "SelectObjectContent"},
          "READ_ACP": {"GetObjectAcl"}, "WRITE_ACP": {"PutObjectAcl"}}  # fmt: skip
# The owner's upload: writing to the bucket is not enough, it has to be one's own.
UPLOAD = {"UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"}
OWNER = {"DeleteBucket", "GetBucketLocation", "GetBucketVersioning", "PutBucketVersioning", "GetBucketPolicyStatus", "CreateSession",
         "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging",
         "GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold",
         "GetObjectAnnotation", "ListObjectAnnotations", "PutObjectAnnotation", "DeleteObjectAnnotation",
         "UpdateObjectEncryption", "RestoreObject", "ListTagsForResource", "TagResource", "UntagResource", *documents.OPERATIONS}  # fmt: skip


def may(route, subject, caller):
    if route.kind in ("RD", "RN"):
        return caller == "owner"
    name = route.name
    for right, names in BUCKET.items():
        if name in names:
            return subject.bucket(caller, right)
    for right, names in OBJECT.items():
        if name in names:
            return subject.object(caller, right)
    if name in ("CopyObject", "RenameObject"):
        return subject.bucket(caller, "WRITE") and subject.object(caller, "READ")
    if name in ANY_USER:
        return caller != "anyone"
    assert name in UPLOAD | OWNER, f"{name}: who may?"
    return caller == "owner"


# ---- the requests ----------------------------------------------------------------------------------------


class Place:
    """A bucket of alice's with an object, each with its ACL, and what a cell needs in it."""

    def __init__(self, server, subject):
        self.url = server.url
        self.owner = server.users["alice"]
        self.callers = {"owner": self.owner, "named": server.users["bob"],
                        "stranger": server.users["root"], "anyone": None}  # fmt: skip
        self.subject = subject
        self.account = identity(server, "alice")[0]
        self.bucket = f"matrix-{next(numbers)}"
        self.ask(self.owner, "PUT", f"/{self.bucket}", headers=self.grants(subject.bucket_acl, "WRITE"))

    def grants(self, acl, *bucket_only):
        headers = {"x-amz-grant-full-control": [f'id="{self.owner.canonical_id}"']}
        for who, right in ACLS[acl]:
            grantee = f'id="{self.callers["named"].canonical_id}"' if who == "named" else f'uri="{GROUPS[who]}"'
            headers.setdefault(f"x-amz-grant-{right.lower().replace('_', '-')}", []).append(grantee)
        if not bucket_only:
            headers.pop("x-amz-grant-write", None)
        return {name: ", ".join(values) for name, values in headers.items()}

    def send(self, who, method, target, body=b"", headers=()):
        request = raw.Request(method, target, [("Host", raw.host_of(self.url)), *dict(headers).items()], body)
        if body:
            raw.with_md5(request)
        if who is not None:
            raw.sign_v4(request, who)
        return raw.send(self.url, request)

    def ask(self, who, method, target, body=b"", headers=()):
        reply = self.send(who, method, target, body, headers)
        assert reply.status == 200, (method, target, reply)
        return reply

    def new_object(self):
        key = f"object-{next(numbers)}"
        self.ask(self.owner, "PUT", f"/{self.bucket}/{key}", b"x", self.grants(self.subject.object_acl))
        return key

    def cell(self, route):
        """Method, target, body and headers of the operation; what it acts on is made for it."""
        name, bucket, path = route.name, self.bucket, f"/{self.bucket}"
        body, headers = BODIES.get(name, lambda place: b"")(self), {}
        plain = [c.partition("=") for c in route.selector.split("&") if c and not c.startswith("@")]
        query = {parameter: value or "" for parameter, _, value in plain}
        if route.resource == "SERVICE":
            path = "/"
        elif route.resource == "TAGS":
            path, headers["x-amz-account-id"] = documents.tags_of(bucket), self.account
        elif name == "CreateBucket":
            path = f"/matrix-new-{next(numbers)}"
        elif route.resource == "OBJECT":
            path += "/" + (self.new_object() if name not in UPLOAD else "upload")
        if name == "UntagResource":
            query["tagKeys"] = "held"
        if name in UPLOAD:
            made = self.ask(self.owner, "POST", f"/{bucket}/upload?uploads")
            query["uploadId"] = made.element("UploadId")
        if "partNumber" in query:
            query["partNumber"] = "1"
        if "Annotation" in name and route.resource == "OBJECT" and name != "ListObjectAnnotations":
            query["annotationName"] = "a"
        if "Configuration" in name and "id" in route.params + route.selector:
            query["id"] = "a"
        if name == "CompleteMultipartUpload":
            part = self.ask(self.owner, "PUT", f"{path}?partNumber=1&uploadId={query['uploadId']}", b"part")
            body = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.header('etag')}</ETag>"
                    "</Part></CompleteMultipartUpload>").encode()  # fmt: skip
        if "@x-amz-copy-source" in route.selector:
            headers["x-amz-copy-source"] = f"{bucket}/{self.new_object()}"
        if name == "RenameObject":
            headers["x-amz-rename-source"] = self.new_object()
        if name == "GetObjectAttributes":
            headers["x-amz-object-attributes"] = "ETag"
        if name == "PostObject":
            body, headers["Content-Type"] = raw.form_body([("key", "posted")], file=b"x")
        target = path + ("?" + "&".join(f"{k}={v}" if v else k for k, v in query.items()) if query else "")
        return route.method, target, body, headers


BODIES = {
    "PutObject": lambda place: b"x", "PutObjectAnnotation": lambda place: b"x", "UploadPart": lambda place: b"x",
    **{name: lambda place, name=name: documents.body(name, place.bucket) for name in documents.PUTS},
    "PutObjectTagging": lambda place: documents.TAGS, "UpdateObjectEncryption": lambda place: documents.RECIPE,
    "PutObjectRetention": lambda place: documents.RETENTION, "PutObjectLegalHold": lambda place: documents.HOLD,
    "TagResource": lambda place: documents.TAG_RESOURCE,
    "SelectObjectContent": lambda place: documents.SELECT, "RestoreObject": lambda place: documents.RESTORE,
    "PutBucketVersioning": lambda place: VERSIONING % b"Suspended",
    "PutObjectAcl": lambda place: acl_document(
        place.owner.canonical_id, (place.owner.canonical_id, "FULL_CONTROL")),
    "DeleteObjects": lambda place: b"<Delete><Object><Key>none</Key></Object></Delete>",
}  # fmt: skip

# They end or change the bucket that the other cells are asked of, so each gets one of its own.
ALONE = {"DeleteBucket", "PutBucketAcl", "PutBucketPolicy"}
SUBJECTS = [Subject(acl, acl) for acl in ACLS]
SUBJECTS += [Subject("private", acl) for acl in ACLS if acl != "private"]
SUBJECTS += [Subject(acl, "private") for acl in ACLS if acl != "private"]
ROUTES = routes.load()


def run_cell(server, place, route, caller):
    if route.name in ALONE:
        place = Place(server, place.subject)
    method, target, body, headers = place.cell(route)
    if route.name == "PutBucketAcl":
        headers["x-amz-acl"] = "private"
    # An anonymous form has no policy; a signed one would have to carry it in fields.
    who = None if route.name == "PostObject" else place.callers[caller]
    reply = place.send(who, method, target, body, headers)
    assert reply.status < 500 or reply.status == 501, (route.name, reply)
    refused = reply.status == 403 and (method == "HEAD" or reply.code == "AccessDenied")
    assert refused or reply.status != 403 or reply.code == "InvalidObjectState", (route.name, reply)
    return not refused


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: f"{s.bucket_acl}-{s.object_acl}".replace(" ", "_"))
def test_access__follows_the_lists_for_every_operation_and_caller(server, subject):
    place = Place(server, subject)
    wrong = []
    # What is not there yet asks for the owner whatever the lists say: a few rows of it are enough.
    for route in ROUTES if subject.bucket_acl == "all FULL_CONTROL" else [r for r in ROUTES if r.kind == "R"]:
        for caller in CALLERS:
            asking = "anyone" if route.name == "PostObject" else caller
            if run_cell(server, place, route, caller) != may(route, subject, asking):
                wrong.append((route.name, caller))
    assert wrong == []


def test_access__matrix_has_at_least_two_thousand_cells():
    live = sum(route.kind == "R" for route in ROUTES)
    assert len(SUBJECTS) * live * len(CALLERS) >= 2000
