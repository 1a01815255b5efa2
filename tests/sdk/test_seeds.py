# SPDX-License-Identifier: Apache-2.0
"""Every call of the two seed texts, written anew, over http and https.

The first text is a table of client and resource calls, the second a tutorial of uploads and
downloads. test_seed_texts.py runs the texts themselves where they are at hand. This file also runs
under boto3 1.26, whose requests look different (Content-MD5, no checksums): it may use only what
that version has.

    https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

import io
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
import uuid

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, NoCredentialsError

from sdk import expect
from wire.process import ROOT

MB = 1024 * 1024


@pytest.fixture
def client(cloud, scheme):
    return cloud.client(scheme=scheme)


@pytest.fixture
def resource(cloud, scheme):
    return cloud.resource(scheme=scheme)


@pytest.fixture
def tls(server, scheme):
    return ssl.create_default_context(cafile=server.certificate[0]) if scheme == "https" else None


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.txt"
    path.write_bytes(b"a local file\n" * 100)
    return path


def new_name():
    return f"seed-{uuid.uuid4().hex[:20]}"


# ---- the table: buckets -------------------------------------------------------------------------


def test_ListBuckets__client_names_the_bucket_and_the_owner(client, bucket):
    answer = client.list_buckets()
    names = [item["Name"] for item in answer["Buckets"]]
    assert bucket in names
    assert names == sorted(names)
    assert re.fullmatch("[0-9a-f]{64}", answer["Owner"]["ID"])
    created = [item["CreationDate"] for item in answer["Buckets"] if item["Name"] == bucket]
    assert created[0].tzinfo is not None


def test_ListBuckets__resource_iterates(resource, bucket):
    assert bucket in [item.name for item in resource.buckets.all()]


def test_CreateBucket__client_and_delete(client):
    name = new_name()
    answer = client.create_bucket(Bucket=name)
    assert answer["Location"] == f"/{name}"
    assert client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert client.delete_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with expect.refused(404, "404"):
        client.head_bucket(Bucket=name)


def test_CreateBucket__resource_and_delete(resource):
    name = new_name()
    made = resource.create_bucket(Bucket=name)
    assert made.name == name
    assert made.creation_date is not None
    resource.Bucket(name).delete()
    assert resource.Bucket(name).creation_date is None


# ---- the table: listing -------------------------------------------------------------------------


def fill(client, bucket):
    for key in ("a", "folder/1", "folder/2", "z"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())


def test_ListObjectsV2__client_all_and_prefix(client, bucket):
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    fill(client, bucket)
    answer = client.list_objects_v2(Bucket=bucket)
    assert expect.keys_of(answer) == ["a", "folder/1", "folder/2", "z"]
    assert answer["KeyCount"] == 4
    assert answer["IsTruncated"] is False
    first = answer["Contents"][0]
    assert (first["Size"], first["ETag"], first["StorageClass"]) == (1, expect.md5_etag(b"a"), "STANDARD")
    assert first["LastModified"].tzinfo is not None
    answer = client.list_objects_v2(Bucket=bucket, Prefix="folder/")
    assert expect.keys_of(answer) == ["folder/1", "folder/2"]
    assert answer["Prefix"] == "folder/"


def test_ListObjects__resource_all_and_filter(client, resource, bucket):
    fill(client, bucket)
    items = list(resource.Bucket(bucket).objects.all())
    assert [item.key for item in items] == ["a", "folder/1", "folder/2", "z"]
    assert items[1].size == 8
    assert items[1].e_tag == expect.md5_etag(b"folder/1")
    assert items[1].get()["Body"].read() == b"folder/1"
    chosen = resource.Bucket(bucket).objects.filter(Prefix="folder/")
    assert [item.key for item in chosen] == ["folder/1", "folder/2"]


def test_ListObjectsV2__client_paginator(client, bucket):
    for number in range(25):
        client.put_object(Bucket=bucket, Key=f"n/{number:02}", Body=b"")
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="n/", PaginationConfig={"PageSize": 10})
    sizes = [page["KeyCount"] for page in pages]
    assert sizes == [10, 10, 5]


# ---- the table: upload and download -------------------------------------------------------------


def test_PutObject__client_upload_file_and_put_object(client, bucket, local, tmp_path):
    client.upload_file(str(local), bucket, "key")
    answer = client.put_object(Bucket=bucket, Key="file", Body=b"data")
    assert answer["ETag"] == expect.md5_etag(b"data")
    client.download_file(bucket, "key", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_bytes() == local.read_bytes()
    got = client.get_object(Bucket=bucket, Key="file")
    assert got["Body"].read() == b"data"
    assert (got["ContentLength"], got["ETag"]) == (4, answer["ETag"])


def test_PutObject__resource_upload_file_and_put_object(resource, bucket, local, tmp_path):
    resource.Bucket(bucket).upload_file(str(local), "key")
    made = resource.Bucket(bucket).put_object(Key="file", Body=b"data")
    assert made.key == "file"
    resource.Bucket(bucket).download_file("key", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_bytes() == local.read_bytes()
    assert resource.Object(bucket, "file").get()["Body"].read() == b"data"


def test_PutObject__local_empty_and_fileobj(client, bucket):
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    client.upload_fileobj(io.BytesIO(b"from a file object"), bucket, "object")
    buffer = io.BytesIO()
    client.download_fileobj(bucket, "object", buffer)
    assert buffer.getvalue() == b"from a file object"
    assert client.head_object(Bucket=bucket, Key="empty")["ContentLength"] == 0


# ---- the table: copy, delete --------------------------------------------------------------------


def test_CopyObject__client_and_resource(cloud, client, resource, bucket):
    dest = cloud.new_bucket(hint="dest")
    client.put_object(Bucket=bucket, Key="file", Body=b"data", Metadata={"k": "v"})
    source = {"Bucket": bucket, "Key": "file"}
    answer = client.copy_object(Bucket=dest, Key="new", CopySource=source)
    assert answer["CopyObjectResult"]["ETag"] == expect.md5_etag(b"data")
    client.copy_object(Bucket=dest, Key="new-text", CopySource=f"{bucket}/file")
    resource.Object(dest, "new2").copy(CopySource=source)
    resource.Bucket(dest).copy(CopySource=source, Key="new3")
    for key in ("new", "new-text", "new2", "new3"):
        assert expect.body_of(client, dest, key) == b"data"
        assert client.head_object(Bucket=dest, Key=key)["Metadata"] == {"k": "v"}


def test_CopyObject__missing_source(client, resource, bucket):
    with expect.refused(404, "NoSuchKey"):
        client.copy_object(Bucket=bucket, Key="new", CopySource={"Bucket": bucket, "Key": "absent"})
    with expect.refused(404, "404"):
        resource.Bucket(bucket).copy(CopySource={"Bucket": bucket, "Key": "absent"}, Key="new")


def test_DeleteObject__client_and_resource(client, resource, bucket):
    for key in ("file", "file2"):
        client.put_object(Bucket=bucket, Key=key, Body=b"data")
    assert expect.status_of(client.delete_object(Bucket=bucket, Key="file")) == 204
    assert expect.status_of(client.delete_object(Bucket=bucket, Key="file")) == 204
    resource.Object(bucket, "file2").delete()
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


def test_DeleteObjects__client_and_resource(client, resource, bucket):
    fill(client, bucket)
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "absent"}]})
    assert sorted(item["Key"] for item in answer["Deleted"]) == ["a", "absent"]
    assert "Errors" not in answer
    answers = resource.Bucket(bucket).objects.all().delete()
    assert sorted(item["Key"] for item in answers[0]["Deleted"]) == ["folder/1", "folder/2", "z"]
    assert list(resource.Bucket(bucket).objects.all()) == []


# ---- the table: properties, versioning, tags, presigned ------------------------------------------


def test_HeadObject__client_and_resource_metadata(client, resource, bucket):
    client.put_object(Bucket=bucket, Key="file", Body=b"data", Metadata={"Author": "data-team"})
    head = client.head_object(Bucket=bucket, Key="file")
    assert head["Metadata"] == {"author": "data-team"}
    assert (head["ContentLength"], head["ETag"]) == (4, expect.md5_etag(b"data"))
    assert resource.Object(bucket, "file").metadata == {"author": "data-team"}


def test_PutObjectAcl__client_and_resource_public_read(client, resource, bucket, scheme, server, tls):
    client.put_object(Bucket=bucket, Key="file", Body=b"data")
    endpoint = server.tls_url if scheme == "https" else server.url
    assert expect.fetch(f"{endpoint}/{bucket}/file", context=tls)[0] == 403
    client.put_object_acl(Bucket=bucket, Key="file", ACL="public-read")
    assert expect.fetch(f"{endpoint}/{bucket}/file", context=tls)[::2] == (200, b"data")
    client.put_object_acl(Bucket=bucket, Key="file", ACL="private")
    assert expect.fetch(f"{endpoint}/{bucket}/file", context=tls)[0] == 403
    resource.ObjectAcl(bucket, "file").put(ACL="public-read")
    assert expect.fetch(f"{endpoint}/{bucket}/file", context=tls)[::2] == (200, b"data")
    with expect.refused(404, "NoSuchKey"):
        client.put_object_acl(Bucket=bucket, Key="absent", ACL="public-read")


def test_PutBucketVersioning__client_and_resource(client, resource, bucket):
    assert "Status" not in client.get_bucket_versioning(Bucket=bucket)
    assert resource.BucketVersioning(bucket).status is None
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    resource.BucketVersioning(bucket).suspend()
    assert resource.BucketVersioning(bucket).status == "Suspended"
    resource.BucketVersioning(bucket).enable()
    assert resource.BucketVersioning(bucket).status == "Enabled"


def test_PutBucketTagging__client_and_resource(client, resource, bucket):
    with expect.refused(404, "NoSuchTagSet"):
        client.get_bucket_tagging(Bucket=bucket)
    with expect.refused(404, "NoSuchTagSet"):
        resource.BucketTagging(bucket).load()
    tags = [{"Key": "team", "Value": "data"}, {"Key": "env", "Value": "test"}]
    answer = client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert expect.status_of(answer) == 204
    found = client.get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert sorted(found, key=str) == sorted(tags, key=str)
    resource.BucketTagging(bucket).put(Tagging={"TagSet": tags[:1]})
    assert resource.BucketTagging(bucket).tag_set == tags[:1]


def test_GetObject__presigned_url_by_plain_urllib(client, bucket, tls):
    client.put_object(Bucket=bucket, Key="reports/confidential.pdf", Body=b"%PDF")
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "reports/confidential.pdf"}, ExpiresIn=3600)
    assert expect.fetch(url, context=tls)[::2] == (200, b"%PDF")
    changed = url.replace("confidential", "confidentiaL")
    status, _, body = expect.fetch(changed, context=tls)
    assert status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in body


def test_PostObject__presigned_post_by_plain_urllib(client, bucket, tls):
    post = client.generate_presigned_post(Bucket=bucket, Key="posted.txt")
    boundary = uuid.uuid4().hex
    body = b""
    for name, value in post["fields"].items():
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                 f"{value}\r\n").encode()  # fmt: skip
    body += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n'
             f"Content-Type: text/plain\r\n\r\nposted\r\n--{boundary}--\r\n").encode()  # fmt: skip
    status, headers, answer = expect.fetch(
        post["url"], "POST", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}, tls)
    assert (status, answer) == (204, b"")
    assert headers["ETag"] == expect.md5_etag(b"posted")
    assert headers["Location"]
    assert expect.body_of(client, bucket, "posted.txt") == b"posted"


# ---- the tutorial: uploads ------------------------------------------------------------------------


def test_PutObject__upload_file_with_extra_args(client, bucket, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("<h1>monthly</h1>")
    client.upload_file(
        str(page), bucket, "reports/monthly.html",
        ExtraArgs={
            "ContentType": "text/html",
            "Metadata": {"author": "data-team", "report-type": "monthly"},
            "ServerSideEncryption": "aws:kms",
            "StorageClass": "STANDARD_IA",
        })  # fmt: skip
    for answer in (
        client.head_object(Bucket=bucket, Key="reports/monthly.html"),
        client.get_object(Bucket=bucket, Key="reports/monthly.html"),
    ):
        assert answer["ContentType"] == "text/html"
        assert answer["Metadata"] == {"author": "data-team", "report-type": "monthly"}
        assert answer["ServerSideEncryption"] == "aws:kms"
        assert answer["SSEKMSKeyId"].startswith("arn:aws:kms:")
        assert answer["StorageClass"] == "STANDARD_IA"
    assert answer["Body"].read() == b"<h1>monthly</h1>"
    listed = client.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert listed["StorageClass"] == "STANDARD_IA"


def test_PutObject__json_from_memory_and_bytesio(client, bucket):
    data = {"users": [{"name": "Alice"}, {"name": "Bob"}]}
    client.put_object(
        Bucket=bucket, Key="data/users.json", Body=json.dumps(data).encode("utf-8"),
        ContentType="application/json")  # fmt: skip
    answer = client.get_object(Bucket=bucket, Key="data/users.json")
    assert answer["ContentType"] == "application/json"
    assert json.loads(answer["Body"].read().decode("utf-8")) == data

    buffer = io.BytesIO()
    buffer.write(b"Hello, S3!")
    buffer.seek(0)
    client.upload_fileobj(buffer, bucket, "messages/hello.txt")
    assert expect.body_of(client, bucket, "messages/hello.txt") == b"Hello, S3!"


class ProgressTracker:
    def __init__(self, filename):
        self.size = os.path.getsize(filename)
        self.seen = 0
        self.lock = threading.Lock()

    def __call__(self, count):
        with self.lock:
            self.seen += count


def test_PutObject__progress_callback_sums_to_the_size(client, bucket, tmp_path):
    path = tmp_path / "large-file.zip"
    expect.write_noise(path, 20 * MB + 17)
    tracker = ProgressTracker(path)
    client.upload_file(str(path), bucket, "backups/large-file.zip", Callback=tracker)
    assert tracker.seen == tracker.size
    back = tmp_path / "back.zip"
    tracker = ProgressTracker(path)
    client.download_file(bucket, "backups/large-file.zip", str(back), Callback=tracker)
    assert tracker.seen == tracker.size
    assert expect.file_digest(back) == expect.file_digest(path)


def test_PutObject__progress_callback_of_a_single_put(client, bucket, local):
    tracker = ProgressTracker(local)
    client.upload_file(str(local), bucket, "small", Callback=tracker)
    assert tracker.seen == tracker.size


def test_CompleteMultipartUpload__transfer_config_of_the_tutorial(client, bucket, tmp_path):
    path = tmp_path / "huge-dataset.parquet"
    expect.write_noise(path, 120 * MB)
    config = TransferConfig(
        multipart_threshold=1024 * 1024 * 100,
        max_concurrency=10,
        multipart_chunksize=1024 * 1024 * 50,
        use_threads=True)  # fmt: skip
    client.upload_file(str(path), bucket, "datasets/huge-dataset.parquet", Config=config)
    head = client.head_object(Bucket=bucket, Key="datasets/huge-dataset.parquet")
    assert head["ContentLength"] == 120 * MB
    assert re.fullmatch('"[0-9a-f]{32}-3"', head["ETag"])
    back = tmp_path / "local-dataset.parquet"
    client.download_file(bucket, "datasets/huge-dataset.parquet", str(back), Config=config)
    assert expect.file_digest(back) == expect.file_digest(path)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


# ---- the tutorial: errors -------------------------------------------------------------------------


def safe_upload(client, local_path, bucket, key):
    try:
        client.upload_file(local_path, bucket, key)
        return True
    except FileNotFoundError:
        return "local file"
    except NoCredentialsError:
        return "credentials"
    except ClientError as error:
        return error.response["Error"]["Code"]


def safe_download(client, bucket, key, local_path):
    try:
        client.download_file(bucket, key, local_path)
        return True
    except ClientError as error:
        return error.response["Error"]["Code"]


def test_PutObject__safe_upload_branches(cloud, client, bucket, local, scheme, server):
    assert safe_upload(client, str(local), bucket, "key") is True
    assert safe_upload(client, str(local) + ".absent", bucket, "key") == "local file"
    options = {"endpoint_url": server.tls_url, "verify": str(server.certificate[0])}
    if scheme == "http":
        options = {"endpoint_url": server.url}
    nobody = boto3.session.Session(region_name="us-east-1").client("s3", **options)
    assert safe_upload(nobody, str(local), bucket, "key") == "credentials"
    # boto3 wraps what upload_file meets, so the tutorial's ClientError branch is put_object's.
    with pytest.raises(boto3.exceptions.S3UploadFailedError, match="NoSuchBucket"):
        client.upload_file(str(local), "no-such-bucket-of-ours", "key")
    with expect.refused(404, "NoSuchBucket"):
        client.put_object(Bucket="no-such-bucket-of-ours", Key="key", Body=b"data")
    alice = cloud.client("alice", scheme=scheme)
    with pytest.raises(boto3.exceptions.S3UploadFailedError, match="AccessDenied"):
        alice.upload_file(str(local), bucket, "key")
    with expect.refused(403, "AccessDenied"):
        alice.put_object(Bucket=bucket, Key="key", Body=b"data")


def test_GetObject__safe_download_branches(cloud, client, bucket, scheme, tmp_path):
    client.put_object(Bucket=bucket, Key="key", Body=b"data")
    back = str(tmp_path / "back")
    assert safe_download(client, bucket, "key", back) is True
    assert safe_download(client, bucket, "absent", back) == "404"
    assert safe_download(client, "no-such-bucket-of-ours", "key", back) == "404"
    # A HEAD has no body to name AccessDenied in: the code is the status.
    assert safe_download(cloud.client("alice", scheme=scheme), bucket, "key", back) == "403"
    with expect.refused(403, "AccessDenied"):
        cloud.client("alice", scheme=scheme).get_object(Bucket=bucket, Key="key")
    with expect.refused(404, "NoSuchKey"):
        client.get_object(Bucket=bucket, Key="absent")


def test_ListObjectsV2__list_and_download(client, bucket, tmp_path):
    files = {f"reports/2026/{n:03}.csv": f"row {n}".encode() for n in range(12)}
    for key, data in files.items():
        client.put_object(Bucket=bucket, Key=key, Body=data)
    client.put_object(Bucket=bucket, Key="reports/2026/", Body=b"")
    client.put_object(Bucket=bucket, Key="reports/2025/old.csv", Body=b"old")
    target = tmp_path / "downloaded-reports"
    paginator = client.get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=bucket, Prefix="reports/2026/"):
        for item in page.get("Contents", []):
            key = item["Key"]
            if key.endswith("/"):
                continue
            path = f"{target}/{key}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            client.download_file(bucket, key, path)
    found = {str(path.relative_to(target)): path.read_bytes()
             for path in target.rglob("*") if path.is_file()}  # fmt: skip
    assert found == files


# ---- the old boto3 ----------------------------------------------------------------------------------


@pytest.mark.skipif(boto3.__version__.startswith("1.26."), reason="this is boto3 1.26 already")
@pytest.mark.timeout(600)
def test_seeds__also_with_boto3_1_26(tmp_path):
    python = pathlib.Path(
        os.environ.get("PAIL_PYTHON_OLD") or ROOT / "build" / "venv-old" / "bin" / "python")
    if not python.exists():
        pytest.skip(f"boto3 1.26 is not installed: {python} is missing (./dev venv makes it)")
    result = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", ROOT / "tests/pytest.ini",
         f"--basetemp={tmp_path / 'old'}", __file__],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip
    assert result.returncode == 0, f"{result.stdout[-8000:]}\n{result.stderr[-2000:]}"
    passed = int(re.search(r"(\d+) passed", result.stdout)[1])
    assert passed >= 50, result.stdout[-1000:]
    print(f"boto3 1.26: {passed} passed", file=sys.stderr)
