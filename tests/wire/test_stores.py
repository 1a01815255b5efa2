# SPDX-License-Identifier: Apache-2.0
"""One process, many stores: a request's Host says which one it talks to, and none sees another's.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

import concurrent.futures
import subprocess
import urllib.parse

import boto3
import pytest
from botocore.config import Config

from wire import process, raw

STORES = 64
KEYS = [f"key-{number:02}" for number in range(6)]
BODY_SIZES = (10, 5000, 300_000)  # beside the rows, in a pack, in a file: --inline-max is small


def name_of(number):
    return f"s{number:02}"


class Many:
    """A server with stores s00, s01 ... beside the one without a name."""

    def __init__(self, make_server, tmp_path, count, *options):
        self.directories = {name_of(number): tmp_path / f"store-{number}" for number in range(count)}
        words = [word for name, directory in self.directories.items() for word in ("--store", f"{name}={directory}")]
        self.server = make_server(*words, "--durability", "relaxed", "--inline-max", "1000", *options)
        self.user = self.server.users["root"]
        self.port = urllib.parse.urlsplit(self.server.url).port

    def host(self, store, bucket=None):
        return f"{bucket + '.' if bucket else ''}{store + '.store.' if store else ''}localhost:{self.port}"

    def ask(self, store, method, target, body=b"", headers=(), bucket=None, user=None):
        request = raw.Request(method, target, [("Host", self.host(store, bucket)), *headers], body)
        if method == "POST":
            raw.with_md5(request)
        raw.sign_v4(request, user or self.user)
        return raw.send(f"http://127.0.0.1:{self.port}", request)

    def keys(self, store, bucket):
        listed = self.ask(store, "GET", f"/{bucket}?list-type=2").body.decode()
        return [piece.partition("</Key>")[0] for piece in listed.split("<Key>")[1:]]

    def stop(self):
        self.server.stop()
        self.server.stopped = True

    def fsck(self, directory):
        run = subprocess.run([process.program(), "fsck", "--read-data", directory], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def content(store, key, generation, size):
    mark = f"{store}/{key}/{generation}|".encode()
    return (mark * (size // len(mark) + 1))[:size]


def fill(many, store, everything):
    """Buckets and keys named as in all other stores; the bytes are the store's own."""
    assert many.ask(store, "PUT", "/shared").status == 200
    assert many.ask(store, "PUT", "/versioned").status == 200
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert many.ask(store, "PUT", "/versioned?versioning", enabled).status == 200
    for key, size in zip(KEYS, BODY_SIZES * 2, strict=True):
        assert many.ask(store, "PUT", f"/shared/{key}", content(store, key, 1, size)).status == 200
    versions = [many.ask(store, "PUT", "/versioned/key", content(store, "key", generation, 40)).header("x-amz-version-id")
                for generation in (1, 2, 3)]  # fmt: skip
    everything[store] = versions


def check(many, store, versions, foreign):
    for key, size in zip(KEYS, BODY_SIZES * 2, strict=True):
        assert many.ask(store, "GET", f"/shared/{key}").body == content(store, key, 1, size), (store, key)
    assert many.keys(store, "shared") == KEYS
    for generation, version in enumerate(versions, 1):
        got = many.ask(store, "GET", f"/versioned/key?versionId={version}")
        assert got.body == content(store, "key", generation, 40), (store, generation)
    assert many.ask(store, "GET", f"/versioned/key?versionId={foreign}").status == 404
    assert many.ask(store, "DELETE", f"/shared/{KEYS[int(store[1:]) % len(KEYS)]}").status == 204
    assert many.ask(store, "PUT", f"/only-in-{store}").status == 200


def in_parallel(function, many, *rest):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: function(many, name, *rest), many.directories))


def test_stores__64_in_one_process_are_64_worlds(make_server, tmp_path):
    many = Many(make_server, tmp_path, STORES)
    everything = {}
    in_parallel(fill, many, everything)
    # A version of one is none of another, whose id it is not.
    names = list(many.directories)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda pair: check(many, pair[0], everything[pair[0]], everything[pair[1]][0]),
                      zip(names, names[1:] + names[:1], strict=True)))  # fmt: skip
    for number, name in enumerate(names):
        assert many.keys(name, "shared") == [key for key in KEYS if key != KEYS[number % len(KEYS)]], name
        listed = many.ask(name, "GET", "/").body.decode()
        buckets = [piece.partition("</Name>")[0] for piece in listed.split("<Name>")[1:]]
        assert buckets == [f"only-in-{name}", "shared", "versioned"], name
    assert b"<Bucket>" not in many.ask("", "GET", "/").body
    many.stop()
    for directory in many.directories.values():
        many.fsck(directory)


@pytest.fixture
def two(make_server, tmp_path):
    return Many(make_server, tmp_path, 2)


