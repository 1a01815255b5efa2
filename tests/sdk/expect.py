# SPDX-License-Identifier: Apache-2.0
"""Small things the boto3 tests share."""

import concurrent.futures
import contextlib
import hashlib
import os
import urllib.error
import urllib.request

import botocore.exceptions


@contextlib.contextmanager
def refused(status, code):
    """The block must end in a ClientError of that status and code; a HEAD has no words: its code is its status.

    Yields a dict that holds the error's response afterwards.
    """
    found = {}
    try:
        yield found
    except botocore.exceptions.ClientError as error:
        found.update(error.response)
        got = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        wanted = (status, str(status) if error.operation_name.startswith("Head") else code)
        assert got == wanted, f"answered {got}, expected {wanted}: {error}"
        return
    raise AssertionError(f"was accepted; expected {status} {code}")


@contextlib.contextmanager
def refused_with_status(status):
    """As refused, where the code is open."""
    found = {}
    try:
        yield found
    except botocore.exceptions.ClientError as error:
        found.update(error.response)
        got = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == status, f"answered {got}, expected {status}: {error}"
        return
    raise AssertionError(f"was accepted; expected {status}")


def with_headers(client, headers):
    """Context manager: every request of the client carries these headers, signed."""

    @contextlib.contextmanager
    def scope():
        def add(request, **_):
            for name, value in headers.items():
                if name in request.headers:
                    del request.headers[name]
                request.headers[name] = value

        client.meta.events.register_last("before-sign.s3", add, unique_id="pail-test-headers")
        try:
            yield client
        finally:
            client.meta.events.unregister("before-sign.s3", unique_id="pail-test-headers")

    return scope()


def headers_of(response):
    return response["ResponseMetadata"]["HTTPHeaders"]


def status_of(response):
    return response["ResponseMetadata"]["HTTPStatusCode"]


def body_of(client, bucket, key, **arguments):
    return client.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


def md5_etag(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def multipart_etag(parts):
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    return f'"{digest}-{len(parts)}"'


def keys_of(page):
    return [item["Key"] for item in page.get("Contents", [])]


def prefixes_of(page):
    return [item["Prefix"] for item in page.get("CommonPrefixes", [])]


def noise(size, seed=b"pail"):
    """Reproducible bytes that do not compress and differ by seed."""
    return hashlib.shake_256(seed).digest(size)


def write_noise(path, size):
    """A large file, quickly: a random block with a running number in front of each copy."""
    block = os.urandom(1024 * 1024 - 8)
    left, number = size, 0
    with open(path, "wb") as out:
        while left > 0:
            out.write((number.to_bytes(8, "big") + block)[:left])
            left -= len(block) + 8
            number += 1


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1024 * 1024):
            digest.update(block)
    return digest.hexdigest()


def fetch(url, method="GET", data=None, headers=(), context=None):
    """Plain urllib, no SDK: (status, headers, body); error statuses too."""
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def at_once(count, function):
    """Run function(i) in that many threads that start together; results or exceptions in order."""
    import threading

    barrier = threading.Barrier(count)

    def run(i):
        barrier.wait(30)
        try:
            return function(i)
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def upload_parts(client, bucket, key, parts, **arguments):
    """Create an upload and its parts; returns (upload id, list for Complete)."""
    upload = client.create_multipart_upload(Bucket=bucket, Key=key, **arguments)["UploadId"]
    listed = []
    for number, part in enumerate(parts, 1):
        answer = client.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)
        listed.append({"PartNumber": number, "ETag": answer["ETag"]})
    return upload, listed


def complete(client, bucket, key, upload, listed, **arguments):
    return client.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": listed}, **arguments)


def multipart_object(client, bucket, key, parts, **arguments):
    upload, listed = upload_parts(client, bucket, key, parts, **arguments)
    return complete(client, bucket, key, upload, listed)
