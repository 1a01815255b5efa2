# SPDX-License-Identifier: Apache-2.0
"""One pail process for tests: started on free ports, watched, stopped and searched for trouble.

(1) Its environment holds no AWS_*, PAIL_* or MINIO_* variable but the root credentials.
(2) A server that died is reported with its standard error and started again on the same
    directory and ports, so that one crash fails one test.
(3) With PAIL_TEST_STORE=NAME it has a second store, of that name, and `url` and `directory` are of
    that one: what holds of a server's only store holds of it too.
(4) stop() demands a clean exit, and a standard error without sanitizer reports and secrets.
"""

import contextlib
import json
import os
import pathlib
import queue
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from wire.raw import User

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The name of the store that tests talk to; "" is a server's only one.
STORE = os.environ.get("PAIL_TEST_STORE", "")
# Where its buckets' hosts are: BUCKET.BASE.
BASE = f"{STORE}.store.localhost" if STORE else "localhost"

READY_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30

USERS = {
    "root": User("root", "ROOTKEY00000EXAMPLE", "root/secret+" + secrets.token_hex(12)),
    "alice": User("alice", "ALICEKEY0000EXAMPLE", "alice/secret+" + secrets.token_hex(12),
                  "a11ce" + "0" * 59, "alice@example.com"),
    "bob": User("bob", "BOBKEY000000EXAMPLE", "bob/secret+" + secrets.token_hex(12),
                "b0b" + "0" * 61, "bob@example.com"),
    "temp": User("temp", "TEMPKEY00000EXAMPLE", "temp/secret+" + secrets.token_hex(12),
                 "7e3b" + "0" * 60, "temp@example.com", "token/" + secrets.token_hex(24)),
}  # fmt: skip


def resolve_localhost():
    """From now on every name under localhost is this machine, whatever its resolver says."""
    original = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        return original("127.0.0.1" if str(host).endswith(".localhost") else host, *arguments, **options)

    socket.getaddrinfo = resolve


if STORE:
    resolve_localhost()


def program():
    """The program under test, or None when there is none."""
    named = os.environ.get("PAIL_PROGRAM")
    if named:
        return pathlib.Path(named)
    for preset in ("dev", "release"):
        path = ROOT / "build" / preset / "pail"
        if path.exists():
            return path
    return None


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1 and localhost; returns its two paths."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", key, "-out", cert,
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.localhost,DNS:*.store.localhost"],
        check=True, capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip
    return cert, key


# Nobody is there: what is told to it waits.
TARGET = ["[target nobody]", "arn = arn:aws:sqs:us-east-1:000000000000:nobody", "url = http://127.0.0.1:1/nobody", ""]


def settings(users=USERS):
    lines = list(TARGET)
    for user in users.values():
        if user.name == "root":
            continue
        lines += [f"[user {user.name}]", f"access_key = {user.access_key}",
                  f"secret_key = {user.secret_key}", f"display_name = {user.name}"]  # fmt: skip
        for field in ("canonical_id", "email", "account"):
            if getattr(user, field):
                lines.append(f"{field} = {getattr(user, field)}")
        if user.session_token:
            lines.append(f"session_token = {user.session_token}")
        if user.disabled:
            lines.append("disabled = yes")
        lines.append("")
    return "\n".join(lines)


def listened(url):
    """The address that was bound, of an endpoint at the store."""
    return url and url.replace(BASE, "127.0.0.1")


def until(holds, words=str, timeout=READY_TIMEOUT_S):
    """What holds() is once it is true. It is asked again and again, for what no clock brings about."""
    deadline = time.monotonic() + timeout
    while not (found := holds()):
        assert time.monotonic() < deadline, f"did not come: {words()}"
        time.sleep(0.005)
    return found


def until_read(url):
    """Nothing that was sent lies unread in the server's sockets."""
    port = urllib.parse.urlsplit(url).port

    def read():
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = [row for row in rows if int(row[1].split(":")[1], 16) == port and row[3] == "01"]
        return all(int(row[4].split(":")[1], 16) == 0 for row in mine)

    until(read, lambda: "the server does not read")


