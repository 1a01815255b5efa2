# SPDX-License-Identifier: Apache-2.0
"""Real S3 clients against the release program of pail.

(1) tests/clients/install is run once, unless PAIL_CLIENTS_INSTALL=0; a client that cannot be had
    skips its tests by name and reason.
(2) A client sees the server's account, an empty home and nothing of the person running the tests.
(3) Every command has a time limit, and a failure shows what the client said.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from clients import kit
from sdk import expect
from wire import raw

INSTALL_TIMEOUT_S = 600
COMMAND_TIMEOUT_S = 120

used = {}


def pytest_collection_finish(session):
    """Installs before the first test, whose time limit it is not to use up."""
    if session.config.option.collectonly or not any(kit.HERE in item.path.parents for item in session.items):
        return
    if os.environ.get("PAIL_CLIENTS_INSTALL") == "0":
        return
    with subprocess.Popen([kit.HERE / "install"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          start_new_session=True) as process:  # fmt: skip
        for number, timeout_s in ((signal.SIGTERM, INSTALL_TIMEOUT_S), (signal.SIGKILL, 10)):
            with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
                process.wait(timeout_s)
                break
            os.killpg(process.pid, number)  # what it did not come to is skipped


@pytest.fixture(scope="session")
def session_server(tmp_path_factory, certificate):
    """As everywhere, but the release program; stop() demands exit status 0 and a clean stderr."""
    program = kit.release_program()
    if program is None or not program.exists():
        pytest.fail("there is no pail to test: build one, or name it in PAIL_RELEASE_PROGRAM", pytrace=False)
    server = kit.Server(tmp_path_factory.mktemp("server"), certificate=certificate)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def installed():
    """{name: kit.Client} of what tests/clients/install found or made."""
    found = kit.OUT / "found"
    if not found.exists():
        return {}
    clients = [kit.Client(line) for line in found.read_text().splitlines()]
    return {client.name: client for client in clients}


@pytest.fixture
def need(installed):
    """need(name): the client's program, or a skip that names the client and the reason."""

    def check(name):
        client = installed.get(name)
        if client is None or client.reason:
            pytest.skip(f"{name}: {client.reason if client else 'tests/clients/install did not come to it'}")
        used[name] = client.version
        return client.program

    return check


@pytest.fixture
def endpoint(server, scheme):
    return server.tls_url if scheme == "https" else server.url


@pytest.fixture
def environment(server, scheme, endpoint, tmp_path):
    """Variables of a client's process."""
    user = server.users["root"]
    home = tmp_path / "home"
    home.mkdir()
    variables = {
        "PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key,
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "ENDPOINT": endpoint,
        "KEYS_DIGEST": kit.KEYS_DIGEST,
    }  # fmt: skip
    if scheme == "https":
        certificate = str(server.certificate[0])
        variables |= {"AWS_CA_BUNDLE": certificate, "NODE_EXTRA_CA_CERTS": certificate, "SSL_CERT_FILE": certificate}
    return variables


@pytest.fixture
def run(environment, tmp_path):
    """run(program, arguments...): its standard output. With fails=True it must fail, and the
    result is what it said on both outputs."""

    def call(*command, stdin=b"", fails=False):
        command = [str(part) for part in command]
        result = subprocess.run(command, cwd=tmp_path, env=environment, input=stdin,
                                capture_output=True, timeout=COMMAND_TIMEOUT_S)  # fmt: skip
        out, err = result.stdout.decode(), result.stderr.decode()
        assert (result.returncode != 0) is fails, (
            f"ended with {result.returncode}: {' '.join(command)}\n{out[-3000:]}\n{err[-5000:]}")
        return out + err if fails else out

    return call


@pytest.fixture(scope="session")
def js():
    """js(name): the program of tests/clients/js, beside the packages it imports."""

    def path(name):
        for source in sorted((kit.HERE / "js").glob("*.mjs")):
            shutil.copy(source, kit.OUT / "js")
        return kit.OUT / "js" / name

    return path


@pytest.fixture(scope="session")
def many(session_cloud):
    """A bucket with the keys kit.MANY."""
    server = session_cloud.server
    name = session_cloud.new_bucket(hint="many")
    raw.put_many(server.url, server.users["root"], name, kit.MANY)
    return name


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A file of kit.LARGE_BYTES."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    expect.write_noise(path, kit.LARGE_BYTES)
    return path


@pytest.fixture(scope="session")
def large_digest(large):
    return expect.file_digest(large)


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """kit.TREE_FILES small files below folders whose order differs between bytes and words.

    An hour old: a client that compares times takes a file of the second of its upload for newer.
    """
    made_s = time.time() - 3600
    folder = tmp_path_factory.mktemp("tree") / "tree"
    for n in range(kit.TREE_FILES):
        path = folder / f"d{n % 7}" / ("a-b", "a.b", "a_b", "aB", "a+b c", "ä", "a")[n // 7 % 7] / f"{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {n}\n")
        os.utime(path, (made_s, made_s))
    return folder


def pytest_terminal_summary(terminalreporter):
    if used:
        terminalreporter.section("clients")
    for name, version in sorted(used.items()):
        terminalreporter.write_line(f"{name}: {version}")
