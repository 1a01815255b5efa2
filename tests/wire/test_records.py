# SPDX-License-Identifier: Apache-2.0
"""What happened, as the log tells it at level debug: work that no request waited for, and counts at the end.

The lines of requests are asserted where the requests are; here is what only debug shows.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

import re

from wire import raw
from wire.process import USERS

ROOT = USERS["root"]


def test_records__are_counted_and_told_when_the_server_stops(make_server):
    server = make_server("--log-level", "debug", "--threads", "2")
    raw.signed(server.url, ROOT, "PUT", "/counted")
    for number in range(5):
        raw.signed(server.url, ROOT, "PUT", f"/counted/{number}", b"12345678")
    assert raw.signed(server.url, ROOT, "GET", "/counted/none").status == 404
    body = raw.signed(server.url, ROOT, "GET", "/counted/1").body
    assert raw.anonymous(server.url, "GET", "/counted?acl").status == 403
    assert raw.anonymous(server.url, "GET", "/healthz").status == 200
    server.stop()
    server.stopped = True
    counted = {match[1]: match[2] for match in re.finditer(r"debug counted op=(\w+) (.*)", server.stderr())}
    assert set(counted) == {"CreateBucket", "PutObject", "GetObject", "GetBucketAcl", "Health"}
    assert counted["PutObject"].startswith("done=5 refused=0 failed=0 aborted=0 ")
    assert counted["PutObject"].endswith(" in=40 out=0")
    assert counted["GetObject"].startswith("done=1 refused=1 failed=0 aborted=0 ")
    assert int(counted["GetObject"].rpartition("out=")[2]) > len(body) == 8
    assert counted["GetBucketAcl"].startswith("done=0 refused=1 ")


def test_records__of_work_are_told_by_store(make_server, tmp_path):
    server = make_server("--log-level", "debug", "--store", f"other={tmp_path / 'other'}")
    server.stop()
    server.stopped = True
    log = server.stderr()
    for store in ("", " store=other"):
        assert re.search(rf"debug work=catalog{store} count=0 bytes=0 ms=[\d.]+ status=\w+\n", log), log
    assert re.search(r"debug counted work=catalog rounds=\d+ failures=0 ", log), log


def test_records__of_work_are_no_lines_at_level_info(make_server):
    server = make_server()
    raw.signed(server.url, ROOT, "PUT", "/quiet")
    server.stop()
    server.stopped = True
    assert " work=" not in server.stderr() and " counted " not in server.stderr()
