# SPDX-License-Identifier: Apache-2.0
"""Random sequences of operations against a model in memory, over boto3.

PAIL_MODEL_SEQUENCES is how many sequences (default 100), PAIL_MODEL_SEED where to start (default
random, printed). A failing sequence is named by its own seed:

    PAIL_MODEL_SEED=<seed> PAIL_MODEL_SEQUENCES=1 pytest tests/sdk/test_model.py

The model knows what S3 documents: versions newest first, the null version, delete markers, what a
copy keeps, what a multipart upload becomes, which precondition fails. After every sequence the
whole bucket is compared: every key, version, body, metadata, tag and open upload. Then the server
is stopped, and fsck reads all and finds nothing.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import hashlib
import os
import random
import subprocess

import pytest
from botocore.exceptions import ClientError

from sdk.cloud import Cloud, bucket_name
from sdk import expect
from wire import process

SEQUENCES = int(os.environ.get("PAIL_MODEL_SEQUENCES") or 100)
OPERATIONS = 30
KEYS = ["a", "a/b", "a/b/", "a//", "ä", "b c+d", "z"]
LARGE = 5 << 20  # what a part has to have that is not the last


class Version:
    def __init__(self, body=None, *, metadata=None, tags=None, etag=None, content_type="binary/octet-stream"):
        self.marker = body is None
        self.body, self.metadata, self.tags = body, dict(metadata or {}), dict(tags or {})
        self.etag = etag if etag or body is None else expect.md5_etag(body)
        self.content_type = content_type
        self.id = None

    def copy(self, **changes):
        new = Version(self.body, metadata=self.metadata, tags=self.tags, content_type=self.content_type)
        for name, value in changes.items():
            setattr(new, name, value)
        return new


class Model:
    """What one bucket should be."""

    def __init__(self):
        self.state = None
        self.versions = {}  # key: newest first
        self.uploads = {}  # id: (key, {number: (body, etag)}, metadata)

    def current(self, key):
        found = self.versions.get(key)
        return found[0] if found and not found[0].marker else None

    def find(self, key, version):
        return next((item for item in self.versions.get(key, []) if item.id == version), None)

    def put(self, key, new, version):
        """Store; version is the id the server gave, None where it gave none."""
        if self.state == "Enabled":
            assert version and version != "null"
            new.id = version
        else:
            assert version in (None, "null")
            new.id = "null"
            self.remove(key, "null")
        self.versions.setdefault(key, []).insert(0, new)

    def remove(self, key, version):
        kept = [item for item in self.versions.get(key, []) if item.id != version]
        if kept:
            self.versions[key] = kept
        else:
            self.versions.pop(key, None)

    def listing(self, prefix="", delimiter=""):
        keys, prefixes = [], []
        for key in sorted(self.versions, key=str.encode):
            if not key.startswith(prefix) or not self.current(key):
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            if at >= 0:
                common = key[: at + len(delimiter)]
                if common not in prefixes:
                    prefixes.append(common)
            else:
                keys.append(key)
        return keys, prefixes


class Runner:
    """One sequence: picks operations, does them on the server and the model, compares answers."""

    def __init__(self, s3, seed):
        self.s3, self.random = s3, random.Random(seed)
        self.model = Model()
        self.bucket = bucket_name("model")
        self.trace = []
        s3.create_bucket(Bucket=self.bucket)

    def body(self):
        size = self.random.choice([0, 1, 10, 1000, 65536, 65537, 200_000])
        return self.random_bytes(LARGE if self.random.random() < 0.03 else size)

    def random_bytes(self, size):
        if self.random.random() < 0.2:  # equal contents share what is stored
            return hashlib.shake_128(b"equal").digest(size)
        return hashlib.shake_128(self.random.randbytes(8)).digest(size)

    def sealed(self):
        """Arguments that ask for encryption, or none."""
        return {"ServerSideEncryption": "AES256"} if self.random.random() < 0.3 else {}

    def key(self):
        return self.random.choice(KEYS)

    def words(self, count=3):
        return {f"k{n}": str(self.random.randrange(100)) for n in range(self.random.randrange(count))}

    def refused(self, call, wanted):
        with pytest.raises(ClientError) as error:
            call()
        code = error.value.response["Error"]["Code"]
        assert code == wanted, f"{code}, expected {wanted}"

    def step(self):
        operation = self.random.choice([
            self.put, self.put, self.put, self.get, self.get, self.head, self.copy, self.delete, self.delete, self.delete_version,
            self.delete_many, self.listing, self.listing_pages, self.versioning, self.tag, self.untag, self.upload, self.upload_part,
            self.upload_part, self.complete, self.abort, self.conditional_put, self.conditional_delete, self.get_range, self.part_copy,
            self.part_copy_whole, self.large_upload,
        ])  # fmt: skip
        self.trace.append(operation.__name__)
        operation()

    # -- objects

    def put(self):
        key, body, metadata, tags = self.key(), self.body(), self.words(), self.words()
        self.trace.append((key, len(body)))
        answer = self.s3.put_object(
            Bucket=self.bucket, Key=key, Body=body, Metadata=metadata, ContentType="text/x",
            Tagging="&".join(f"{k}={v}" for k, v in tags.items()), **self.sealed())  # fmt: skip
        new = Version(body, metadata=metadata, tags=tags, content_type="text/x")
        assert answer["ETag"] == new.etag
        self.model.put(key, new, answer.get("VersionId"))

    def conditional_put(self):
        key, body, current = self.key(), self.body(), None
        current = self.model.current(key)
        self.trace.append(key)
        where = {"Bucket": self.bucket, "Key": key, "Body": body}
        kind = self.random.choice(["none", "match", "wrong"])
        if kind == "none":
            condition, passes, code = {"IfNoneMatch": "*"}, current is None, "PreconditionFailed"
        elif kind == "match" and current:
            condition, passes, code = {"IfMatch": current.etag}, True, None
        else:
            condition = {"IfMatch": '"' + "0" * 32 + '"'}
            passes, code = False, "PreconditionFailed" if current else "NoSuchKey"
        if not passes:
            self.refused(lambda: self.s3.put_object(**where, **condition), code)
            return
        answer = self.s3.put_object(**where, **condition)
        self.model.put(key, Version(body), answer.get("VersionId"))

    def check_object(self, answer, version):
        assert (answer["ETag"], answer["ContentLength"]) == (version.etag, len(version.body))
        assert (answer["Metadata"], answer["ContentType"]) == (version.metadata, version.content_type)
        assert answer.get("TagCount", 0) == len(version.tags)
        if self.model.state:
            assert answer["VersionId"] == version.id

    def get(self):
        key = self.key()
        self.trace.append(key)
        versions = self.model.versions.get(key, [])
        if versions and self.random.random() < 0.4:
            version = self.random.choice(versions)
            where = {"Bucket": self.bucket, "Key": key, "VersionId": version.id}
            if version.marker:
                self.refused(lambda: self.s3.get_object(**where), "MethodNotAllowed")
                return
        else:
            where, version = {"Bucket": self.bucket, "Key": key}, self.model.current(key)
            if not version:
                self.refused(lambda: self.s3.get_object(**where), "NoSuchKey")
                return
        answer = self.s3.get_object(**where)
        assert answer["Body"].read() == version.body
        self.check_object(answer, version)

    def head(self):
        key = self.key()
        version = self.model.current(key)
        if not version:
            self.refused(lambda: self.s3.head_object(Bucket=self.bucket, Key=key), "404")
            return
        answer = self.s3.head_object(Bucket=self.bucket, Key=key)
        answer["TagCount"] = len(version.tags)
        self.check_object(answer, version)

    def get_range(self):
        key = self.key()
        version = self.model.current(key)
        if not version or not version.body:
            return
        size = len(version.body)
        start = self.random.randrange(size)
        end = self.random.randrange(start, size + 10)
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end}")
        assert answer["Body"].read() == version.body[start : end + 1]
        assert answer["ContentRange"] == f"bytes {start}-{min(end, size - 1)}/{size}"

    def copy(self):
        source, target = self.key(), self.key()
        self.trace.append((source, target))
        versions = [item for item in self.model.versions.get(source, []) if not item.marker]
        where = {"Bucket": self.bucket, "Key": target}
        if not versions:
            self.refused(lambda: self.s3.copy_object(CopySource={"Bucket": self.bucket, "Key": source}, **where), "NoSuchKey")
            return
        changes, options = {}, {}
        if self.random.random() < 0.5 or source == target:
            changes["metadata"] = self.words()
            changes["content_type"] = "text/copied"
            options = {"MetadataDirective": "REPLACE", "Metadata": changes["metadata"], "ContentType": "text/copied"}
        if self.random.random() < 0.5:
            changes["tags"] = self.words()
            options |= {"TaggingDirective": "REPLACE", "Tagging": "&".join(f"{k}={v}" for k, v in changes["tags"].items())}
        version = self.random.choice(versions)
        if version is self.model.current(source) and self.random.random() < 0.5:
            copy_source = {"Bucket": self.bucket, "Key": source}
        else:
            copy_source = {"Bucket": self.bucket, "Key": source, "VersionId": version.id}
        answer = self.s3.copy_object(CopySource=copy_source, **where, **options, **self.sealed())
        new = version.copy(**changes)
        assert answer["CopyObjectResult"]["ETag"] == new.etag
        self.model.put(target, new, answer.get("VersionId"))

    # -- deletes

    def deleted(self, key, answer):
        """What a plain delete of a key did."""
        if self.model.state is None:
            assert "VersionId" not in answer and "DeleteMarker" not in answer
            self.model.versions.pop(key, None)
            return
        assert answer["DeleteMarker"] is True
        marker = Version()
        version = answer.get("DeleteMarkerVersionId") or answer.get("VersionId")
        assert version
        self.model.put(key, marker, version)

    def delete(self):
        key = self.key()
        self.trace.append(key)
        self.deleted(key, self.s3.delete_object(Bucket=self.bucket, Key=key))

    def conditional_delete(self):
        key = self.key()
        current = self.model.current(key)
        if not current:
            return
        wrong = '"' + "0" * 32 + '"'
        self.refused(lambda: self.s3.delete_object(Bucket=self.bucket, Key=key, IfMatch=wrong), "PreconditionFailed")
        if self.random.random() < 0.5:
            self.deleted(key, self.s3.delete_object(Bucket=self.bucket, Key=key, IfMatch=current.etag))

    def delete_version(self):
        if not self.model.versions:
            return
        key = self.random.choice(sorted(self.model.versions))
        version = self.random.choice(self.model.versions[key])
        self.trace.append((key, version.id))
        answer = self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version.id)
        assert answer.get("DeleteMarker", False) is version.marker
        self.model.remove(key, version.id)

    def delete_many(self):
        keys = self.random.sample(KEYS, 2)
        self.trace.append(keys)
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        assert "Errors" not in answer
        found = {item["Key"]: item for item in answer["Deleted"]}
        assert set(found) == set(keys)
        for key in keys:
            self.deleted(key, found[key])

    # -- listings

    def listing(self):
        prefix, delimiter = self.random.choice(["", "a", "a/", "b", "ä"]), self.random.choice(["", "/"])
        keys, prefixes = self.model.listing(prefix, delimiter)
        call = self.random.choice([self.s3.list_objects_v2, self.s3.list_objects])
        answer = call(Bucket=self.bucket, Prefix=prefix, Delimiter=delimiter)
        assert (expect.keys_of(answer), expect.prefixes_of(answer)) == (keys, prefixes)
        for item in answer.get("Contents", []):
            version = self.model.current(item["Key"])
            assert (item["ETag"], item["Size"]) == (version.etag, len(version.body))

    def listing_pages(self):
        delimiter = self.random.choice(["", "/"])
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Delimiter=delimiter, PaginationConfig={"PageSize": self.random.randint(1, 3)})
        keys, prefixes = [], []
        for page in pages:
            keys += expect.keys_of(page)
            prefixes += expect.prefixes_of(page)
        assert (keys, prefixes) == self.model.listing("", delimiter)

    # -- versioning and tags

    def versioning(self):
        state = self.random.choice(["Enabled", "Enabled", "Suspended"])
        self.trace.append(state)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": state})
        self.model.state = state

    def tag(self):
        key, tags = self.key(), self.words(4)
        version = self.model.current(key)
        tagging = {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}
        call = lambda: self.s3.put_object_tagging(Bucket=self.bucket, Key=key, Tagging=tagging)  # noqa: E731
        if version:
            call()
            version.tags = tags
        else:
            self.refused(call, "MethodNotAllowed" if self.model.versions.get(key) else "NoSuchKey")

    def untag(self):
        candidates = [(key, v) for key, items in self.model.versions.items() for v in items if not v.marker]
        if candidates:
            key, version = self.random.choice(candidates)
            self.s3.delete_object_tagging(Bucket=self.bucket, Key=key, VersionId=version.id)
            version.tags = {}

    # -- multipart

    def upload(self):
        key, metadata = self.key(), self.words()
        answer = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, Metadata=metadata, **self.sealed())
        self.model.uploads[answer["UploadId"]] = (key, {}, metadata)
        return answer["UploadId"]

    def some_upload(self):
        if not self.model.uploads:
            self.upload()
        return self.random.choice(sorted(self.model.uploads))

    def upload_part(self, upload=None, number=None, body=None):
        upload = upload or self.some_upload()
        key, parts, _ = self.model.uploads[upload]
        number, body = number or self.random.randint(1, 3), self.body() if body is None else body
        answer = self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
        assert answer["ETag"] == expect.md5_etag(body)
        parts[number] = (body, answer["ETag"])

    def part_copy(self):
        source = next((key for key in KEYS if self.model.current(key) and self.model.current(key).body), None)
        if not source:
            return
        upload = self.some_upload()
        key, parts, _ = self.model.uploads[upload]
        body, number = self.model.current(source).body, self.random.randint(1, 3)
        start = self.random.randrange(len(body))
        end = self.random.randrange(start, len(body))
        answer = self.s3.upload_part_copy(
            Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, CopySource={"Bucket": self.bucket, "Key": source},
            CopySourceRange=f"bytes={start}-{end}")  # fmt: skip
        parts[number] = (body[start : end + 1], answer["CopyPartResult"]["ETag"])

    def part_copy_whole(self, upload=None, number=None):
        """A whole version, also one that is made of parts, becomes a part."""
        versions = [(key, item) for key, items in self.model.versions.items() for item in items if item.body]
        if not versions:
            return
        whole = [item for item in versions if item[1].etag.count("-")]
        source, version = self.random.choice(whole if whole and self.random.random() < 0.7 else versions)
        upload, number = upload or self.some_upload(), number or self.random.randint(1, 3)
        key, parts, _ = self.model.uploads[upload]
        self.trace.append((source, version.id, key, number))
        answer = self.s3.upload_part_copy(
            Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number,
            CopySource={"Bucket": self.bucket, "Key": source, "VersionId": version.id})  # fmt: skip
        parts[number] = (version.body, answer["CopyPartResult"]["ETag"])

    def large_upload(self):
        """Two parts and more, which small bodies can not be."""
        upload = self.upload()
        self.upload_part(upload, 1, self.random_bytes(LARGE))
        self.upload_part(upload, 2, self.body())
        self.part_copy_whole(upload, 3)
        self.complete(upload)

    def complete(self, upload=None):
        upload = upload or self.some_upload()
        key, parts, metadata = self.model.uploads[upload]
        self.trace.append((key, sorted(parts)))
        where = {"Bucket": self.bucket, "Key": key, "UploadId": upload}
        if not parts:
            self.refused(lambda: self.s3.complete_multipart_upload(**where, MultipartUpload={
                "Parts": [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '"'}]}), "InvalidPart")  # fmt: skip
            return
        listed = [{"PartNumber": number, "ETag": parts[number][1]} for number in sorted(parts)]
        if any(len(parts[item["PartNumber"]][0]) < LARGE for item in listed[:-1]):
            self.refused(
                lambda: self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": listed}), "EntityTooSmall")
            listed = listed[-1:]
        answer = self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": listed})
        body = b"".join(parts[item["PartNumber"]][0] for item in listed)
        whole = hashlib.md5(b"".join(bytes.fromhex(item["ETag"].strip('"')) for item in listed)).hexdigest()
        new = Version(body, metadata=metadata, etag=f'"{whole}-{len(listed)}"')
        assert answer["ETag"] == new.etag
        self.model.put(key, new, answer.get("VersionId"))
        del self.model.uploads[upload]

    def abort(self):
        if not self.model.uploads:
            return
        upload = self.random.choice(sorted(self.model.uploads))
        key, _, _ = self.model.uploads.pop(upload)
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
        self.refused(lambda: self.s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload), "NoSuchUpload")

    # -- the end

    def compare(self):
        """The whole bucket against the whole model."""
        pages = list(self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, PaginationConfig={"PageSize": self.random.choice([3, 1000])}))  # fmt: skip
        found = {}
        for page in pages:
            for item in page.get("Versions", []):
                found.setdefault(item["Key"], []).append((item["VersionId"], item["IsLatest"], item["ETag"], item["Size"]))
            for item in page.get("DeleteMarkers", []):
                found.setdefault(item["Key"], []).append((item["VersionId"], item["IsLatest"], None, None))
        wanted = {}
        for key, versions in self.model.versions.items():
            wanted[key] = [
                (v.id, i == 0, v.etag, None if v.marker else len(v.body)) for i, v in enumerate(versions)]
        assert {key: sorted(items, key=str) for key, items in found.items()} == {
            key: sorted(items, key=str) for key, items in wanted.items()}  # fmt: skip
        for key, versions in self.model.versions.items():
            live = [item[0] for item in found[key] if item[2]]
            assert live == [v.id for v in versions if not v.marker], "versions are listed newest first"
            for version in versions:
                if not version.marker:
                    where = {"Bucket": self.bucket, "Key": key, "VersionId": version.id}
                    answer = self.s3.get_object(**where)
                    assert answer["Body"].read() == version.body
                    self.check_object(answer, version)
                    tags = {tag["Key"]: tag["Value"] for tag in self.s3.get_object_tagging(**where)["TagSet"]}
                    assert tags == version.tags
        uploads = self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        assert {(item["UploadId"], item["Key"]) for item in uploads} == {
            (upload, key) for upload, (key, _, _) in self.model.uploads.items()}  # fmt: skip
        for upload, (key, parts, _) in self.model.uploads.items():
            listed = self.s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload).get("Parts", [])
            assert [(p["PartNumber"], p["ETag"], p["Size"]) for p in listed] == [
                (number, parts[number][1], len(parts[number][0])) for number in sorted(parts)]  # fmt: skip

    def clean(self):
        for key, versions in self.model.versions.items():
            for version in versions:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version.id)
        for upload, (key, _, _) in self.model.uploads.items():
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
        self.s3.delete_bucket(Bucket=self.bucket)


def fsck(server):
    """Stop the server, check what it left, start it again."""
    server.stop()
    out = subprocess.run(
        [process.program(), "fsck", "--read-data", server.directory], capture_output=True, text=True)
    assert (out.returncode, out.stdout.splitlines()[-1]) == (0, "clean"), out.stdout + out.stderr
    server.start()


@pytest.mark.timeout(3600)
def test_model__random_sequences(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    first = int(os.environ.get("PAIL_MODEL_SEED") or random.randrange(2**31))
    print(f"PAIL_MODEL_SEED={first} PAIL_MODEL_SEQUENCES={SEQUENCES}")
    steps = 0
    for seed in range(first, first + SEQUENCES):
        runner = Runner(s3, seed)
        try:
            for _ in range(OPERATIONS):
                runner.step()
                steps += 1
            runner.compare()
            fsck(server)
            runner.clean()
        except BaseException as failure:
            failure.add_note(f"sequence PAIL_MODEL_SEED={seed} PAIL_MODEL_SEQUENCES=1, after: {runner.trace}")
            raise
    print(f"{SEQUENCES} sequences, {steps} operations")
