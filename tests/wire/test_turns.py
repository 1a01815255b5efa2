# SPDX-License-Identifier: Apache-2.0
"""Listings that pass over many delete markers take turns with all other requests.

The server is stopped while requests are sent, so that one event loop finds all of them at once, in the order in
which they came; its log then tells in which order they ended. No clock is asked.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import itertools
import pathlib
import re
import signal

import pytest

from wire import process, raw

TURNS = 5
MARKERS = TURNS * 1000  # STORE_LIST_HIDDEN_MAX each
ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
marks = itertools.count(1)
LIVE = ["a/1", "a/2", "b", "z"]


def crowd(server, live, markers):
    """A bucket open to all: keys, and delete markers from m/ on."""
    root = server.users["root"]
    assert raw.signed(server.url, root, "PUT", "/crowded", headers=[("x-amz-acl", "public-read")]).status == 200
    assert raw.signed(server.url, root, "PUT", "/crowded?versioning", ENABLED).status == 200
    raw.put_many(server.url, root, "crowded", live)
    for first in range(0, markers, 1000):
        keys = "".join(f"<Object><Key>m/{n:06}</Key></Object>" for n in range(first, first + 1000))
        request = raw.Request("POST", "/crowded?delete", [("Host", raw.host_of(server.url))],
                              f"<Delete><Quiet>true</Quiet>{keys}</Delete>".encode())  # fmt: skip
        raw.sign_v4(raw.with_md5(request), root)
        assert raw.send(server.url, request).status == 200


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A server with one event loop."""
    server = process.Server(tmp_path_factory.mktemp("turns"), "--threads", "1", "--durability", "relaxed")
    crowd(server, LIVE, MARKERS)
    yield server
    server.stop()  # no sanitizer has anything to say