class Clock:
    """The clocks of one pail process, which was built to let tests move them."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(READY_TIMEOUT_S)

    def environment(self):
        return {"PAIL_CLOCK_FD": str(self.theirs.fileno())}

    def started(self):
        self.theirs.close()

    def close(self):
        self.ours.close()
        self.theirs.close()

    def move(self, *words):
        self.ours.send(" ".join(map(str, words)).encode())
        assert self.ours.recv(100) == b"ok", "the clock was not moved"

    def advance(self, seconds):
        self.move("advance", int(seconds * 1_000_000))

    @contextlib.contextmanager
    def later(self, seconds):
        """So many seconds from now; then the wall hand is put back."""
        self.move("set", int((time.time() + seconds) * 1_000_000))
        try:
            yield
        finally:
            self.move("set", int(time.time() * 1_000_000))

    @contextlib.contextmanager
    def stands(self):
        """What is answered meanwhile has not waited for time to pass."""
        self.move("freeze")
        try:
            yield
        finally:
            self.move("run")


class ServerDied(AssertionError):
    pass


class Server:
    """A pail process. `url` and `tls_url` are its endpoints; `directory` holds the store behind them."""

    def __init__(self, folder, *options, certificate=None, users=USERS, environment=(),
                 configuration=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "data"  # the first store, where root's key pair is
        self.directory = self.folder / "second" if STORE else self.home
        self.users = users
        self.options = [str(option) for option in options]
        self.certificate = certificate
        self.environment = dict(environment)
        self.config = self.folder / "users.conf"
        self.config.write_text(configuration or settings(users))
        self.config.chmod(0o600)
        self.stderr_path = self.folder / "stderr.log"
        self.process = self.clock = None
        self.url = self.tls_url = None
        self.deaths = 0
        self.start()

    def command(self):
        command = [str(program()), "serve", "--listen", listened(self.url) or "http://127.0.0.1:0"]
        if self.certificate:
            command += ["--listen", listened(self.tls_url) or "https://127.0.0.1:0",
                        "--tls-cert", str(self.certificate[0]),
                        "--tls-key", str(self.certificate[1])]  # fmt: skip
        if STORE:
            command += ["--store", f"{STORE}={self.directory}"]
        return [*command, "--config", str(self.config), *self.options, str(self.home)]

    def start(self):
        environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "PAIL_", "MINIO_"))
        }  # fmt: skip
        environment["PAIL_ROOT_USER"] = self.users["root"].access_key
        environment["PAIL_ROOT_PASSWORD"] = self.users["root"].secret_key
        environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        environment.update(self.environment)
        if self.clock:
            self.clock.close()
        self.clock = Clock()
        environment.update(self.clock.environment())
        command = self.command()
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=stderr, pass_fds=[self.clock.theirs.fileno()])  # fmt: skip
        self.clock.started()
        lines = queue.SimpleQueue()
        stdout = self.process.stdout

        def read():
            for line in stdout:
                lines.put(line)
            lines.put(None)

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        for _ in range(2 if self.certificate else 1):
            self._take_ready_line(lines, command)

    def _take_ready_line(self, lines, command):
        while True:
            try:
                line = lines.get(timeout=READY_TIMEOUT_S)
            except queue.Empty:
                line = None
            if line is None:
                self.process.kill()
                self.process.wait()
                raise ServerDied(f"no ready line from {' '.join(command)}\n{self.stderr()}")
            if not line.startswith(b"{"):
                continue
            url = json.loads(line)["url"].rstrip("/")
            if STORE:
                url = url.replace("127.0.0.1", BASE)
            if url.startswith("https:"):
                self.tls_url = url
            else:
                self.url = url
            return

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def log_line(self, reply):
        """The log's line of the request that was answered so: it is written after the answer."""
        mark = f"req={reply.header('x-amz-request-id')} "

        def found():
            return next((line for line in self.stderr().splitlines(keepends=True)
                         if mark in line and line.endswith("\n")), None)  # fmt: skip

        return until(found, lambda: f"a line of the log with {mark}")

    def reload(self, users=None, configuration=None):
        """Write the settings file anew, send SIGHUP; the line that says what came of it."""
        mark = re.compile(r"^.* SIGHUP: .*key pairs.*\n", re.M)
        before = len(mark.findall(self.stderr()))
        if users is not None or configuration is not None:
            self.config.write_text(configuration if configuration is not None else settings(users))
        self.process.send_signal(signal.SIGHUP)
        until(lambda: len(mark.findall(self.stderr())) > before, lambda: f"an answer to SIGHUP:\n{self.stderr()[-4000:]}")
        return mark.findall(self.stderr())[before]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def check(self):
        """Raise with the server's words if it died; it is up again when this returns or raises."""
        if self.alive():
            return
        status = self.process.returncode
        self.deaths += 1
        words = self.stderr()[-12000:]
        self.stderr_path.rename(self.stderr_path.with_suffix(f".died{self.deaths}"))
        self.start()
        raise ServerDied(f"pail ended with status {status} while a test was using it:\n{words}")

    def stop(self):
        """SIGTERM, a clean exit, nothing bad on standard error."""
        self.check()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerDied(f"SIGTERM did not stop pail in {STOP_TIMEOUT_S} s\n{self.stderr()[-4000:]}")
        words = self.stderr()
        assert status == 0, f"pail ended with status {status} after SIGTERM:\n{words[-12000:]}"
        self.judge(words)

    def judge(self, words):
        """What standard error must never hold."""
        report = re.search(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:", words)
        assert not report, f"a sanitizer reported:\n{words[-12000:]}"
        for user in self.users.values():
            assert user.secret_key not in words, f"{user.name}'s secret is on standard error"
            if user.session_token:
                assert user.session_token not in words, "a session token is on standard error"
        leak = re.search(r"Signature=[0-9a-fA-F]{16}|Signature=[\w%/+]{20}", words)
        assert not leak, f"a signature is on standard error: {leak[0][:40]}"

    def kill(self):
        self.process.kill()
        self.process.wait()
