# SPDX-License-Identifier: Apache-2.0
"""A small, fast S3 client and a pail process for the fault lanes: standard library only.

(1) One Connection is one socket and one request at a time. What is sent is signed with SigV4.
(2) A request either returns a whole reply or raises Broken: then nobody knows what became of it.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY = "FAULTKEY0000EXAMPLE"
SECRET_KEY = "fault/secret+of/the/lanes"
REGION = "us-east-1"

# With it a server has a second store, of that name, and the lanes talk to that one.
STORE = os.environ.get("PAIL_TEST_STORE", "")

READY_TIMEOUT_S = 30
REPLY_TIMEOUT_S = 30

UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Broken(Exception):
    """The connection ended before a whole reply was there."""


class Reply:
    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def etag(self):
        return self.headers.get("etag", "").strip('"')

    @property
    def code(self):
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found[1].decode() if found else None

    def xml(self):
        """The document without namespaces."""
        return ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", self.body, count=1))

    def __repr__(self):
        return f"{self.status} {self.code or ''} {self.body[:200]!r}"


def quote(text):
    return urllib.parse.quote(text, safe="/-_.~")


class Signer:
    """SigV4 in headers; the key of a day and the text of a second are made once."""

    def __init__(self, host):
        self.host = host
        self.second = None
        self.day = None

    def now(self):
        second = int(time.time())
        if second != self.second:
            self.second = second
            self.date = datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime(
                "%Y%m%dT%H%M%SZ")  # fmt: skip
            if self.date[:8] != self.day:
                self.day = self.date[:8]
                self.scope = f"{self.day}/{REGION}/s3/aws4_request"
                key = b"AWS4" + SECRET_KEY.encode()
                for part in self.scope.split("/"):
                    key = hmac.digest(key, part.encode(), "sha256")
                self.key = key
        return self.date

    def head(self, method, path, query, headers, payload, length):
        """Request line and headers as bytes. path is quoted; query is a list of pairs."""
        date = self.now()
        fields = {"host": self.host, "x-amz-content-sha256": payload, "x-amz-date": date}
        for name, value in headers.items():
            fields[name.lower()] = value
        names = ";".join(sorted(fields))
        text = "&".join(
            f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
            for name, value in sorted(query)
        )  # fmt: skip
        canonical = "\n".join([
            method, path, text, *(f"{name}:{fields[name]}" for name in sorted(fields)), "",
            names, payload,
        ])  # fmt: skip
        to_sign = "\n".join([
            "AWS4-HMAC-SHA256", date, self.scope, hashlib.sha256(canonical.encode()).hexdigest(),
        ])  # fmt: skip
        signature = hmac.new(self.key, to_sign.encode(), "sha256").hexdigest()
        lines = [f"{method} {path}{'?' + text if text else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        lines.append(f"authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{self.scope}, "
                     f"SignedHeaders={names}, Signature={signature}")  # fmt: skip
        if length or method in ("PUT", "POST"):
            lines.append(f"content-length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Connection:
    def __init__(self, port, timeout_s=REPLY_TIMEOUT_S):
        self.signer = Signer(f"{STORE}.store.localhost:{port}" if STORE else f"127.0.0.1:{port}")
        self.pending = b""
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        except OSError as error:
            raise Broken(f"connect: {error}") from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, query=(), headers=None, body=b"", signed_payload=False):
        """path: "/bucket/key", not quoted. signed_payload: name the body's SHA-256."""
        payload = UNSIGNED
        if not body:
            payload = EMPTY_SHA256
        elif signed_payload:
            payload = hashlib.sha256(body).hexdigest()
        head = self.signer.head(method, quote(path), query, headers or {}, payload, len(body))
        send_error = None
        try:
            if len(body) <= 16384:
                self.socket.sendall(head + body)
            else:
                self.socket.sendall(head)
                self.socket.sendall(body)
        except OSError as error:
            send_error = error  # a refusal may already be on its way back
        try:
            return self._reply(method)
        except (OSError, Broken) as error:
            raise Broken(f"{method} {path}: {send_error or error}") from None

    def _more(self):
        data = self.socket.recv(262144)
        if not data:
            raise Broken("the connection ended")
        return data

    def _reply(self, method):
        data = self.pending
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        lines = data[:end].decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        rest = data[end + 4:]  # fmt: skip
        if 100 <= status < 200:
            self.pending = rest
            return self._reply(method)
        if method == "HEAD" or status in (204, 304):
            body, self.pending = b"", rest
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body, self.pending = self._chunked(rest)
        else:
            body, self.pending = self._exactly(rest, int(headers.get("content-length", 0)))
        return Reply(status, headers, body)

    def _exactly(self, data, count):
        if len(data) >= count:
            return data[:count], data[count:]
        pieces = [data]
        have = len(data)
        while have < count:
            piece = self._more()
            pieces.append(piece)
            have += len(piece)
        data = b"".join(pieces)
        return data[:count], data[count:]

    def _chunked(self, data):
        pieces = []
        while True:
            while (end := data.find(b"\r\n")) < 0:
                data += self._more()
            size = int(data[:end].split(b";")[0], 16)
            piece, data = self._exactly(data[end + 2:], size + 2)  # fmt: skip
            if size == 0:
                return b"".join(pieces), data
            pieces.append(piece[:-2])

    # ---- operations that more than one lane needs

    def delete_objects(self, bucket, items):
        """items: (key, version id or None)."""
        rows = "".join(
            f"<Object><Key>{key}</Key>{f'<VersionId>{version}</VersionId>' if version else ''}</Object>"
            for key, version in items
        )  # fmt: skip
        body = f"<Delete>{rows}</Delete>".encode()
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        return self.request("POST", f"/{bucket}", [("delete", "")], {"content-md5": digest}, body)

    def list_pages(self, bucket, query):
        """Pages of a listing as XML roots, until it says that it is not truncated."""
        marker = []
        while True:
            reply = self.request("GET", f"/{bucket}", [*query, *marker])
            if not reply.ok:
                raise AssertionError(f"listing {bucket}: {reply}")
            root = reply.xml()
            yield root
            if root.findtext("IsTruncated") != "true":
                return
            names = [("NextContinuationToken", "continuation-token"), ("NextKeyMarker", "key-marker"),
                     ("NextVersionIdMarker", "version-id-marker"),
                     ("NextUploadIdMarker", "upload-id-marker")]  # fmt: skip
            marker = [(to, root.findtext(of)) for of, to in names if root.findtext(of)]

    def list_objects(self, bucket):
        """key -> (etag, size) of current versions."""
        return {
            node.findtext("Key"): (node.findtext("ETag").strip('"'), int(node.findtext("Size")))
            for root in self.list_pages(bucket, [("list-type", "2")])
            for node in root.iter("Contents")
        }  # fmt: skip


