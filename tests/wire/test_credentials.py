# SPDX-License-Identifier: Apache-2.0
"""Key pairs that are removed, disabled or replaced while the server runs.

The next request with such a pair is refused as one of a pair that is not there, in every form of signature;
what was authenticated before ends as who it began as. A file with a mistake changes nothing.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
"""

import base64
import dataclasses
import json
import subprocess
import threading

import pytest

from wire import process, raw
from wire.process import USERS

LARGE = 48 << 20
UNKNOWN = (403, "InvalidAccessKeyId")
MISMATCH = (403, "SignatureDoesNotMatch")

# ---- one request in each form of signature -----------------------------------------------------------


def v4_header(server, user):
    return signed_header(server, user, raw.sign_v4)


def v2_header(server, user):
    return signed_header(server, user, raw.sign_v2)


def signed_header(server, user, sign):
    request = raw.Request("GET", "/")
    request.set("Host", raw.host_of(server.url))
    if sign is raw.sign_v4 and user.session_token:
        request.set("x-amz-security-token", user.session_token)
    sign(request, user)
    return request


def v4_url(server, user):
    request = raw.Request("GET", "/", [("Host", raw.host_of(server.url))])
    raw.presign_v4(request, user)
    return request


def v2_url(server, user):
    request = raw.Request("GET", "/", [("Host", raw.host_of(server.url))])
    raw.presign_v2(request, user)
    return request


def v4_form(server, user):
    date = raw.now().strftime("%Y%m%dT%H%M%SZ")
    names = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": date,
             "x-amz-credential": f"{user.access_key}/{date[:8]}/us-east-1/s3/aws4_request"}  # fmt: skip
    policy = form_policy(names)
    key = raw.signing_key(user.secret_key, date[:8], "us-east-1", "s3")
    return form(server, {**names, "policy": policy, "x-amz-signature": raw.hmac256(key, policy).hex()})


def v2_form(server, user):
    policy = form_policy({})
    return form(server, {"AWSAccessKeyId": user.access_key, "policy": policy, "signature": raw.v2_mac(user, policy)})


def form_policy(fields):
    conditions = [{"bucket": "shared"}, {"key": "posted"}, *({name: value} for name, value in fields.items())]
    text = {"expiration": "2099-01-01T00:00:00Z", "conditions": conditions}
    return base64.b64encode(json.dumps(text).encode()).decode()


def form(server, fields):
    body, kind = raw.form_body([("key", "posted"), *fields.items()], file=b"posted")
    return raw.Request("POST", "/shared", [("Host", raw.host_of(server.url)), ("Content-Type", kind)], body)


FORMS = [v4_header, v2_header, v4_url, v2_url, v4_form, v2_form]
ALICE = USERS["alice"]
OTHER_SECRET = dataclasses.replace(ALICE, secret_key="alice/another+" + "s" * 24)
CHANGES = {
    "removed": {name: user for name, user in USERS.items() if name != "alice"},
    "disabled": {**USERS, "alice": dataclasses.replace(ALICE, disabled=True)},
    "replaced": {**USERS, "alice": dataclasses.replace(ALICE, access_key="ALICENEW0000EXAMPLE")},
    "rotated": {**USERS, "alice": OTHER_SECRET},
}


def answer(reply):
    return None if reply.status in (200, 204) else (reply.status, reply.code)


def ask(server, form, user):
    return answer(raw.send(server.url, form(server, user)))


@pytest.fixture(scope="module")
def replacing(tmp_path_factory):
    """A server whose settings file changes, with a bucket of alice's."""
    server = process.Server(tmp_path_factory.mktemp("replacing"), "--threads", "2")
    raw.signed(server.url, ALICE, "PUT", "/shared")
    yield server
    server.stop()


@pytest.fixture
def whole(replacing):
    """The same, with all users as they are at the start."""
    yield replacing
    assert "key pairs in force, read just now: 4" in replacing.reload(USERS)
    replacing.check()


# ---- what counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("change", CHANGES)
def test_credentials__gone_at_once_in_every_form(whole, change, form):
    assert ask(whole, form, ALICE) is None
    whole.reload(CHANGES[change])
    assert ask(whole, form, ALICE) == (MISMATCH if change == "rotated" else UNKNOWN)
    assert ask(whole, v4_header, USERS["root"]) is None
    if change in ("replaced", "rotated"):
        assert ask(whole, form, CHANGES[change]["alice"]) is None
    whole.reload(USERS)
    assert ask(whole, form, ALICE) is None


@pytest.mark.parametrize("form", [v4_header, v2_header, v4_url], ids=lambda form: form.__name__)
def test_credentials__on_a_kept_connection_too(whole, form):
    with raw.Connection(whole.url) as connection:
        connection.send(form(whole, ALICE).wire())
        assert answer(connection.reply()) is None
        whole.reload(CHANGES["removed"])
        connection.send(form(whole, ALICE).wire())
        assert answer(connection.reply()) == UNKNOWN


