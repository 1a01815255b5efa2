# SPDX-License-Identifier: Apache-2.0
"""Sessions of directory buckets: what they open, what they do not, and when they end.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
"""

import dataclasses
import itertools
import json
import xml.etree.ElementTree as ET

import pytest

from wire import process, raw

ZONE = "usw2-az1"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
TOKEN = "x-amz-s3session-token"
CONFIGURATION = (f"<CreateBucketConfiguration><Location><Type>AvailabilityZone</Type><Name>{ZONE}</Name></Location><Bucket>"
                 "<DataRedundancy>SingleAvailabilityZone</DataRedundancy><Type>Directory</Type></Bucket>"
                 "</CreateBucketConfiguration>").encode()  # fmt: skip
numbers = itertools.count(1)


def ask(server, user, method, target, body=b"", headers=(), **more):
    who = server.users[user] if isinstance(user, str) else user
    return raw.signed(server.url, who, method, target, body, headers, **{"service": "s3express", **more})


def refusal(reply):
    return reply.status, reply.code


@dataclasses.dataclass(frozen=True)
class Session:
    access_key: str
    secret_key: str
    token: str
    expires: str

    def user(self):
        return process.User("session", self.access_key, self.secret_key)

    def altered(self, **more):
        return dataclasses.replace(self, **more)


def session(server, bucket, user="root", headers=()):
    reply = ask(server, user, "GET", f"/{bucket}?session", headers=headers)
    assert reply.status == 200, reply
    root = ET.fromstring(reply.body)
    assert root.tag == f"{{{NAMESPACE}}}CreateSessionResult"
    keys = {node.tag.rpartition("}")[2]: node.text for node in root.find(f"{{{NAMESPACE}}}Credentials")}
    return Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"])


def use(server, made, method, target, body=b"", headers=(), **more):
    return ask(server, made.user(), method, target, body, [(TOKEN, made.token), *headers], **more)


def new_directory(server, user="root"):
    bucket = f"dir-{next(numbers)}-{process.STORE or 'one'}--{ZONE}--x-s3"
    assert ask(server, user, "PUT", f"/{bucket}", CONFIGURATION).status == 200
    return bucket


@pytest.fixture
def directory(server):
    bucket = new_directory(server)
    assert ask(server, "root", "PUT", f"/{bucket}/key", b"data").status == 200
    return bucket


@pytest.fixture
def own(tmp_path):
    server = process.Server(tmp_path)
    yield server
    server.stop()


# ---- what they open ------------------------------------------------------------------------------------


def test_CreateSession__opens_its_bucket(server, directory):
    made = session(server, directory)
    assert use(server, made, "PUT", f"/{directory}/other", b"data").status == 200
    assert use(server, made, "GET", f"/{directory}/other").body == b"data"
    assert use(server, made, "GET", f"/{directory}?list-type=2").status == 200
    assert use(server, made, "DELETE", f"/{directory}/other").status == 204
    assert use(server, made, "PUT", f"/{directory}/chunked", b"data", payload=raw.UNSIGNED).status == 200


def test_CreateSession__opens_a_presigned_url(server, directory):
    made = session(server, directory)
    request = raw.Request("GET", f"/{directory}/key?X-Amz-S3session-Token={raw.quote(made.token)}", [("Host", raw.host_of(server.url))])
    raw.presign_v4(request, made.user(), service="s3express")
    assert raw.send(server.url, request).body == b"data"
    request = raw.Request("GET", f"/{directory}/key", [("Host", raw.host_of(server.url))])
    raw.presign_v4(request, made.user(), service="s3express")
    assert refusal(raw.send(server.url, request)) == (403, "InvalidAccessKeyId")


def test_CreateSession__opens_no_other_bucket(server, directory):
    made = session(server, directory)
    for target in (f"/{new_directory(server)}", f"/{new_directory(server)}/key"):
        for method in ("GET", "PUT", "DELETE"):
            assert refusal(use(server, made, method, target)) == (403, "AccessDenied")


def test_CreateSession__makes_no_session(server, directory):
    made = session(server, directory)
    assert refusal(use(server, made, "GET", f"/{directory}?session")) == (403, "AccessDenied")


