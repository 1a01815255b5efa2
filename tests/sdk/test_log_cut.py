# SPDX-License-Identifier: Apache-2.0
"""A log that was cut: acknowledged commits that are gone are not passed over in silence.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DataDurability.html
"""

import shutil
import subprocess

import pytest

from sdk.cloud import Cloud
from wire import process

FRAME = 24 + 4096
WORDS = "the catalog's log "


def remove(wal):
    wal.unlink()


def empty(wal):
    wal.write_bytes(b"")


def blank(wal):
    wal.write_bytes(bytes(wal.stat().st_size))


def turn_a_bit_over(wal):
    """In the middle: commits lie behind it."""
    data = bytearray(wal.read_bytes())
    data[32 + FRAME + 24 + 100] ^= 1
    wal.write_bytes(data)


def cut_the_last(wal):
    """As a crash may leave it: zeros where the end of the last commit was."""
    data = bytearray(wal.read_bytes())
    frames = [at for at in range(32, len(data) - FRAME + 1, FRAME) if data[at + 8 : at + 16] == data[16:24]]
    data[frames[-1] + 24 :] = bytes(len(data) - frames[-1] - 24)
    wal.write_bytes(data)


def tear_the_last(wal):
    """As a power cut may leave it: of the last commit's first frame, what names a commit is from before."""
    data = bytearray(wal.read_bytes())
    frames = [at for at in range(32, len(data) - FRAME + 1, FRAME) if data[at + 8 : at + 16] == data[16:24]]
    commits = [n for n, at in enumerate(frames) if any(data[at + 4 : at + 8])]
    first = frames[commits[-2] + 1]
    assert first < frames[-1]
    data[first + 4 : first + 8] = b"\0\0\0\7"
    wal.write_bytes(data)


def leave_alone(_):
    pass


def killed(server):
    """A store with some commits whose server was killed."""
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="log")
    for n in range(8):
        s3.put_object(Bucket="log", Key=f"key{n}", Body=b"x" * 3000)
    server.kill()
    return server.directory / "catalog.db-wal"


@pytest.mark.parametrize("damage, said", [
    (remove, "is gone"), (empty, "is gone"), (blank, "has no header"), (turn_a_bit_over, "is damaged in frame 2"),
    (cut_the_last, None), (tear_the_last, None), (leave_alone, None)])  # fmt: skip
def test_log_cut__the_start_says_so_once_and_fsck_too(make_server, tmp_path, damage, said):
    server = make_server()
    damage(killed(server))
    other = tmp_path / "other"
    shutil.copytree(server.directory, other, ignore=shutil.ignore_patterns("*.socket"))
    out = subprocess.run([process.program(), "fsck", other], capture_output=True, text=True)
    assert (WORDS + (said or "") in out.stdout) is bool(said), out.stdout
    again = subprocess.run([process.program(), "fsck", other], capture_output=True, text=True)
    assert (WORDS in again.stdout) is bool(said), again.stdout

    server.start()
    assert (WORDS + (said or "") in server.stderr()) is bool(said), server.stderr()
    Cloud(server).client().create_bucket(Bucket="after")
    lines = server.stderr().count(WORDS)
    server.kill()
    server.start()
    server.stop()
    server.start()
    assert server.stderr().count(WORDS) == lines == bool(said)
