# SPDX-License-Identifier: Apache-2.0
"""At the most talkative level of the log no secret of a request is in it, however it was spelt or sent.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import base64
import json
import pathlib
import re
import urllib.parse

import pytest

from wire import process, raw

SECRET = "SESSIONvalue/with+odd=chars&more0123456789"
NAMES = [
    "x-amz-security-token", "X-Amz-Security-Token", "X-AMZ-SECURITY-TOKEN", "x-Amz-sECURITY-tOKEN",
    "x-amz-server-side-encryption-customer-key", "X-Amz-Server-Side-Encryption-Customer-Key",
    "x-amz-copy-source-server-side-encryption-customer-key",
]  # fmt: skip
SPELLINGS = {
    "plain": lambda name: name,
    "every byte encoded": lambda name: "".join(f"%{ord(c):02x}" for c in name),
    "dashes encoded": lambda name: name.replace("-", "%2D"),
    "first byte encoded": lambda name: f"%{ord(name[0]):02X}{name[1:]}",
}


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("talker"), "--log-level", "debug")
    yield server
    server.stop()


def shapes(secret):
    """The secret as it came and as it may be found in what is derived from it."""
    inner = [base64.b64encode(json.dumps({"expiration": "x" * pad, "t": secret}).encode()).decode()[40:60] for pad in range(3)]
    return [secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), secret[:12], secret[-10:], *inner]


def check(server, request, what, status=403):
    before = len(server.stderr())
    reply = raw.send(server.url, request)
    assert reply.status == status, (what, reply)
    words = server.stderr()[before:]
    assert "auth mismatch" in words or status != 403, what
    for shape in shapes(SECRET):
        assert shape not in words, (what, shape)
    assert "Signature=" not in words.replace("Signature=...", ""), what


def forger(server):
    return raw.User("x", server.users["root"].access_key, "wrong")


@pytest.mark.parametrize("present", [raw.presign_v4, raw.presign_v2], ids=["v4 url", "v2 url"])
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", NAMES)
def test_log__holds_no_secret_of_a_query(talker, present, spelling, name):
    target = f"/bucket/key?{SPELLINGS[spelling](name)}={raw.quote(SECRET)}&a=b"
    request = raw.Request("GET", target, [("Host", raw.host_of(talker.url))])
    present(request, forger(talker))
    check(talker, request, (name, spelling))


@pytest.mark.parametrize("sign", [raw.sign_v4, raw.presign_v4, raw.sign_v2, raw.presign_v2])
@pytest.mark.parametrize("name", NAMES)
def test_log__holds_no_secret_of_a_header(talker, sign, name):
    request = raw.Request("PUT", "/bucket/key", [("Host", raw.host_of(talker.url)), (name, SECRET), ("cookie", SECRET)], b"x")
    if sign is raw.presign_v4:
        raw.presign_v4(request, forger(talker), signed=("host", name.lower(), "cookie"))
    else:
        sign(request, forger(talker))
    check(talker, request, (name, sign))


@pytest.mark.parametrize("target", [
    "/bucket/key?a=X-Amz-Security-Token+%3D{}", "/bucket/key?a=X-Amz-Security-Token%2B%3D{}",
    "/bucket/X-Amz-Security-Token+={}", "/bucket%3FX-Amz-Security-Token%3D{}", "/bucket/key%3FX-Amz-Security-Token%3D{}", "/X-Amz-Security-Token={}",
    "/bucket/key?x-amz-copy-source=b%2Fk%3FX-Amz-Security-Token%3D{}",
])  # fmt: skip
def test_log__holds_no_secret_of_a_url_in_a_url(talker, target):
    request = raw.Request("GET", target.format(raw.quote(SECRET)), [("Host", raw.host_of(talker.url))])
    raw.presign_v4(request, forger(talker))
    check(talker, request, target)


@pytest.mark.parametrize("name", NAMES)
def test_log__holds_no_secret_of_a_form(talker, name):
    root = talker.users["root"]
    raw.signed(talker.url, root, "PUT", "/formbucket")
    raw.signed(talker.url, root, "PUT", "/formbucket?acl", headers=[("x-amz-acl", "public-read-write")])
    for pad in range(3):
        policy = {"expiration": "2100-01-01T00:00:00Z" + " " * pad, "conditions": [{"bucket": "formbucket"}, {name: SECRET}]}
        policy = base64.b64encode(json.dumps(policy).encode()).decode()
        amz_date = raw.now().strftime("%Y%m%dT%H%M%SZ")
        v2 = [("AWSAccessKeyId", root.access_key), ("signature", "x" * 28)]
        v4 = [("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-date", amz_date), ("x-amz-signature", "0" * 64),
              ("x-amz-credential", f"{root.access_key}/{amz_date[:8]}/us-east-1/s3/aws4_request")]  # fmt: skip
        for fields in (v2, v4):
            body, content_type = raw.form_body([("key", "k"), (name, SECRET), ("policy", policy), *fields], b"x")
            headers = [("Host", raw.host_of(talker.url)), ("Content-Type", content_type)]
            before = len(talker.stderr())
            check(talker, raw.Request("POST", "/formbucket", headers, body), (name, pad))
            assert policy[60:90] not in talker.stderr()[before:]


def test_log__holds_no_foreign_authorization(talker):
    for value in (f"Bearer {SECRET}", f"Basic {SECRET}", SECRET):
        request = raw.Request("GET", "/bucket/key", [("Host", raw.host_of(talker.url)), ("Authorization", value)])
        check(talker, request, value, 400)
        raw.presign_v4(request, talker.users["root"])
        check(talker, request, value, 400)


def test_log__of_an_audited_request_holds_no_secret(make_server):
    server = make_server("--auth", "audit", "--log-level", "debug")
    request = raw.Request("GET", f"/bucket/key%3FX-Amz-Security-Token%3D{raw.quote(SECRET)}?X-Amz-Security-Token={raw.quote(SECRET)}",
                          [("Host", raw.host_of(server.url))])  # fmt: skip
    raw.presign_v4(request, forger(server))
    raw.send(server.url, request)
    words = server.stderr()
    assert "auth audited" in words
    assert not [shape for shape in shapes(SECRET) if shape in words]


def places_in_memory(server, text):
    """How often a text stands in the memory of the process."""
    count = 0
    with open(f"/proc/{server.process.pid}/mem", "rb") as memory:
        for line in pathlib.Path(f"/proc/{server.process.pid}/maps").read_text().splitlines():
            begin, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            begin, end = int(begin, 16), int(end, 16)
            if rights[:2] != "rw" or end - begin > 1 << 30:  # a sanitizer's shadow is larger
                continue
            memory.seek(begin)
            try:
                count += memory.read(end - begin).count(text.encode() if isinstance(text, str) else text)
            except OSError:
                continue
    return count


def test_secrets__of_a_user_who_was_removed_none_is_left_in_memory(tmp_path):
    server = process.Server(tmp_path, "--threads", "1")
    try:
        alice = server.users["alice"]
        try:
            places = places_in_memory(server, alice.secret_key)
        except PermissionError:
            pytest.skip("another process's memory can not be read here")
        assert places == 1, "the table of users alone has it"
        assert raw.signed(server.url, alice, "PUT", "/of-alice").status == 200
        assert places_in_memory(server, alice.secret_key) == 2, "and the loop, beside the key made of it"
        server.reload({name: user for name, user in server.users.items() if name != "alice"})
        assert raw.signed(server.url, server.users["bob"], "GET", "/").status == 200  # the loop has let go of the old table
        assert places_in_memory(server, alice.secret_key) == 0
    finally:
        server.stop()
