# SPDX-License-Identifier: Apache-2.0
"""A process that lacks descriptors says 503 SlowDown, loses nothing and goes on when there are some.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import contextlib
import hashlib
import os
import resource

import pytest

from wire import raw

MIB = 1024 * 1024
SIZES = {"file": 5 * MIB, "pack": 200 * 1024}


def body(name):
    return hashlib.shake_128(name.encode()).digest(SIZES[name])


def request(server, method, target, content=b""):
    made = raw.Request(method, target, [("Host", raw.host_of(server.url))], content)
    raw.sign_v4(made, server.users["root"])
    return made.wire()


@contextlib.contextmanager
def no_descriptor_left(server):
    """Every descriptor up to the greatest in use is taken or out of reach."""
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    lowest_free = next(n for n in range(len(used) + 1) if n not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.fixture
def stocked(make_server):
    server = make_server("--threads", "1")
    root = server.users["root"]
    assert raw.signed(server.url, root, "PUT", "/kept").status == 200
    for name in SIZES:
        assert raw.signed(server.url, root, "PUT", f"/kept/{name}", body(name)).status == 200
    return server


def asked(server, connection, method, target, content=b""):
    connection.send(request(server, method, target, content))
    return connection.reply()


@pytest.mark.parametrize("name", SIZES)
def test_GetObject__without_a_descriptor_is_SlowDown(stocked, name):
    with raw.Connection(stocked.url, 30) as connection:
        assert asked(stocked, connection, "GET", "/kept/none").status == 404
        with no_descriptor_left(stocked):
            reply = asked(stocked, connection, "GET", f"/kept/{name}")
            assert (reply.status, reply.code) == (503, "SlowDown")
        assert asked(stocked, connection, "GET", f"/kept/{name}").body == body(name)


def test_PutObject__without_a_descriptor_is_SlowDown(stocked):
    with raw.Connection(stocked.url, 30) as connection:
        assert asked(stocked, connection, "GET", "/kept?max-keys=1").status == 200
        with no_descriptor_left(stocked):
            reply = asked(stocked, connection, "PUT", "/kept/file", b"x" * 5 * MIB)
            assert (reply.status, reply.code) == (503, "SlowDown")
        assert asked(stocked, connection, "GET", "/kept/file").body == body("file")
        assert asked(stocked, connection, "PUT", "/kept/file", b"x" * 5 * MIB).status == 200
