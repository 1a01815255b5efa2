# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test stands on: one server for the session, clients of it, fresh buckets.

(1) `server` is one process with an http and an https listener and the users of wire/process.py.
    `make_server` starts others with options of their own.
(2) Clients never retry: a deliberate error is one request.
(3) A bucket handed out is new and empty; none is cleaned up, the directory is thrown away.
(4) A test during which the server dies fails with the server's words, and the next one finds it up.
"""

import os
import pathlib

import pytest

from sdk.cloud import Cloud
from wire import process

# boto3 must not find anybody's real account or settings.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return process.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def session_server(tmp_path_factory, certificate):
    if process.program() is None or not process.program().exists():
        pytest.fail("there is no pail to test: build one, or name it in PAIL_PROGRAM", pytrace=False)
    server = process.Server(tmp_path_factory.mktemp("server"), certificate=certificate)
    yield server
    server.stop()


@pytest.fixture
def server(session_server):
    yield session_server
    session_server.check()


@pytest.fixture
def make_server(tmp_path, certificate):
    """make_server(*options, tls=False, **process.Server's) starts a server of the test's own."""
    made = []

    def make(*options, tls=False, **arguments):
        folder = tmp_path / f"server{len(made)}"
        server = process.Server(folder, *options, certificate=certificate if tls else None, **arguments)
        made.append(server)
        return server

    yield make
    failures = []
    for server in made:
        try:
            if server.process is not None and not getattr(server, "stopped", False):
                server.stop()
        except AssertionError as failure:
            failures.append(str(failure))
            if server.alive():
                server.kill()
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="session")
def session_cloud(session_server):
    return Cloud(session_server)


@pytest.fixture
def cloud(session_cloud, server):
    return session_cloud


@pytest.fixture(params=["http", "https"])
def scheme(request):
    return request.param


@pytest.fixture
def s3(cloud):
    """root's client over http."""
    return cloud.client()


@pytest.fixture
def any_s3(cloud, scheme):
    """root's client, once over http and once over https."""
    return cloud.client(scheme=scheme)


@pytest.fixture
def alice(cloud):
    return cloud.client("alice")


@pytest.fixture
def bob(cloud):
    return cloud.client("bob")


@pytest.fixture
def anyone(cloud):
    """The anonymous client."""
    return cloud.client(None)


@pytest.fixture
def bucket(cloud):
    return cloud.new_bucket()


@pytest.fixture
def versioned(cloud, s3):
    name = cloud.new_bucket(hint="versioned")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def gone(s3, versioned):
    """A version id that was one, of a version that is no more."""
    version = s3.put_object(Bucket=versioned, Key="gone", Body=b"gone")["VersionId"]
    s3.delete_object(Bucket=versioned, Key="gone", VersionId=version)
    return version


@pytest.fixture
def root_user(server):
    return server.users["root"]


def pytest_report_header():
    return f"pail: {process.program() or pathlib.Path('none built yet')}"