class Rush:
    """Requests that all are there when the server wakes."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.logged = len(self.log())
        self.server.process.send_signal(signal.SIGSTOP)
        process.until(lambda: all(state == "T" for state in self.thread_states()))
        return self

    def thread_states(self):
        for path in pathlib.Path(f"/proc/{self.server.process.pid}/task").glob("*/stat"):
            yield path.read_text().rpartition(")")[2].split()[0]

    def ask(self, method, target, user=None, headers=(), body=b""):
        request = raw.Request(method, target, [("Host", raw.host_of(self.server.url)), *headers], body)
        if body:
            raw.with_md5(request)
        if user:
            raw.sign_v4(request, user)
        connection = raw.Connection(self.server.url, 60.0)
        connection.send(request.wire())
        return connection

    def __exit__(self, *_):
        self.server.process.send_signal(signal.SIGCONT)

    def log(self):
        """With a line for every request so far: one more is asked, until its own is there."""
        mark = f"/mark-{next(marks)}"
        raw.anonymous(self.server.url, "GET", mark)
        process.until(lambda: f" bucket={mark[1:]} " in self.server.stderr())
        return self.server.stderr()

    def ended(self):
        """(operation, status) of each request, in the order in which they ended."""
        lines = self.log()[self.logged :]
        return re.findall(r" op=(\w+) bucket=crowded(?: store=\w+)? status=(\d+) ", lines)


def keys_of(reply):
    return re.findall(r"<Key>(.*?)</Key>", reply.body.decode())


@pytest.mark.parametrize("listing", ["/crowded?list-type=2", "/crowded", "/crowded?list-type=2&max-keys=1&start-after=b"])
def test_ListObjects__over_many_markers_lets_a_later_request_be_answered_first(crowded, listing):
    with Rush(crowded) as rush:
        listings = [rush.ask("GET", listing) for _ in range(8)]
        head = rush.ask("HEAD", "/crowded/b", crowded.users["root"])
    assert head.reply(head=True).status == 200
    assert [connection.reply().status for connection in listings] == [200] * 8
    # Each listing has some turns to go when the other request comes to its first.
    assert [operation for operation, _ in rush.ended()][0] == "HeadObject"


def test_ListObjects__many_over_many_markers_take_one_turn_each_time_another_is_answered(crowded):
    """What others wait for does not grow with the number of listings: 20 requests in a row overtake all 8."""
    with Rush(crowded) as rush:
        listings = [rush.ask("GET", "/crowded?list-type=2") for _ in range(8)]
        row = raw.Connection(crowded.url, 60.0)
        head = raw.Request("HEAD", "/crowded/b", [("Host", raw.host_of(crowded.url))])
        raw.sign_v4(head, crowded.users["root"])
        row.send(head.wire() * 20)
    assert [row.reply(head=True).status for _ in range(20)] == [200] * 20
    assert [connection.reply().status for connection in listings] == [200] * 8
    assert [operation for operation, _ in rush.ended()] == ["HeadObject"] * 20 + ["ListObjectsV2"] * 8


@pytest.mark.parametrize("query,keys,prefixes,truncated", [
    ("", LIVE, [], "false"),
    ("max-keys=3", LIVE[:3], [], "true"),
    ("max-keys=4", LIVE, [], "false"),
    ("delimiter=/", ["b", "z"], ["a/"], "false"),
    ("delimiter=/&max-keys=2", ["b"], ["a/"], "true"),
    ("prefix=m/", [], [], "false"),
    ("prefix=m/&delimiter=/", [], [], "false"),
])  # fmt: skip
@pytest.mark.parametrize("version", ["", "list-type=2&"])
def test_ListObjects__over_many_markers_gives_whole_pages(crowded, version, query, keys, prefixes, truncated):
    reply = raw.anonymous(crowded.url, "GET", f"/crowded?{version}{query}")
    assert reply.status == 200, reply
    assert keys_of(reply) == keys
    assert re.findall(r"<CommonPrefixes><Prefix>(.*?)</Prefix>", reply.body.decode()) == prefixes
    assert reply.element("IsTruncated") == truncated
    if version:
        assert reply.element("KeyCount") == str(len(keys) + len(prefixes))
    assert [name.lower() for name, _ in reply.headers].count("x-amz-bucket-region") == 1


def test_ListObjectsV2__goes_on_from_a_token_before_many_markers(crowded):
    first = raw.anonymous(crowded.url, "GET", "/crowded?list-type=2&max-keys=3")
    token = raw.quote(first.element("NextContinuationToken"))
    rest = raw.anonymous(crowded.url, "GET", f"/crowded?list-type=2&continuation-token={token}")
    assert keys_of(first) + keys_of(rest) == LIVE
    assert rest.element("IsTruncated") == "false"


def test_ListObjects__of_a_client_that_left_ends_and_holds_up_nobody(crowded):
    with Rush(crowded) as rush:
        for _ in range(8):
            rush.ask("GET", "/crowded?list-type=2&delimiter=/").close()
        stays = rush.ask("GET", "/crowded?list-type=2")
    assert keys_of(stays.reply()) == LIVE
    assert len(rush.ended()) == 9


def test_ListObjects__that_is_under_way_ends_when_the_access_does(crowded):
    """Both happen between two turns: what ended later than the change of the ACL was refused."""
    root = crowded.users["root"]
    with Rush(crowded) as rush:
        listings = [rush.ask("GET", "/crowded?list-type=2") for _ in range(200)]
        revoke = rush.ask("PUT", "/crowded?acl", root, [("x-amz-acl", "private")])
    try:
        assert revoke.reply().status == 200
        replies = [connection.reply() for connection in listings]
        ended = rush.ended()
        after = ended[ended.index(("PutBucketAcl", "200")) + 1 :]
        assert after
        assert set(after) == {("ListObjectsV2", "403")}
        refused = [reply for reply in replies if reply.status == 403]
        assert all(reply.code == "AccessDenied" and b"<Key>" not in reply.body for reply in refused)
        assert len(refused) >= len(after)
    finally:
        assert raw.signed(crowded.url, root, "PUT", "/crowded?acl", headers=[("x-amz-acl", "public-read")]).status == 200


def test_ListObjects__that_is_under_way_goes_on_when_something_else_of_the_bucket_changes(crowded):
    tags = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
    with Rush(crowded) as rush:
        listings = [rush.ask("GET", "/crowded?list-type=2") for _ in range(50)]
        change = rush.ask("PUT", "/crowded?tagging", crowded.users["root"], body=tags)
    assert change.reply().status == 204
    for reply in [listing.reply() for listing in listings]:
        assert keys_of(reply) == LIVE
        assert [name.lower() for name, _ in reply.headers].count("x-amz-bucket-region") == 1
    assert rush.ended()[-1][0] == "ListObjectsV2"


def test_ListObjects__what_is_written_between_turns_is_of_the_budget(make_server):
    """Pages of 5 MB, full before the markers come, of which one client gets one: the others end at their first turn."""
    server = make_server("--threads", "1", "--durability", "relaxed", "--buffered-bodies", "16M")
    crowd(server, [f"{n:04}" + "&" * 1000 for n in range(1000)], MARKERS)
    with Rush(server) as rush:
        listings = [rush.ask("GET", "/crowded") for _ in range(6)]
    assert sorted(connection.reply().status for connection in listings) == [200] + [503] * 5
    assert [status for _, status in rush.ended()] == ["503"] * 5 + ["200"]
    with Rush(server) as rush:
        again = rush.ask("GET", "/crowded")
    assert len(keys_of(again.reply())) == 1000
