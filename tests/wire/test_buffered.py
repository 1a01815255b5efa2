# SPDX-License-Identifier: Apache-2.0
"""What requests hold in memory as a whole has one budget: documents received, and listings sent.

What does not fit is answered 503 SlowDown, and all that was held comes back, however a request ends.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

import base64
import contextlib
import hashlib

import pytest

from wire import process, raw

MIB = 1024 * 1024
BUDGET = 16 * MIB
OPEN = 24


def delete_document(size):
    """A DeleteObjects document, blanks making it up to size; no run of them is longer than a text may be."""
    piece = b"<Object><Key>none</Key></Object>".ljust(MIB // 4)
    body = piece * (size // len(piece) - 1)
    return b"<Delete>" + body + b"</Delete>".rjust(size - len(body) - len(b"<Delete>"))


def delete_request(server, user, bucket, size):
    body = delete_document(size)
    request = raw.Request("POST", f"/{bucket}?delete", [("Host", raw.host_of(server.url))], body)
    request.set("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode())
    raw.sign_v4(request, user)
    return request.wire()


@pytest.fixture
def tight(make_server):
    server = make_server("--buffered-bodies", "16M")
    assert raw.signed(server.url, server.users["root"], "PUT", "/kept").status == 200
    return server


def all_but_last(tight, stack, size, count=OPEN):
    wire = delete_request(tight, tight.users["root"], "kept", size)
    connections = []
    for _ in range(count):
        connection = stack.enter_context(raw.Connection(tight.url, 30))
        connection.send(wire[:-1])
        connections.append(connection)
    process.until_read(tight.url)
    return connections, wire[-1:]


def test_DeleteObjects__documents_held_together_stay_within_the_budget(tight):
    with contextlib.ExitStack() as stack:
        connections, last = all_but_last(tight, stack, MIB)
        for connection in connections:
            connection.send(last)
        replies = [connection.reply() for connection in connections]
    taken = [reply for reply in replies if reply.status == 200]
    refused = [reply for reply in replies if reply.status != 200]
    assert all((reply.status, reply.code) == (503, "SlowDown") for reply in refused)
    assert 1 <= len(taken) <= BUDGET // 2 // MIB


def statuses_of_documents_held_together(tight, count):
    with contextlib.ExitStack() as stack:
        connections, last = all_but_last(tight, stack, MIB, count)
        for connection in connections:
            connection.send(last)
        return [connection.reply().status for connection in connections]


def test_DeleteObjects__what_was_held_comes_back_however_it_ends(tight):
    for round_ in range(4):
        if round_ % 2 == 0:
            statuses_of_documents_held_together(tight, OPEN)
        else:
            with contextlib.ExitStack() as stack:
                all_but_last(tight, stack, MIB, OPEN)
        # The server hears of closed connections a little later. Six need what would be missing.
        for _ in range(100):
            statuses = statuses_of_documents_held_together(tight, 6)
            if statuses == [200] * 6:
                break
        assert statuses == [200] * 6, round_


def test_DeleteObjects__another_client_finds_room(tight):
    alice = tight.users["alice"]
    assert raw.signed(tight.url, alice, "PUT", "/alices").status == 200
    with contextlib.ExitStack() as stack:
        all_but_last(tight, stack, MIB)
        with raw.Connection(tight.url, 30) as connection:
            connection.send(delete_request(tight, alice, "alices", MIB))
            assert connection.reply().status == 200


def test_PostObject__forms_being_read_stay_within_the_budget(tight):
    """A thousand forms that have sent a field each: more than half of 16 MiB of what they may come to hold."""
    count = 1000
    boundary = "b"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\nk'.encode()
    head = (f"POST /kept HTTP/1.1\r\nHost: {raw.host_of(tight.url)}\r\nContent-Length: {len(part)}\r\n"
            f"Content-Type: multipart/form-data; boundary={boundary}\r\nExpect: 100-continue\r\n\r\n").encode()  # fmt: skip
    refused = 0
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(raw.Connection(tight.url, 30))
            connection.send(head)
            reply = connection.reply(informational=True)
            if reply.status != 100:
                assert (reply.status, reply.code) == (503, "SlowDown")
                refused += 1
    assert count - refused == BUDGET // 2 // (20480 + 2 * 4096)


def test_ListObjects__listings_that_nobody_reads_stay_within_the_budget(tight):
    """Keys that grow fivefold in XML: a page of 5 MB, more than sockets take."""
    root = tight.users["root"]
    raw.put_many(tight.url, root, "kept", [f"{n:04}" + "&" * 1000 for n in range(1000)])
    request = raw.Request("GET", "/kept", [("Host", raw.host_of(tight.url))])
    raw.sign_v4(request, root)
    statuses = []
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(raw.Connection(tight.url, 30))
            connection.send(request.wire())
            statuses.append(connection._line().split()[1])
        assert statuses.count(b"200") + statuses.count(b"503") == len(statuses)
        assert statuses.count(b"503") >= 4
    assert raw.signed(tight.url, root, "GET", "/kept?max-keys=1").status == 200
