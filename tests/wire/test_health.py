# SPDX-License-Identifier: Apache-2.0
"""Health: the paths that other programs ask, and what they say of a store that takes no writes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTServiceGET.html
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from wire import process, raw

TEXT = ["/healthz", "/health", "/livez", "/readyz", "/minio/health/live", "/minio/health/ready",
        "/minio/health/cluster", "/minio/health/cluster/read"]  # fmt: skip
JSON = ["/_localstack/health"]


def pail_health(*words, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAIL_"))}
    return subprocess.run([str(process.program()), "health", *map(str, words)], env={**clean, **env},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)  # fmt: skip


@pytest.mark.parametrize("path", TEXT)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_health__a_good_server_answers_200_to_anyone(path, scheme, server):
    url, ca = (server.url, None) if scheme == "http" else (server.tls_url, server.certificate[0])
    request = raw.Request("GET", path, [("Host", raw.host_of(url))], b"")
    reply = raw.send(url, request, ca=ca)
    assert (reply.status, reply.body, reply.header("Content-Type")) == (200, b"ok\n", "text/plain")
    request.method = "HEAD"
    reply = raw.send(url, request, ca=ca, head=True)
    assert (reply.status, reply.body, reply.header("Content-Length")) == (200, b"", "3")


@pytest.mark.parametrize("path", JSON)
def test_health__localstack_form_names_the_one_service_there_is(path, server):
    reply = raw.anonymous(server.url, "GET", path)
    assert (reply.status, reply.header("Content-Type")) == (200, "application/json")
    assert json.loads(reply.body)["services"] == {"s3": "running"}


@pytest.mark.parametrize(("method", "target", "status"), [
    ("GET", "/healthz/", 404), ("GET", "/healthz?x=1", 404), ("GET", "/healthz?", 404), ("GET", "/health/z", 404),
    ("GET", "/minio/health", 404), ("PUT", "/healthz", 403), ("DELETE", "/healthz", 404), ("GET", "/Healthz", 400),
])  # fmt: skip
def test_health__only_the_exact_question_is_answered(method, target, status, server):
    assert raw.anonymous(server.url, method, target).status == status


def test_health__buckets_of_such_names_belong_to_their_owners(server):
    root = server.users["root"]
    for bucket in ("health", "healthz", "minio"):
        assert raw.signed(server.url, root, "PUT", f"/{bucket}").status == 200
    assert raw.signed(server.url, root, "PUT", "/minio/health/live", b"mine").status == 200
    assert raw.signed(server.url, root, "GET", "/minio/health/live").body == b"mine"
    assert b"<ListBucketResult" in raw.signed(server.url, root, "GET", "/healthz").body
    presigned = raw.Request("GET", "/minio/health/live", [("Host", raw.host_of(server.url))], b"")
    raw.presign_v4(presigned, root)
    assert raw.send(server.url, presigned).body == b"mine"
    assert raw.anonymous(server.url, "GET", "/minio/health/live").body == b"ok\n"


def test_health__a_key_of_a_virtual_hosted_bucket_is_a_key(server):
    root = server.users["root"]
    assert raw.signed(server.url, root, "PUT", "/of-keys").status == 200
    request = raw.Request("GET", "/healthz", [("Host", f"of-keys.{process.BASE}")], b"")
    assert raw.send(server.url, request).status == 403


@pytest.fixture
def failing(make_server, tmp_path):
    """A server whose syncs fail once the file it hands out exists."""
    library, mark = tmp_path / "failing_sync.so", tmp_path / "fail"
    source = pathlib.Path(__file__).with_name("failing_sync.c")
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library, source], check=True)
    asan = os.environ.get("ASAN_OPTIONS", "")
    server = make_server(tls=True, environment={
        "LD_PRELOAD": str(library), "TEST_FAIL_SYNC": str(mark),
        "ASAN_OPTIONS": f"{asan}:verify_asan_link_order=0"})  # fmt: skip
    return server, mark


def test_health__a_store_that_takes_no_writes_is_503_with_its_reason_everywhere(failing):
    server, mark = failing
    root = server.users["root"]
    assert raw.signed(server.url, root, "PUT", "/bucket").status == 200
    mark.touch()
    assert raw.signed(server.url, root, "PUT", "/bucket/key", b"body").status == 500
    mark.unlink()
    for path in TEXT:
        reply = raw.anonymous(server.url, "GET", path)
        assert reply.status == 503, path
        assert re.fullmatch(rb"not healthy: .*takes no writes.*\n", reply.body), path
        assert raw.anonymous(server.url, "HEAD", path).status == 503
    for path in JSON:
        reply = raw.anonymous(server.url, "GET", path)
        state = json.loads(reply.body)
        assert (reply.status, state["services"]) == (503, {"s3": "error"})
        assert "takes no writes" in state["reason"]
    for url in (server.url, server.tls_url):
        out = pail_health(url)
        assert (out.returncode, out.stdout) == (1, "")
        assert "not healthy: " in out.stderr and "takes no writes" in out.stderr
    assert raw.signed(server.url, root, "GET", "/bucket").status == 200, "reads go on"


# ---- pail health --------------------------------------------------------------------------------


def test_health__command_asks_the_same_path_over_http_and_https(server):
    ca = str(server.certificate[0])
    assert pail_health(server.url).stdout == f"{server.url}: healthy\n"
    assert pail_health(server.tls_url).stdout == f"{server.tls_url}: healthy (certificate not verified)\n"
    assert pail_health("--ca-file", ca, server.tls_url).stdout == f"{server.tls_url}: healthy\n"
    assert pail_health(server.tls_url, AWS_CA_BUNDLE=ca).stdout == f"{server.tls_url}: healthy\n"
    assert pail_health("--insecure", server.tls_url, AWS_CA_BUNDLE=ca).stdout.endswith("not verified)\n")


def test_health__command_refuses_a_certificate_that_its_ca_file_does_not_vouch_for(server, tmp_path):
    other, _ = process.make_certificate(tmp_path)
    out = pail_health("--ca-file", other, server.tls_url)
    assert (out.returncode, out.stdout) == (1, "")
    assert "TLS: " in out.stderr


def test_health__command_says_when_the_scheme_is_the_wrong_one(server):
    plain_to_tls = pail_health(server.tls_url.replace("https://", "http://"))
    assert plain_to_tls.returncode == 1
    assert "https" in plain_to_tls.stderr
    tls_to_plain = pail_health(server.url.replace("http://", "https://"))
    assert tls_to_plain.returncode == 1
    assert "TLS: " in tls_to_plain.stderr


def test_health__command_finds_its_server_in_the_environment(server, tmp_path):
    nobody = "http://127.0.0.1:1"
    assert pail_health(AWS_ENDPOINT_URL_S3=server.url, AWS_ENDPOINT_URL=nobody).returncode == 0
    assert pail_health(AWS_ENDPOINT_URL=server.url).returncode == 0
    port = server.url.rsplit(":", 1)[1]
    for listen in (f"127.0.0.1:{port}", f"0.0.0.0:{port}", f":{port}"):
        out = pail_health(PAIL_LISTEN=listen)
        assert (out.returncode, out.stdout) == (0, f"http://127.0.0.1:{port}: healthy\n"), out.stderr
    cert, key = map(str, server.certificate)
    tls_port = server.tls_url.rsplit(":", 1)[1]
    out = pail_health(PAIL_LISTEN=f"0.0.0.0:{tls_port}", PAIL_TLS_CERT=cert, PAIL_TLS_KEY=key)
    assert out.stdout == f"https://127.0.0.1:{tls_port}: healthy (certificate not verified)\n"
    conf = tmp_path / "pail.conf"
    conf.write_text(f"[server]\nlisten = {server.url}\n")
    assert pail_health(PAIL_CONFIG=str(conf)).returncode == 0
    assert pail_health(nobody, AWS_ENDPOINT_URL=server.url).returncode == 1


def test_health__command_finds_this_machine_under_every_name_of_it(server):
    """Not all resolvers know the names under localhost."""
    port = server.url.rsplit(":", 1)[1]
    url = f"http://s3.localhost:{port}"
    assert pail_health(url).stdout == f"{url}: healthy\n"
    assert pail_health(f"http://s3.invalid:{port}").returncode == 1


def test_health__command_takes_a_path_of_its_own(server):
    assert pail_health(server.url + "/minio/health/ready").returncode == 0
    out = pail_health(server.url + "/no-such-bucket/healthz")
    assert (out.returncode, out.stdout) == (1, "")
    assert "HTTP 404" in out.stderr