def program(release=False):
    """The program under test. release: the optimised one if there is one."""
    if release:
        named = pathlib.Path(os.environ.get("PAIL_RELEASE_PROGRAM", ROOT / "build/release/pail"))
        if named.exists():
            return str(named)
    return os.environ.get("PAIL_PROGRAM", str(ROOT / "build/dev/pail"))


def stores(directory):
    """What makes a server's store, the one that is meant, lie in the directory."""
    return ["--store", f"{STORE}={directory}", f"{directory}.other"] if STORE else [str(directory)]


class Server:
    """A pail process on one directory. path: the program, or a list that runs it."""

    def __init__(self, path, directory, log, *options, extra_environment=None):
        environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "PAIL_", "MINIO_"))
        }  # fmt: skip
        environment["PAIL_ROOT_USER"] = ACCESS_KEY
        environment["PAIL_ROOT_PASSWORD"] = SECRET_KEY
        environment |= extra_environment or {}
        self.port_file = f"{log}.port"
        pathlib.Path(self.port_file).unlink(missing_ok=True)
        self.log = log
        self.ready_fd, write_fd = os.pipe()
        with open(log, "ab") as stderr:
            self.process = subprocess.Popen(
                [*([path] if isinstance(path, str) else path), "serve", "--listen", "127.0.0.1:0",
                 "--port-file", self.port_file, "--ready-fd", str(write_fd), "--log-level", "warn",
                 *options, *stores(directory)],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=stderr, pass_fds=[write_fd])  # fmt: skip
        os.close(write_fd)
        self.port = None

    def wait_ready(self):
        """Returns self. Raises when the program ended or said nothing."""
        try:
            readable, _, _ = select.select([self.ready_fd], [], [], READY_TIMEOUT_S)
            if not readable or not os.read(self.ready_fd, 16).startswith(b"ready"):
                self.kill()
                raise AssertionError(f"pail did not start:\n{self.words()[-4000:]}")
        finally:
            os.close(self.ready_fd)
            self.ready_fd = -1
        self.port = int(pathlib.Path(self.port_file).read_text())
        return self

    def words(self):
        return pathlib.Path(self.log).read_text(errors="replace")

    def connect(self, **options):
        return Connection(self.port, **options)

    def kill(self):
        """kill -9, now; returns its exit status (-9 unless it had ended by itself)."""
        self.process.kill()
        status = self.process.wait()
        if self.ready_fd >= 0:
            os.close(self.ready_fd)
            self.ready_fd = -1
        return status

    def stop(self):
        """SIGTERM and a clean exit."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("SIGTERM did not stop pail in 30 s") from None
        assert status == 0, f"pail ended with {status}:\n{self.words()[-4000:]}"


def fsck(path, directory):
    """Check a store; (clean, report as a dict, everything it said)."""
    run = subprocess.run([path, "fsck", "--read-data", "--json", str(directory)],
                         capture_output=True, stdin=subprocess.DEVNULL, timeout=300)  # fmt: skip
    text = run.stdout.decode(errors="replace") + run.stderr.decode(errors="replace")
    try:
        report = json.loads(run.stdout)
    except ValueError:
        report = {}
    clean = run.returncode == 0 and report.get("errors") == 0
    return clean, report, text
