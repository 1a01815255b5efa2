# SPDX-License-Identifier: Apache-2.0
"""HTTP over plain sockets, and S3 signatures made by hand.

Nothing here shares code with the server or with botocore: what the server accepts from this module
it accepts because two readings of the documents agree.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

import base64
import dataclasses
import datetime
import email.utils
import hashlib
import hmac
import re
import socket
import ssl
import time
import urllib.parse
import xml.etree.ElementTree as ET

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

# What V2 signs of the query, besides response-*.
V2_SUBRESOURCES = {
    "acl", "accelerate", "analytics", "cors", "defaultObjectAcl", "delete", "encryption",
    "inventory", "lifecycle", "location", "logging", "metrics", "notification", "object-lock",
    "partNumber", "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment",
    "restore", "retention", "legal-hold", "select", "select-type", "tagging", "torrent",
    "uploadId", "uploads", "versionId", "versioning", "versions", "website",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class User:
    """An access key and whose it is."""

    name: str
    access_key: str
    secret_key: str
    canonical_id: str = ""
    email: str = ""
    session_token: str = ""
    disabled: bool = False
    account: str = ""


@dataclasses.dataclass
class Reply:
    """One HTTP response as it was on the wire."""

    status: int
    reason: str
    headers: list
    body: bytes

    def header(self, name, default=None):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else default

    @property
    def code(self):
        """The S3 error code of an <Error> document, or of S3 Control's <ErrorResponse>; else None."""
        return self.element("Code") or self.element("Error/Code")

    @property
    def facts(self):
        """The elements of an <Error> document but those that every one has: {name: text}."""
        root = ET.fromstring(self.body)
        assert root.tag == "Error", self
        return {node.tag: node.text or "" for node in root
                if node.tag not in ("Code", "Message", "RequestId", "HostId")}  # fmt: skip

    def refusal(self):
        """(status, code, message, facts) of a refusal."""
        return self.status, self.code, self.element("Message"), self.facts

    def element(self, path):
        try:
            root = ET.fromstring(self.body)
        except ET.ParseError:
            return None
        for node in root.iter():
            node.tag = node.tag.rpartition("}")[2]
        node = root.find(path)
        return None if node is None else (node.text or "")


