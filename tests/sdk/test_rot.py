# SPDX-License-Identifier: Apache-2.0
"""Stored bytes that decay: never taken for good ones, and mended by an upload of the same bytes.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

import contextlib
import os
import re
import sqlite3
import subprocess

import pytest
from botocore.exceptions import ResponseStreamingError

from sdk import expect
from sdk.cloud import Cloud
from wire import process

LARGE = 5 << 20


@pytest.fixture
def served(make_server):
    """A server of its own with a bucket "seed"."""
    server = make_server("--buckets", "seed")
    server.s3 = Cloud(server).client(response_checksum_validation="when_required")
    return server


def fsck(server, *options):
    """Of a server that is stopped for good."""
    if not getattr(server, "stopped", False):
        server.stop()
        server.stopped = True
    return subprocess.run([process.program(), "fsck", *options, server.directory], capture_output=True, text=True)


def turn_a_bit_over(server, body):
    """In the one stored copy of a body, looked for by 64 of its bytes."""
    for path in server.directory.rglob("*"):
        if not path.is_file() or path.parent.name == "quarantine" or path.name.startswith("catalog.db-"):
            continue
        data = path.read_bytes()
        at = data.find(body[1000:1064])
        if at >= 0:
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(bytes([data[at] ^ 1]))
            return
    raise AssertionError("the body is nowhere")


def await_log(server, text):
    """What the server logs by itself; a minute is for ever."""
    process.until(lambda: text in server.stderr(), lambda: f"{text}\n{server.stderr()[-4000:]}", timeout=60)


def put_parts(s3, key, parts):
    upload = s3.create_multipart_upload(Bucket="seed", Key=key)["UploadId"]
    etags = [s3.upload_part(Bucket="seed", Key=key, UploadId=upload, PartNumber=n, Body=body)["ETag"]
             for n, body in enumerate(parts, 1)]  # fmt: skip
    s3.complete_multipart_upload(Bucket="seed", Key=key, UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]})  # fmt: skip


@pytest.mark.parametrize("size", [2000, 300 << 10, 500_000])
def test_rot__a_decayed_body_is_an_error_and_an_upload_of_it_mends_it(served, size):
    body, s3 = os.urandom(size), served.s3
    s3.put_object(Bucket="seed", Key="a key", Body=body)
    served.stop()
    turn_a_bit_over(served, body)
    served.start()
    if size < 65536:
        with expect.refused(500, "InternalError"):
            s3.get_object(Bucket="seed", Key="a key")
    else:
        with pytest.raises(ResponseStreamingError, match="IncompleteRead"):
            s3.get_object(Bucket="seed", Key="a key")["Body"].read()
    assert re.search(r'req=\w+ bucket=seed key="a key" .* does not have', served.stderr())
    s3.put_object(Bucket="seed", Key="a key", Body=body)
    assert s3.get_object(Bucket="seed", Key="a key")["Body"].read() == body
    assert fsck(served, "--read-data").returncode == 0


@pytest.mark.parametrize("size", [300 << 10, 6 << 20])
def test_rot__an_upload_under_another_key_mends_every_object_of_the_same_bytes(served, size):
    body, s3 = os.urandom(size), served.s3
    s3.put_object(Bucket="seed", Key="a", Body=body)
    s3.copy_object(Bucket="seed", Key="copy", CopySource="seed/a")
    turn_a_bit_over(served, body)
    s3.put_object(Bucket="seed", Key="b", Body=body)
    for key in ("a", "copy", "b"):
        assert s3.get_object(Bucket="seed", Key=key)["Body"].read() == body
    assert fsck(served, "--read-data").returncode == 0


@pytest.mark.parametrize("encrypted", [{}, {"ServerSideEncryption": "AES256"}])
def test_rot__a_copy_that_reads_does_not_make_good_bytes_of_decayed_ones(served, encrypted):
    body, s3 = os.urandom(300 << 10), served.s3
    s3.put_object(Bucket="seed", Key="a", Body=body)
    turn_a_bit_over(served, body)
    with expect.refused(500, "InternalError"):
        s3.copy_object(Bucket="seed", Key="b", CopySource="seed/a", ChecksumAlgorithm="SHA256", **encrypted)
    assert "Contents" in s3.list_objects_v2(Bucket="seed", Prefix="a")
    assert "Contents" not in s3.list_objects_v2(Bucket="seed", Prefix="b")


def test_rot__the_scrub_finds_logs_and_withholds_what_nobody_reads(make_server):
    server = make_server("--buckets", "seed", "--scrub-interval", "1s", "--scrub-rate", "1000M")
    s3 = Cloud(server).client(response_checksum_validation="when_required")
    s3.put_bucket_versioning(Bucket="seed", VersioningConfiguration={"Status": "Enabled"})
    body = os.urandom(6 << 20)
    version = s3.put_object(Bucket="seed", Key="a b", Body=body)["VersionId"]
    s3.put_object(Bucket="seed", Key="a b", Body=b"newer")
    put_parts(s3, "parts", [body, b"end"])  # the same bytes once more
    turn_a_bit_over(server, body)
    await_log(server, f'damaged: bucket=seed key="a b" version={version}: blob')
    await_log(server, "damaged: bucket=seed key=parts version=")
    for where in ({"Key": "a b", "VersionId": version}, {"Key": "parts"}):
        with expect.refused(500, "InternalError"):
            s3.get_object(Bucket="seed", Range="bytes=5-9", **where)
    assert s3.get_object(Bucket="seed", Key="a b")["Body"].read() == b"newer"
    s3.put_object(Bucket="seed", Key="again", Body=body)
    assert s3.get_object(Bucket="seed", Key="a b", VersionId=version)["Body"].read() == body
    assert s3.get_object(Bucket="seed", Key="parts")["Body"].read() == body + b"end"
    assert fsck(server, "--read-data").returncode == 0


def test_rot__a_decayed_part_cuts_the_connection_before_the_end(served):
    parts, s3 = [os.urandom(LARGE), os.urandom(300_000)], served.s3
    put_parts(s3, "m", parts)
    turn_a_bit_over(served, parts[0])
    with pytest.raises(ResponseStreamingError, match="IncompleteRead"):
        s3.get_object(Bucket="seed", Key="m")["Body"].read()
    assert re.search(r"req=\w+ bucket=seed key=m blob \d+ does not have", served.stderr())
    s3.put_object(Bucket="seed", Key="part", Body=parts[0])
    assert s3.get_object(Bucket="seed", Key="m")["Body"].read() == b"".join(parts)


def rows(server, sql):
    """On the catalog of a stopped server."""
    with contextlib.closing(sqlite3.connect(server.directory / "catalog.db")) as catalog:
        found = catalog.execute(sql).fetchall()
        catalog.commit()
        return found


def test_rot__fsck_says_what_errors_mean_and_repair_puts_rows_right(served):
    body, s3 = os.urandom(300 << 10), served.s3
    s3.put_object(Bucket="seed", Key="a", Body=body)
    s3.put_object(Bucket="seed", Key="small", Body=b"small")
    put_parts(s3, "m", [os.urandom(LARGE), b"end"])
    assert fsck(served).returncode == 0
    rows(served, "UPDATE blob SET refs = refs + 1")
    rows(served, "INSERT INTO inline_body(id, data) VALUES(7, x'6e6f626f6479')")
    rows(served, "INSERT INTO piece VALUES(8, 0, 2, (SELECT max(id) FROM blob), 0, 10, NULL)")
    rows(served, "INSERT INTO manifest_part SELECT 9, number, size, etag, checksum FROM manifest_part")
    before = rows(served, "SELECT * FROM blob ORDER BY id")

    out = fsck(served)
    assert out.returncode == 1
    assert "NO DATA IS AT RISK" in out.stdout and "--repair" in out.stdout
    assert "DATA IS LOST" not in out.stdout and "contradicts" not in out.stdout
    plan = fsck(served, "--repair", "--dry-run")
    assert plan.returncode == 1 and "would repair: " in plan.stdout
    assert rows(served, "SELECT * FROM blob ORDER BY id") == before
    assert list((served.directory / "quarantine").iterdir()) == []

    done = fsck(served, "--repair")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "repaired"), done.stdout
    kept = [path.read_bytes() for path in (served.directory / "quarantine").iterdir()]
    assert kept == [b"nobody"]
    assert fsck(served, "--repair").stdout.splitlines()[-1] == "clean"
    served.start()
    served.stopped = False
    assert s3.get_object(Bucket="seed", Key="a")["Body"].read() == body
    assert fsck(served, "--read-data").returncode == 0


@pytest.mark.parametrize("size", [2000, 300 << 10, 6 << 20])
def test_rot__repair_quarantines_damage_and_an_upload_mends_it(served, size):
    body, s3 = os.urandom(size), served.s3
    s3.put_object(Bucket="seed", Key="a", Body=body)
    served.stop()
    served.stopped = True
    turn_a_bit_over(served, body)
    out = fsck(served, "--read-data")
    assert out.returncode == 1
    assert "DATA IS LOST unless" in out.stdout and "Rows:" not in out.stdout
    done = fsck(served, "--repair")
    assert done.returncode == 1 and "marked as damaged" in done.stdout  # what is lost is still lost
    kept = [path.read_bytes() for path in (served.directory / "quarantine").iterdir()]
    assert [len(data) for data in kept] == ([size] if size > 65536 else [])
    assert fsck(served).returncode == 1  # known without reading

    served.start()
    served.stopped = False
    with expect.refused(500, "InternalError"):
        s3.get_object(Bucket="seed", Key="a", Range="bytes=5-9")
    s3.put_object(Bucket="seed", Key="a", Body=body)
    assert s3.get_object(Bucket="seed", Key="a")["Body"].read() == body
    assert fsck(served, "--read-data").returncode == 0


def test_rot__dry_run_alone_is_not_understood(tmp_path):
    out = subprocess.run([process.program(), "fsck", "--dry-run", tmp_path], capture_output=True, text=True)
    assert out.returncode == 2 and "--repair" in out.stderr