def test_CreateSession__in_the_mode_ReadOnly_only_reads(server, directory):
    made = session(server, directory, headers=[("x-amz-create-session-mode", "ReadOnly")])
    assert use(server, made, "GET", f"/{directory}/key").body == b"data"
    assert use(server, made, "HEAD", f"/{directory}/key").status == 200
    assert use(server, made, "GET", f"/{directory}?list-type=2").status == 200
    for method, target, body in (("PUT", "/key", b"other"), ("DELETE", "/key", b""), ("POST", "/key?uploads", b""),
                                 ("POST", "?delete", b"<Delete><Object><Key>key</Key></Object></Delete>"), ("DELETE", "", b"")):  # fmt: skip
        assert refusal(use(server, made, method, f"/{directory}{target}", body)) == (403, "AccessDenied")
    assert use(server, made, "GET", f"/{directory}/key").body == b"data"
    write = session(server, directory, headers=[("x-amz-create-session-mode", "ReadWrite")])
    assert use(server, write, "PUT", f"/{directory}/key", b"other").status == 200
    assert refusal(ask(server, "root", "GET", f"/{directory}?session", headers=[("x-amz-create-session-mode", "Both")])) == (400, "InvalidArgument")


def test_CreateSession__opens_nothing_that_its_user_may_not(server, directory):
    assert refusal(ask(server, "alice", "GET", f"/{directory}?session")) == (403, "AccessDenied")
    assert refusal(raw.anonymous(server.url, "GET", f"/{directory}?session")) == (403, "AccessDenied")
    made = session(server, directory)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{directory}/*"}
    assert ask(server, "root", "PUT", f"/{directory}?policy", json.dumps({"Statement": statement}).encode()).status == 204
    assert use(server, made, "GET", f"/{directory}/key").body == b"data"
    assert refusal(use(server, made, "PUT", f"/{directory}/key", b"other")) == (403, "AccessDenied")


# ---- forgeries -----------------------------------------------------------------------------------------


def test_CreateSession__no_character_of_a_token_can_be_another(server, directory):
    made = session(server, directory)
    host = raw.host_of(server.url)
    with raw.Connection(server.url, 60.0) as connection:
        for at, character in enumerate(made.token):
            forged = made.token[:at] + ("A" if character != "A" else "B") + made.token[at + 1:]
            request = raw.Request("GET", f"/{directory}/key", [("Host", host), (TOKEN, forged)])
            raw.sign_v4(request, made.user(), service="s3express")
            connection.send_lenient(request.wire())
            assert refusal(connection.reply()) == (400, "InvalidToken")
    assert use(server, made, "GET", f"/{directory}/key").status == 200


def test_CreateSession__a_token_and_its_keys_belong_together(server, directory):
    made, other = session(server, directory), session(server, directory)
    for forged in (made.altered(token=other.token), made.altered(access_key=other.access_key),
                   made.altered(access_key=server.users["root"].access_key, secret_key=server.users["root"].secret_key),
                   made.altered(token=""), made.altered(token="A" * 5000)):  # fmt: skip
        assert refusal(use(server, forged, "GET", f"/{directory}/key")) == (400, "InvalidToken")
    assert refusal(use(server, made.altered(secret_key=other.secret_key), "GET", f"/{directory}/key")) == (403, "SignatureDoesNotMatch")
    assert refusal(ask(server, made.user(), "GET", f"/{directory}/key")) == (403, "InvalidAccessKeyId")
    twice = [(TOKEN, made.token)]
    assert refusal(use(server, made, "GET", f"/{directory}/key", headers=twice)) == (400, "InvalidToken")


def test_CreateSession__a_token_that_is_not_signed_is_refused(server, directory):
    made = session(server, directory)
    request = raw.Request("GET", f"/{directory}/key", [("Host", raw.host_of(server.url))])
    raw.sign_v4(request, made.user(), service="s3express")
    request.headers.append((TOKEN, made.token))
    assert refusal(raw.send(server.url, request)) == (403, "AccessDenied")


# ---- ends ----------------------------------------------------------------------------------------------


def test_CreateSession__ends_after_five_minutes(own):
    bucket = new_directory(own)
    made = session(own, bucket)
    assert use(own, made, "PUT", f"/{bucket}/key", b"data").status == 200
    own.clock.advance(298)
    assert use(own, made, "GET", f"/{bucket}/key").body == b"data"
    own.clock.advance(3)
    for method in ("GET", "PUT"):
        assert refusal(use(own, made, method, f"/{bucket}/key")) == (400, "ExpiredToken")
    assert use(own, session(own, bucket), "GET", f"/{bucket}/key").body == b"data"


def test_CreateSession__outlives_a_restart(own):
    bucket = new_directory(own)
    made = session(own, bucket)
    assert use(own, made, "PUT", f"/{bucket}/key", b"data").status == 200
    own.stop()
    own.start()
    assert use(own, made, "GET", f"/{bucket}/key").body == b"data"


def test_CreateSession__ends_with_the_pair_that_asked_for_it(own):
    bucket = new_directory(own, "alice")
    made = session(own, bucket, "alice")
    users = dict(own.users)
    alice = users["alice"]
    own.reload(users={**users, "alice": dataclasses.replace(alice, secret_key="another/" + "x" * 32)})
    assert refusal(use(own, made, "GET", f"/{bucket}?list-type=2")) == (403, "SignatureDoesNotMatch")
    own.reload(users={name: user for name, user in users.items() if name != "alice"})
    assert refusal(use(own, made, "GET", f"/{bucket}?list-type=2")) == (400, "InvalidToken")


# ---- buckets -------------------------------------------------------------------------------------------


def test_CreateSession__of_a_bucket_that_is_yet_to_be_made(server):
    bucket = f"unborn-{next(numbers)}--{ZONE}--x-s3"
    made = session(server, bucket)
    assert refusal(use(server, made, "GET", f"/{bucket}?list-type=2")) == (404, "NoSuchBucket")
    assert use(server, made, "PUT", f"/{bucket}", CONFIGURATION).status == 200
    assert use(server, made, "DELETE", f"/{bucket}").status == 204


def test_CreateSession__is_of_directory_buckets(server, bucket):
    assert refusal(ask(server, "root", "GET", f"/{bucket}?session", service="s3")) == (400, "InvalidRequest")
    assert refusal(ask(server, "root", "GET", f"/{bucket}x?session", service="s3")) == (404, "NoSuchBucket")
    assert refusal(ask(server, "root", "GET", f"/{bucket}?list-type=2")) == (501, "NotImplemented")
    assert refusal(ask(server, "root", "GET", "/")) == (501, "NotImplemented")


@pytest.mark.parametrize("name", ["a--x-s3", "--az--x-s3", "x--x-s3", "base---x-s3"])
def test_CreateBucket__of_no_directory_buckets_name(server, name):
    assert refusal(ask(server, "root", "PUT", f"/{name}", CONFIGURATION, service="s3")) == (400, "InvalidBucketName")


@pytest.mark.parametrize("change", [(ZONE, "usw2-az2"), ("Directory", "Plain"), ("<Location>", "<Nothing>")])
def test_CreateBucket__of_a_directory_bucket_says_so(server, change):
    bucket = f"dir-{next(numbers)}--{ZONE}--x-s3"
    body = CONFIGURATION.decode().replace(*change).replace("</Location>", "</Nothing>" if "Nothing" in change[1] else "</Location>")
    assert refusal(ask(server, "root", "PUT", f"/{bucket}", body.encode())) == (400, "InvalidBucketName")
    assert refusal(ask(server, "root", "PUT", f"/{bucket}")) == (400, "InvalidBucketName")


# ---- encryption ----------------------------------------------------------------------------------------


def test_CreateSession__says_how_its_objects_are_encrypted(server, directory):
    method, key = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"
    for asked in ([(method, "AES256")], [(method, "aws:kms"), (key, "a-key")]):
        reply = ask(server, "root", "GET", f"/{directory}?session", headers=asked)
        assert {name: reply.header(name) for name, _ in asked} == dict(asked)
        made = session(server, directory, headers=asked)
        put = use(server, made, "PUT", f"/{directory}/sealed", b"data")
        assert {name: put.header(name) for name, _ in asked} == dict(asked)
    for asked in ([(method, "aws:kms")], [(method, "aws:kms:dsse"), (key, "a-key")], [(key, "a-key")], [(method, "none")]):
        assert ask(server, "root", "GET", f"/{directory}?session", headers=asked).status == 400