class Connection:
    """One connection to the server. Replies are read one by one, exactly as framed."""

    def __init__(self, endpoint, timeout_s=10.0, ca=None):
        url = urllib.parse.urlsplit(endpoint)
        self.host = url.netloc
        self.socket = socket.create_connection((url.hostname, url.port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self.socket = context.wrap_socket(self.socket, server_hostname=url.hostname)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_lenient(self, data):
        """Send what the server lets us: it may have answered and closed already."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def finish_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        self.pending += data
        return bool(data)

    def _line(self):
        while b"\r\n" not in self.pending:
            if not self._more():
                raise EOFError(f"connection closed in a line: {self.pending[:200]!r}")
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line

    def _exactly(self, count):
        while len(self.pending) < count:
            if not self._more():
                raise EOFError(f"connection closed {count - len(self.pending)} bytes early")
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def at_end(self):
        """True when the server has closed and nothing is left to read."""
        while not self.pending:
            if not self._more():
                return True
        return False

    def reply(self, head=False, informational=False):
        """Read one response; 1xx are skipped unless asked for. EOFError when there is none."""
        while True:
            line = self._line()
            match = re.fullmatch(rb"HTTP/1\.1 (\d{3}) ?(.*)", line)
            assert match, f"not a status line: {line[:200]!r}"
            status, reason = int(match[1]), match[2].decode("latin-1")
            headers = []
            while line := self._line():
                name, colon, value = line.partition(b":")
                assert colon, f"not a header: {line[:200]!r}"
                headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))
            reply = Reply(status, reason, headers, b"")
            if status // 100 == 1:
                if informational:
                    return reply
                continue
            if head or status in (204, 304):
                return reply
            if (reply.header("transfer-encoding") or "").lower() == "chunked":
                while size := int(self._line().split(b";")[0], 16):
                    reply.body += self._exactly(size)
                    assert self._line() == b""
                while self._line():
                    pass
            elif (length := reply.header("content-length")) is not None:
                reply.body = self._exactly(int(length))
            else:
                while self._more():
                    pass
                reply.body, self.pending = self.pending, b""
            return reply

    def replies_to_end(self, idle_s=0.5):
        """Every response until the server closes or stays silent, and whether it closed."""
        replies = []
        while True:
            self.socket.settimeout(idle_s if replies else 10.0)
            try:
                if self.at_end():
                    return replies, True
                replies.append(self.reply())
            except (TimeoutError, socket.timeout):
                return replies, False


# ---- requests -----------------------------------------------------------------------------------


def quote(text, safe=""):
    """RFC 3986 escapes, upper-case, as AWS wants them in canonical requests."""
    errors = "surrogateescape" if isinstance(text, str) else None
    return urllib.parse.quote(text, safe="-_.~" + safe, errors=errors)


def unquote(text):
    """As S3 reads a URL; bytes that are no UTF-8 come back through quote()."""
    return urllib.parse.unquote_plus(text, errors="surrogateescape")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@dataclasses.dataclass
class Request:
    """A request before it is bytes. `target` goes on the wire as it stands."""

    method: str
    target: str
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""

    def __post_init__(self):
        self.headers = list(self.headers)

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def set(self, name, value):
        self.headers = [(k, v) for k, v in self.headers if k.lower() != name.lower()]
        self.headers.append((name, value))
        return self

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        """The query in order as pairs of decoded texts."""
        _, mark, query = self.target.partition("?")
        pairs = []
        for item in query.split("&") if mark and query else []:
            name, _, value = item.partition("=")
            pairs.append((unquote(name), unquote(value)))
        return pairs

    def wire(self, length=True):
        headers = list(self.headers)
        if length and self.body and not self.header("content-length"):
            if not self.header("transfer-encoding"):
                headers.append(("Content-Length", str(len(self.body))))
        elif length and self.method in ("PUT", "POST") and not self.header("content-length"):
            if not self.header("transfer-encoding"):
                headers.append(("Content-Length", "0"))
        head = [f"{self.method} {self.target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(head).encode("utf-8") + b"\r\n\r\n" + self.body


@dataclasses.dataclass
class Signature:
    """What a V4 signature was made of: enough to sign chunks after it."""

    text: str
    key: bytes
    scope: str
    amz_date: str
    canonical: str
    string_to_sign: str


def hmac256(key, text):
    return hmac.new(key, text.encode() if isinstance(text, str) else text, "sha256").digest()


def signing_key(secret, date, region, service):
    key = hmac256(("AWS4" + secret).encode(), date)
    for part in (region, service, "aws4_request"):
        key = hmac256(key, part)
    return key


def canonical_path(path):
    """As S3 signs it: decoded, a plus being a blank, and encoded."""
    return quote(urllib.parse.unquote_to_bytes(path.replace("+", " ")), "/")


def canonical_query(pairs):
    encoded = sorted((quote(name), quote(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def canonical_request(request, signed, payload_hash, leave_out=()):
    lines = []
    for name in sorted(signed):
        values = [v for k, v in request.headers if k.lower() == name]
        lines.append(f"{name}:{','.join(' '.join(v.split()) for v in values)}")
    pairs = [(k, v) for k, v in request.query if k not in leave_out]
    return "\n".join(
        [request.method, canonical_path(request.path), canonical_query(pairs), *lines, "", ";".join(sorted(signed)),
         payload_hash])  # fmt: skip


def _signature(user, canonical, when, region, service):
    amz_date = when.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{amz_date[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", amz_date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = signing_key(user.secret_key, amz_date[:8], region, service)
    return Signature(hmac256(key, text).hex(), key, scope, amz_date, canonical, text)


def with_md5(request):
    """Content-MD5 of the body, which some documents must come with."""
    request.set("Content-MD5", base64.b64encode(hashlib.md5(request.body).digest()).decode())
    return request


def sign_v4(request, user, payload=None, *, when=None, region="us-east-1", service="s3",
            signed=None, date=True):  # fmt: skip
    """Add x-amz-date, x-amz-content-sha256 and Authorization; returns the Signature.

    payload: text for x-amz-content-sha256 (default the hash of the body); "" leaves it out.
    signed: names to sign (default: every header there is).
    """
    when = when or now()
    if date:
        request.set("x-amz-date", when.strftime("%Y%m%dT%H%M%SZ"))
    if payload is None:
        payload = hashlib.sha256(request.body).hexdigest()
    if payload:
        request.set("x-amz-content-sha256", payload)
    if user.session_token:
        request.set("x-amz-security-token", user.session_token)
    if signed is None:
        signed = {name.lower() for name, _ in request.headers} - {"authorization", "expect"}
    signature = _signature(user, canonical_request(request, signed, payload or EMPTY_SHA256),
                           when, region, service)  # fmt: skip
    request.set(
        "Authorization",
        f"AWS4-HMAC-SHA256 Credential={user.access_key}/{signature.scope}, "
        f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature.text}")  # fmt: skip
    return signature


def presign_v4(request, user, expires=3600, *, when=None, region="us-east-1", service="s3",
               signed=("host",), payload=UNSIGNED, extra=()):  # fmt: skip
    """Add the X-Amz-* parameters to the target; returns the Signature."""
    when = when or now()
    amz_date = when.strftime("%Y%m%dT%H%M%SZ")
    pairs = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", f"{user.access_key}/{amz_date[:8]}/{region}/{service}/aws4_request"),
        ("X-Amz-Date", amz_date),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", ";".join(sorted(signed))),
        *extra,
    ]
    if user.session_token:
        pairs.append(("X-Amz-Security-Token", user.session_token))
    separator = "&" if "?" in request.target else "?"
    request.target += separator + "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs)
    signature = _signature(user, canonical_request(request, signed, payload), when, region, service)
    request.target += f"&X-Amz-Signature={signature.text}"
    return signature


def _v2_string(request, resource, date):
    amz = {}
    for name, value in request.headers:
        if name.lower().startswith("x-amz-"):
            amz.setdefault(name.lower(), []).append(value.strip())
    if "x-amz-date" in amz and not date.isdigit():
        date = ""
    subs = sorted((k, v) for k, v in request.query if k in V2_SUBRESOURCES)
    raw = {item.partition("=")[0] for item in request.target.partition("?")[2].split("&")
           if "=" not in item}  # fmt: skip
    if subs:
        resource += "?" + "&".join(k if k in raw or not v else f"{k}={v}" for k, v in subs)
    return "\n".join(
        [request.method, request.header("content-md5") or "", request.header("content-type") or "",
         date, *(f"{k}:{','.join(v)}" for k, v in sorted(amz.items())), resource])  # fmt: skip


def v2_mac(user, text):
    return base64.b64encode(hmac.new(user.secret_key.encode(), text.encode(), "sha1").digest()).decode()


def sign_v2(request, user, *, when=None, resource=None):
    """Add Date and `Authorization: AWS key:signature`; returns the string that was signed."""
    if not request.header("x-amz-date") and not request.header("date"):
        request.set("Date", email.utils.format_datetime(when or now(), usegmt=True))
    if user.session_token:
        request.set("x-amz-security-token", user.session_token)
    text = _v2_string(request, resource or request.path, request.header("date") or "")
    request.set("Authorization", f"AWS {user.access_key}:{v2_mac(user, text)}")
    return text


def presign_v2(request, user, expires_at=None, *, resource=None):
    """Add AWSAccessKeyId, Expires and Signature to the target; returns the string signed."""
    expires_at = str(int(time.time()) + 3600 if expires_at is None else expires_at)
    text = _v2_string(request, resource or request.path, expires_at)
    separator = "&" if "?" in request.target else "?"
    request.target += separator + urllib.parse.urlencode(
        {"AWSAccessKeyId": user.access_key, "Expires": expires_at, "Signature": v2_mac(user, text)},
        quote_via=urllib.parse.quote)  # fmt: skip
    return text


# ---- aws-chunked --------------------------------------------------------------------------------


def chunk_signature(signature, previous, data):
    text = "\n".join(
        ["AWS4-HMAC-SHA256-PAYLOAD", signature.amz_date, signature.scope, previous, EMPTY_SHA256,
         hashlib.sha256(data).hexdigest()])  # fmt: skip
    return hmac256(signature.key, text).hex()


def trailer_signature(signature, previous, trailers):
    lines = "".join(f"{name.lower()}:{value}\n" for name, value in trailers)
    text = "\n".join(
        ["AWS4-HMAC-SHA256-TRAILER", signature.amz_date, signature.scope, previous,
         hashlib.sha256(lines.encode()).hexdigest()])  # fmt: skip
    return hmac256(signature.key, text).hex()


def split(data, size):
    return [data[i : i + size] for i in range(0, len(data), size)]


def frame_signed(signature, data, chunk_bytes=65536, trailers=None):
    """aws-chunked frames, each signed; with trailers (a list, maybe empty) also those."""
    out, previous = b"", signature.text
    for chunk in [*split(data, chunk_bytes), b""]:
        previous = chunk_signature(signature, previous, chunk)
        out += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk
        if chunk or trailers is None:
            out += b"\r\n"
    if trailers is not None:
        for name, value in trailers:
            out += f"{name}:{value}\r\n".encode()
        mac = trailer_signature(signature, previous, trailers)
        out += f"x-amz-trailer-signature:{mac}\r\n\r\n".encode()
    return out


def frame_unsigned(data, chunk_bytes=65536, trailers=()):
    out = b""
    for chunk in split(data, chunk_bytes):
        out += f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    out += b"0\r\n"
    for name, value in trailers:
        out += f"{name}:{value}\r\n".encode()
    return out + b"\r\n"


def put_signed_chunks(host, target, user, data, *, headers=(), chunk_bytes=65536, trailers=None):
    """A whole PUT in the form minio-go (no trailers) or the Java SDK (trailers) sends."""
    request = Request("PUT", target, [("Host", host), *headers])
    request.set("x-amz-decoded-content-length", str(len(data)))
    if trailers is not None:
        request.set("x-amz-trailer", ",".join(name for name, _ in trailers))
    # The length of the frames does not depend on the signatures in them.
    blank = Signature("0" * 64, b"", "", "", "", "")
    request.set("Content-Length", str(len(frame_signed(blank, data, chunk_bytes, trailers))))
    signature = sign_v4(request, user, SIGNED_CHUNKS if trailers is None else SIGNED_TRAILER)
    request.body = frame_signed(signature, data, chunk_bytes, trailers)
    return request


def put_unsigned_trailer(host, target, user, data, *, headers=(), chunk_bytes=65536, trailers=()):
    """A whole PUT in the form boto3 sends over https."""
    request = Request("PUT", target, [("Host", host), *headers])
    request.body = frame_unsigned(data, chunk_bytes, trailers)
    request.set("Content-Encoding", "aws-chunked")
    request.set("x-amz-decoded-content-length", str(len(data)))
    request.set("x-amz-trailer", ",".join(name for name, _ in trailers))
    request.set("Content-Length", str(len(request.body)))
    sign_v4(request, user, UNSIGNED_TRAILER)
    return request


# ---- forms --------------------------------------------------------------------------------------


def form_body(fields, file=None, boundary="--------pail-test-boundary", filename="f.bin",
              content_type="application/octet-stream", after=()):  # fmt: skip
    """multipart/form-data bytes and their Content-Type. file None: no file part."""
    parts = [(name, value, None, None) for name, value in fields]
    if file is not None:
        parts.append(("file", file, filename, content_type))
    parts += [(name, value, None, None) for name, value in after]
    out = b""
    for name, value, part_filename, part_type in parts:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if part_filename is not None:
            out += f'; filename="{part_filename}"'.encode()
        out += b"\r\n"
        if part_type is not None:
            out += f"Content-Type: {part_type}\r\n".encode()
        out += b"\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def send(endpoint, request, *, ca=None, head=None, timeout_s=30.0):
    """One request on its own connection, one reply. Adds Host where it is missing."""
    with Connection(endpoint, timeout_s, ca) as connection:
        if not request.header("host"):
            request.headers.insert(0, ("Host", connection.host))
        connection.send_lenient(request.wire())
        return connection.reply(head=request.method == "HEAD" if head is None else head)


def host_of(endpoint):
    return urllib.parse.urlsplit(endpoint).netloc


def signed(endpoint, user, method, target, body=b"", headers=(), **options):
    """Sign with V4 and send: the everyday way to say something boto3 would not."""
    request = Request(method, target, [("Host", host_of(endpoint)), *headers], body)
    sign_v4(request, user, **options)
    return send(endpoint, request)


def signed_later(server, days, method, target, body=b"", headers=(), user="root"):
    """Signed so many days from now, for a server whose clock is there; a body has its Content-MD5."""
    request = Request(method, target, [("Host", host_of(server.url)), *headers], body)
    if body:
        with_md5(request)
    sign_v4(request, server.users[user], when=now() + datetime.timedelta(days=days))
    return send(server.url, request)


def anonymous(endpoint, method, target, body=b"", headers=()):
    return send(endpoint, Request(method, target, [("Host", host_of(endpoint)), *headers], body))


def put_many(endpoint, user, bucket, keys, body=b"x", workers=4):
    """PUT many small objects over a few kept connections."""
    import concurrent.futures

    keys = list(keys)
    host = host_of(endpoint)

    def run(part):
        with Connection(endpoint, 60.0) as connection:
            for key in part:
                request = Request("PUT", f"/{bucket}/{quote(key, '/')}", [("Host", host)], body)
                sign_v4(request, user)
                connection.send(request.wire())
                reply = connection.reply()
                assert reply.status == 200, (key, reply)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(run, keys[i::workers]) for i in range(workers)]:
            future.result()