def test_stores__a_host_may_name_bucket_and_store(two):
    assert two.ask("s00", "PUT", "/", bucket="in.side").status == 200
    assert two.ask("s00", "PUT", "/key", b"zero", bucket="in.side").status == 200
    assert two.ask("s00", "GET", "/in.side/key").body == b"zero"
    assert two.ask("s01", "GET", "/key", bucket="in.side").code == "NoSuchBucket"
    assert two.ask("", "GET", "/in.side/key").code == "NoSuchBucket"
    upper = raw.Request("GET", "/in.side/key", [("Host", two.host("s00").upper())])
    raw.sign_v4(upper, two.user)
    assert raw.send(f"http://127.0.0.1:{two.port}", upper).body == b"zero"


def test_stores__a_name_that_is_none_is_told_and_falls_to_no_other(two):
    for store in ("s02", "s0", "x.y", "-"):
        for method, target in (("GET", "/"), ("PUT", "/bucket"), ("GET", "/healthz")):
            reply = two.ask(store, method, target)
            label = store.rpartition(".")[2]
            assert (reply.status, reply.code, reply.facts) == (404, "NoSuchStore", {"StoreName": label}), store
    # "store" without a name before it is a bucket, as it always was.
    assert two.ask("", "PUT", "/", bucket="store").status == 200
    assert [two.ask(store, "GET", "/").body.count(b"<Bucket>") for store in ("", "s00", "s01")] == [1, 0, 0]


def test_stores__a_signature_for_one_is_none_for_another(two):
    for store in ("s00", "s01"):
        assert two.ask(store, "PUT", "/bucket").status == 200
        assert two.ask(store, "PUT", "/bucket/key", store.encode()).status == 200
    request = raw.Request("GET", "/bucket/key", [("Host", two.host("s00"))])
    raw.presign_v4(request, two.user)
    assert raw.send(f"http://127.0.0.1:{two.port}", request).body == b"s00"
    request.headers = [("Host", two.host("s01"))]
    assert raw.send(f"http://127.0.0.1:{two.port}", request).code == "SignatureDoesNotMatch"


def test_stores__buckets_of_the_start_are_in_each(make_server, tmp_path):
    many = Many(make_server, tmp_path, 2, "--buckets", "at-start")
    for store in ("", "s00", "s01"):
        assert many.ask(store, "HEAD", "/at-start").status == 200


def test_stores__under_a_domain_of_ones_own(make_server, tmp_path):
    many = Many(make_server, tmp_path, 1, "--domain", "pail.test")
    for host, target in (("s00.store.pail.test", "/bucket"), ("bucket.s00.store.pail.test", "/key")):
        request = raw.Request("PUT", target, [("Host", host)])
        raw.sign_v4(request, many.user)
        assert raw.send(f"http://127.0.0.1:{many.port}", request).status == 200
    assert many.keys("s00", "bucket") == ["key"]
    assert many.ask("", "HEAD", "/bucket").status == 404


def test_stores__without_the_setting_such_a_host_names_a_bucket(server, root_user):
    if process.STORE:
        pytest.skip("the server has the setting")
    port = urllib.parse.urlsplit(server.url).port
    for target in ("/", "/key"):
        request = raw.Request("PUT", target, [("Host", f"name.store.localhost:{port}")])
        raw.sign_v4(request, root_user)
        assert raw.send(server.url, request).status == 200
    assert raw.signed(server.url, root_user, "HEAD", "/name.store/key").status == 200


def test_stores__each_names_its_own_key(two):
    headers = [("x-amz-server-side-encryption", "aws:kms")]
    keys = set()
    for store in ("", "s00", "s01"):
        assert two.ask(store, "PUT", "/bucket").status == 200
        reply = two.ask(store, "PUT", "/bucket/key", b"x", headers)
        keys.add(reply.header("x-amz-server-side-encryption-aws-kms-key-id"))
    assert len(keys) == 3
    assert all(key.startswith("arn:aws:kms:us-east-1:000000000000:key/") for key in keys)


def test_stores__the_log_says_which(two):
    reply = two.ask("s01", "GET", "/")
    assert " store=s01 " in two.server.log_line(reply)
    reply = two.ask("", "GET", "/")
    assert "store=" not in two.server.log_line(reply)


def test_stores__one_directory_is_one_store(make_server, tmp_path):
    with pytest.raises(process.ServerDied, match="is in use by another pail"):
        make_server("--store", f"a={tmp_path / 'same'}", "--store", f"b={tmp_path / 'same'}")


def test_stores__boto3_finds_one_by_its_endpoint(two, monkeypatch):
    monkeypatch.setattr(process.socket, "getaddrinfo", process.socket.getaddrinfo)  # put back at the end
    process.resolve_localhost()
    for style in ("virtual", "path"):
        client = boto3.client(
            "s3", endpoint_url=f"http://{two.host('s01')}", region_name="us-east-1",
            aws_access_key_id=two.user.access_key, aws_secret_access_key=two.user.secret_key,
            config=Config(s3={"addressing_style": style}))  # fmt: skip
        client.create_bucket(Bucket=f"of-{style}")
        client.put_object(Bucket=f"of-{style}", Key="a/b", Body=b"data")
        assert client.get_object(Bucket=f"of-{style}", Key="a/b")["Body"].read() == b"data"
    assert two.ask("s01", "GET", "/").body.count(b"<Bucket>") == 2
    assert b"<Bucket>" not in two.ask("", "GET", "/").body