@pytest.mark.parametrize("form", [v4_url, v2_url], ids=lambda form: form.__name__)
def test_credentials__of_a_url_count_when_it_is_used(whole, form):
    url = form(whole, ALICE)
    whole.reload(CHANGES["disabled"])
    assert answer(raw.send(whole.url, url)) == UNKNOWN
    whole.reload(USERS)
    assert answer(raw.send(whole.url, url)) is None


def test_credentials__of_a_session_go_with_their_token(whole):
    temp = USERS["temp"]
    assert ask(whole, v4_header, temp) is None
    renewed = dataclasses.replace(temp, session_token="another/token/of/temp/" + "t" * 24)
    whole.reload({**USERS, "temp": renewed})
    assert ask(whole, v4_header, temp) == (400, "InvalidToken")
    assert ask(whole, v4_header, renewed) is None


def test_credentials__that_go_leave_their_users_things(whole):
    raw.signed(whole.url, ALICE, "PUT", "/shared/kept", b"kept")
    whole.reload(CHANGES["disabled"])
    who = raw.signed(whole.url, USERS["root"], "GET", "/shared?acl")
    assert who.status == 403  # it is alice's all the same
    grant = {"x-amz-grant-read": f'id="{ALICE.canonical_id}"'}
    raw.signed(whole.url, USERS["bob"], "PUT", "/of-bob")
    granted = raw.signed(whole.url, USERS["bob"], "PUT", "/of-bob?acl", headers=grant.items())
    assert granted.status == 200, granted  # a disabled user can still be granted something,
    whole.reload(CHANGES["removed"])
    granted = raw.signed(whole.url, USERS["bob"], "PUT", "/of-bob?acl", headers=grant.items())
    assert answer(granted) == (400, "InvalidArgument")  # one that nobody knows can not
    whole.reload(CHANGES["replaced"])
    read = raw.signed(whole.url, CHANGES["replaced"]["alice"], "GET", "/shared/kept")
    assert (read.status, read.body) == (200, b"kept")


# ---- requests under way -----------------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
def test_credentials__of_a_signed_stream_last_to_its_end(whole, change):
    data = b"s" * 200_000
    request = raw.put_signed_chunks(raw.host_of(whole.url), "/shared/stream", ALICE, data, trailers=[])
    head, mark, body = request.wire().partition(b"\r\n\r\n")
    with raw.Connection(whole.url) as connection:
        connection.send(head + b"\r\nExpect: 100-continue" + mark)
        assert connection.reply(informational=True).status == 100
        connection.send(body[:100_000])
        whole.reload(CHANGES[change])
        connection.send(body[100_000:])
        assert connection.reply().status == 200
    whole.reload(USERS)
    assert raw.signed(whole.url, ALICE, "GET", "/shared/stream").body == data


@pytest.mark.parametrize("signed", [v4_form, v2_form], ids=lambda form: form.__name__)
def test_credentials__of_a_form_count_when_its_fields_are_there(whole, signed):
    """The file is larger than what the two sockets hold: once it is sent, the fields have been read."""
    request = signed(whole, ALICE)
    before, mark, after = request.body.rpartition(b"posted\r\n--")
    request.body = before + b"p" * LARGE + mark + after
    wire = request.wire()
    assert len(wire) > LARGE
    with raw.Connection(whole.url, timeout_s=60) as connection:
        connection.send(wire[:-1])
        whole.reload(CHANGES["removed"])
        connection.send(wire[-1:])
        assert connection.reply().status == 204
    whole.reload(USERS)
    assert raw.signed(whole.url, ALICE, "HEAD", "/shared/posted").header("content-length") == str(LARGE + len("posted"))


# ---- files with a mistake ----------------------------------------------------------------------------

