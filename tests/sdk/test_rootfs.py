# SPDX-License-Identifier: Apache-2.0
"""The content of the container image, started as the image starts it: under chroot, as 65532."""

import json
import os
import pathlib
import re
import subprocess

import boto3
import pytest

from sdk.test_program import ROOT, TIMEOUT_S

RELEASE = pathlib.Path(os.environ.get("PAIL_RELEASE_PROGRAM", ROOT / "build" / "release" / "pail"))
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
USER = 65532


def directive(name):
    """The last line of that name in the Dockerfile, with its continuations."""
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)[-1]


pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to chroot"),
    pytest.mark.skipif(not RELEASE.exists(), reason="there is no release build"),
]


@pytest.fixture
def image(tmp_path):
    root = tmp_path / "rootfs"
    subprocess.run([ROOT / "docker" / "rootfs.sh", RELEASE, root], check=True)
    return root


def start(root, words, *, port, **arguments):
    """A program of the image with the image's environment, in its root, as its user."""
    env = dict(item.split("=", 1) for item in directive("ENV").split())
    assert env["PAIL_LISTEN"] == "0.0.0.0:9000"
    env["PAIL_LISTEN"] = f"0.0.0.0:{port}"

    def enter():
        os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    return subprocess.Popen(words, env={**env, **arguments.pop("env", {})}, preexec_fn=enter,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **arguments)  # fmt: skip


def ask(root, words, port):
    process = start(root, words, port=port)
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def test_rootfs__starts_as_the_image_does_is_healthy_and_tells_its_keys(image):
    server = start(image, json.loads(directive("ENTRYPOINT")), port=0)
    try:
        line = json.loads(server.stdout.readline())
        port = line["port"]
        health = json.loads(re.search(r"CMD (\[.*\])", directive("HEALTHCHECK"))[1])
        assert ask(image, health, port) == (0, f"http://127.0.0.1:{port}: healthy\n", "")
        # "docker exec pail pail credentials /data": by the PATH of the image.
        status, exported, _ = ask(image, ["/usr/bin/pail", "credentials", "/data"], port)
        assert status == 0
        known = dict(re.findall(r"^export (\w+)=(\S+)$", exported, re.MULTILINE))
        s3 = boto3.session.Session(known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]).client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")  # fmt: skip
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=b"x" * 100_000)
        assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"x" * 100_000
    finally:
        server.terminate()
        assert server.wait(TIMEOUT_S) == 0
        server.stdout.close()
        log = server.stderr.read()
        server.stderr.close()
    assert known["AWS_SECRET_ACCESS_KEY"] not in log, "docker logs keeps what is printed"
    assert ask(image, health, port)[0] == 1


def test_rootfs__a_mounted_folder_of_another_user_is_refused_with_the_fix(image):
    (image / "data").chmod(0o755)
    os.chown(image / "data", 1000, 1000)
    server = start(image, json.loads(directive("ENTRYPOINT")), port=0)
    _, err = server.communicate(timeout=TIMEOUT_S)
    assert server.returncode == 1
    assert "'/data' belongs to user 1000 and pail runs as user 65532: 'chown -R 65532' it" in err