BAD = {
    "no ini": lambda: "this is no settings file\n",
    "half a user": lambda: process.settings(CHANGES["removed"]) + "\n[user alice]\naccess_key = ONLYHALF\n",
    "given twice": lambda: process.settings(USERS) + f"\n[user again]\naccess_key = {ALICE.access_key}\n"
                                                     "secret_key = secret-of-nobody-else\n",
    "too long": lambda: process.settings(USERS) + "\n[user long]\naccess_key = LONG\nsecret_key = " + "x" * 129 + "\n",
    "unknown field": lambda: process.settings(CHANGES["removed"]) + "\n[user x]\nsecret = misspelt-secret-of-x\n",
    "unknown setting": lambda: process.settings(CHANGES["removed"]) + "\n[server]\nroot-pasword = misspelt-secret\n",
    "half of root": lambda: "[server]\nroot-pass = misspelt-secret\n",
    "not yes or no": lambda: process.settings(USERS) + "disabled = perhaps\n",
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
def test_credentials__stay_when_the_file_has_a_mistake(whole, mistake):
    line = whole.reload(configuration=BAD[mistake]())
    assert " error SIGHUP: the key pairs in force stay so: " in line
    assert str(whole.config) in line
    for secret in ("misspelt-secret", "secret-of-nobody-else", "x" * 20):
        assert secret not in whole.stderr()
    for name in ("root", "alice", "bob"):
        assert ask(whole, v4_header, USERS[name]) is None


def test_credentials__stay_when_the_file_is_gone(whole):
    whole.config.unlink()
    assert "No such file" in whole.reload()
    assert ask(whole, v4_header, ALICE) is None
    whole.config.touch(0o600)


# ---- the root user ----------------------------------------------------------------------------------

NO_VARIABLES = {"PAIL_ROOT_USER": "", "PAIL_ROOT_PASSWORD": ""}
NEW_ROOT = raw.User("root", "NEWROOTKEY00EXAMPLE", "new/root+" + "r" * 24)


def root_settings(user):
    return f"[server]\nroot-user = {user.access_key}\nroot-password = {user.secret_key}\n"


def told(server):
    """What `pail credentials` says of that store."""
    done = subprocess.run([process.program(), "credentials", server.home],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout


def test_credentials__of_root_in_the_settings_file_are_read_again(make_server):
    server = make_server(environment=NO_VARIABLES, configuration=root_settings(USERS["root"]))
    assert ask(server, v4_header, USERS["root"]) is None
    assert USERS["root"].secret_key in told(server)
    server.reload(configuration=root_settings(NEW_ROOT))
    assert ask(server, v4_header, USERS["root"]) == UNKNOWN
    assert ask(server, v4_header, NEW_ROOT) is None
    assert NEW_ROOT.secret_key in told(server) and USERS["root"].secret_key not in told(server)
    assert "belong together" in server.reload(configuration="[server]\nroot-user = ALONE\n")
    assert "has no file 'credentials'" in server.reload(configuration="[server]\n")
    assert not (server.home / "credentials").exists()
    assert ask(server, v2_header, NEW_ROOT) is None
    assert NEW_ROOT.secret_key not in server.stderr()


def test_credentials__of_root_in_the_store_are_read_again(make_server):
    server = make_server(environment=NO_VARIABLES)
    path = server.home / "credentials"
    values = dict(line.split(" = ") for line in path.read_text().splitlines() if " = " in line)
    made = raw.User("root", values["aws_access_key_id"], values["aws_secret_access_key"])
    assert ask(server, v4_header, made) is None
    path.write_text(f"[default]\naws_access_key_id = {NEW_ROOT.access_key}\n"
                    f"aws_secret_access_key = {NEW_ROOT.secret_key}\n")  # fmt: skip
    server.reload()
    assert ask(server, v4_header, made) == UNKNOWN
    assert ask(server, v4_header, NEW_ROOT) is None
    path.unlink()
    assert "has no file 'credentials'" in server.reload()
    assert ask(server, v4_header, NEW_ROOT) is None
    assert NEW_ROOT.secret_key not in server.stderr()


def test_credentials__of_root_in_the_environment_stay(whole):
    whole.reload(configuration=root_settings(NEW_ROOT))
    assert ask(whole, v4_header, NEW_ROOT) == UNKNOWN
    assert ask(whole, v4_header, USERS["root"]) is None


# ---- many at once -----------------------------------------------------------------------------------

RELOADS = 40


class Asker(threading.Thread):
    """Signs as one user, over and over, on one connection; keeps every answer."""

    def __init__(self, server, user, form):
        super().__init__(daemon=True)
        self.server, self.user, self.form = server, user, form
        self.answers, self.over, self.failure = [], threading.Event(), None

    def run(self):
        try:
            with raw.Connection(self.server.url, timeout_s=60) as connection:
                while not self.over.is_set():
                    connection.send(self.form(self.server, self.user).wire())
                    self.answers.append(answer(connection.reply()))
        except Exception as failure:  # whatever it is, the test tells
            self.failure = failure


def test_credentials__are_whole_while_many_ask(make_server):
    """Two files in turn: alice has one secret or the other, bob is there or not, root is always root."""
    server = make_server("--threads", "4")
    files = [USERS, {**{name: USERS[name] for name in ("root", "temp")}, "alice": OTHER_SECRET}]
    askers = [Asker(server, user, form)
              for user in (USERS["root"], ALICE, OTHER_SECRET, USERS["bob"])
              for form in (v4_header, v2_header)]  # fmt: skip
    for asker in askers:
        asker.start()
    for number in range(RELOADS):
        users = files[(number + 1) % 2]
        assert f"read just now: {len(users)}" in server.reload(users)
        # From here on the old file counts nowhere.
        assert ask(server, v4_header, users["alice"]) is None
        assert ask(server, v4_header, files[number % 2]["alice"]) == MISMATCH
        assert ask(server, v4_header, USERS["bob"]) == (None if users is USERS else UNKNOWN)
    for asker in askers:
        asker.over.set()
    for asker in askers:
        asker.join(60)
        assert asker.failure is None and asker.answers
        refusal = {"root": None, "alice": MISMATCH, "bob": UNKNOWN}[asker.user.name]
        assert set(asker.answers) <= {None, refusal}
