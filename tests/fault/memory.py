#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory runs out in a running server: allocation n fails, for each n, in each operation and at the start.

    memory.py [--step K] [--start-step K] [--folder DIR] [--prove] [OPERATION...]

A library in front of the program (no_memory.c) lets one allocation fail, once or with all that follow, be
it pail's own or SQLite's, OpenSSL's, libxml2's, libmicrohttpd's or libc's. Of every live row of routes.def
an honest request is sent, on a connection of its own, while the n-th allocation from then on fails; then
with the next n, until the request needs no more. What may come of it: what the operation answers anyway,
503, or a connection that ends without a whole answer. After each the server is there and serves, and in the
end `pail fsck --read-data` is content. A block of memory that is lost each time is a leak, and fails.

A handshake of TLS alone may end the process, or leave memory behind: GMP ends it where it gets none, and
GnuTLS and libtasn1 do not always look. Then the server starts again, and nothing is lost.

A start needs allocations too: it is refused with a word of memory, or the server serves.

--step K         every K-th allocation only, beginning with another one in each operation
--start-step K   the same for starts, which make ten thousand of them
--prove          the judge finds an answer that is none of those, a crash and a leak
"""

import argparse
import ctypes
import mmap
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ["PAIL_PROGRAM"] = os.environ.get("PAIL_RELEASE_PROGRAM", str(ROOT / "build/release/pail"))

from tools import routes  # noqa: E402
from wire import process, raw  # noqa: E402
from wire.test_forged import CANARY, World  # noqa: E402

REPLY_TIMEOUT_S = 20.0
START_TIMEOUT_S = 10.0
BUSY = {b"SlowDown", b"ServiceUnavailable"}
LEAK_RUNS = 6  # a block more after each of them is a leak
N_MAX = 20_000  # no request needs as many


class Control:
    """What no_memory.c maps."""

    FIELDS = ("until", "forever", "counted", "failed", "blocks")

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8 * len(self.FIELDS)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.words = (ctypes.c_int64 * len(self.FIELDS)).from_buffer(self.map)

    def __getattr__(self, name):
        return self.words[self.FIELDS.index(name)]

    def arm(self, n, forever):
        self.words[0] = 0
        self.words[1], self.words[2], self.words[3] = int(forever), 0, 0
        self.words[0] = n

    def disarm(self):
        self.words[0] = 0


def build(folder):
    library = folder / "no_memory.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-O2", "-o", library, ROOT / "tests/fault/preload/no_memory.c"], check=True)
    return library


# What has no row: another service's, a handshake, and what a website is asked for.
IDENTITY = routes.Route("R", "GetCallerIdentity", "POST", "SERVICE", "", "", status=200)
OVER_TLS = routes.Route("R", "GetObject over https", "GET", "OBJECT", "", "", status=200)
WEBSITE = {"Website": (200, "/"), "Website, away": (301, "/old/a"), "Website, refused": (403, "/absent")}
WEBSITES = [routes.Route("R", name, "GET", "OBJECT", "", "", status=status) for name, (status, _) in WEBSITE.items()]
SITE = (b"<WebsiteConfiguration><IndexDocument><Suffix>key</Suffix></IndexDocument><ErrorDocument><Key>none</Key></ErrorDocument>"
        b"<RoutingRules><RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition>"
        b"<Redirect><HostName>old.test</HostName></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>")  # fmt: skip


class Wrong(AssertionError):
    pass


class Ended(Wrong):
    """The process is gone."""


class Lane:
    """One server with something of everything, behind the library."""

    def __init__(self, folder, library):
        self.folder = folder
        self.control = Control(folder / "control")
        self.environment = {"LD_PRELOAD": str(library), "NO_MEMORY": str(self.control.path)}
        self.certificate = process.make_certificate(folder)
        self.server = process.Server(folder / "server", "--threads", "1", "--archive", "readable", certificate=self.certificate,
                                     environment=self.environment)  # fmt: skip
        self.root = self.server.users["root"]
        self.world = World(self.server)
        self.tried = self.fired = self.ended = 0
        self.plain("PUT", "/kept")
        self.plain("PUT", "/kept/key", CANARY, [("x-amz-acl", "public-read")])

    def plain(self, method, target, body=b"", headers=()):
        return raw.signed(self.server.url, self.root, method, target, body, headers=list(headers))

    # ---- what an operation needs each time anew

    def prepare(self, row):
        world, name = self.world, row.name
        if name == "CreateBucket":
            self.plain("DELETE", "/never-made")
        elif name == "DeleteBucket":
            self.plain("PUT", "/empty-forged")
        elif name == "GetBucketPolicyStatus":
            self.plain("PUT", "/forged?policy", self.world.body("PutBucketPolicy"))  # DeleteBucketPolicy was before
        elif name in WEBSITE:
            self.plain("PUT", "/kept?website", SITE)  # so that it is compiled again
        elif name in ("DeleteObject", "DeleteObjects", "PutObjectAcl", "PutObjectTagging") or "OBJECT" == row.resource:
            if self.plain("HEAD", "/forged/key").status != 200:
                self.plain("PUT", "/forged/key", CANARY * 10, [("x-amz-tagging", "a=b")])
            if name == "RenameObject":
                self.plain("PUT", "/forged/old%20name", CANARY)
            if self.plain("HEAD", "/forged/large").status != 200:
                self.plain("PUT", "/forged/large", CANARY * 10_000)
        if name == "RestoreObject":  # one that is being restored can not be asked for again
            self.plain("PUT", "/versioned-forged/archived", CANARY, [("x-amz-storage-class", "GLACIER")])
        if name.endswith("Annotation") and name != "PutObjectAnnotation":
            self.honest(next(other for other in routes.load() if other.name == "PutObjectAnnotation"))
        if "uploadId" in row.conditions and self.plain("GET", f"/forged/key?uploadId={world.upload}").status != 200:
            world.upload = self.plain("POST", "/forged/key?uploads").element("UploadId")
        if name == "CompleteMultipartUpload":
            world.part = self.plain("PUT", f"/forged/key?partNumber=1&uploadId={world.upload}", CANARY).header("ETag")
        if name.startswith("Delete") and row.resource == "BUCKET" and name not in ("DeleteBucket", "DeleteObjects"):
            put = next((other for other in routes.load() if other.name == "Put" + name.removeprefix("Delete")), None)
            if put and put.kind == "R":
                self.honest(put)

    def honest(self, row):
        request = self.world.request(row)
        raw.sign_v4(request, self.root)
        raw.send(self.server.url, request)

    def request(self, row):
        request = self.world.request(row)
        if row.name in WEBSITE:
            host = raw.host_of(self.server.url).replace("127.0.0.1", "kept.s3-website.localhost")
            return raw.Request("GET", WEBSITE[row.name][1], [("Host", host)])
        if row.name == "PostObject":
            return self.form(request)
        if row is IDENTITY:
            request.body = b"Action=GetCallerIdentity&Version=2011-06-15"
            request.headers = [("Host", raw.host_of(self.server.url)), ("Content-Type", "application/x-www-form-urlencoded")]
            raw.sign_v4(request, self.root, service="sts")
            return request
        if row is OVER_TLS:
            request.set("Host", raw.host_of(self.server.tls_url))
        raw.sign_v4(request, self.root)
        return request

    def form(self, request):
        import base64
        import json

        date = raw.now().strftime("%Y%m%dT%H%M%SZ")
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        fields = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": date, "x-amz-credential": f"{self.root.access_key}/{scope}"}
        conditions = [{"bucket": "forged"}, {"key": "posted"}, *({name: value} for name, value in fields.items())]
        policy = base64.b64encode(json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": conditions}).encode()).decode()
        key = raw.signing_key(self.root.secret_key, date[:8], "us-east-1", "s3")
        fields |= {"policy": policy, "x-amz-signature": raw.hmac256(key, policy).hex()}
        request.body, kind = raw.form_body([("key", "posted"), *fields.items()], b"posted")
        request.set("Content-Type", kind)
        return request

    # ---- one request without memory

    def ask(self, row, n, forever):
        """The answer, or None when there was none; whether an allocation has failed."""
        self.prepare(row)
        request = self.request(row)
        self.control.arm(n, forever)
        try:
            url, ca = (self.server.tls_url, self.certificate[0]) if row is OVER_TLS else (self.server.url, None)
            connection = raw.Connection(url, REPLY_TIMEOUT_S, ca)
            try:
                connection.send_lenient(request.wire())
                reply = connection.reply(head=request.method == "HEAD")
            finally:
                connection.close()
        except TimeoutError:
            raise Wrong(f"no answer in {REPLY_TIMEOUT_S} s") from None
        except (EOFError, OSError):
            reply = None
        finally:
            self.control.disarm()
        self.tried += 1
        fired = self.control.failed > 0
        self.fired += fired
        return reply, fired

    def there(self, patience_s=0):
        """patience_s: for one that has ended its connections, and may be about to end."""
        try:
            status = self.server.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return
        words = [line for line in self.server.stderr().splitlines() if " info req=" not in line]
        raise Ended(f"the server ended with status {status}:\n" + "\n".join(words[-20:]))

    def judge(self, row, reply):
        self.there()
        code = reply and re.search(rb"(?:<Code>|<li>Code: )(\w+)</", reply.body)
        if reply is not None and reply.status == 503 and (row.method == "HEAD" or (code and code[1] in BUSY)):
            return
        if reply is not None and reply.status != row.status:
            raise Wrong(f"answered {reply}")

    def serves(self):
        try:
            reply = self.plain("GET", "/kept/key")
        except (EOFError, OSError) as error:
            self.there(REPLY_TIMEOUT_S)
            raise Wrong(f"afterwards it does not answer: {error}") from None
        if reply.status != 200 or reply.body != CANARY:
            raise Wrong(f"afterwards, of another object: {reply}")

    def leaks(self, row, n, forever):
        """A block more each time? What grows now and then is a cache."""
        blocks = []
        for _ in range(LEAK_RUNS):
            self.ask(row, n, forever)
            self.serves()
            blocks.append(self.control.blocks)
        return all(b > a for a, b in zip(blocks, blocks[1:]))

    def sweep(self, row, step, prove=None):
        """Every n of one operation. Returns how many allocations it needs."""
        most = 0
        for forever in (False, True):
            n = 1 + zlib.crc32(row.name.encode()) % step
            while n < N_MAX:
                try:
                    before = self.control.blocks
                    reply, fired = self.ask(row, n, forever)
                    if not fired:
                        break
                    self.judge(row, reply)
                    self.serves()
                    if row is not OVER_TLS and self.control.blocks > before and self.leaks(row, n, forever):
                        raise Wrong("it loses memory each time")
                except Ended:
                    if row is not OVER_TLS:
                        raise
                    self.ended += 1
                    self.server.start()
                    self.serves()
                except Wrong as wrong:
                    raise Wrong(f"{row.name}, allocation {n}{' and all that follow' if forever else ''}: {wrong}") from None
                most = max(most, n)
                n += step
        return most


def fsck(directory):
    found = subprocess.run([process.program(), "fsck", "--read-data", str(directory)], capture_output=True, text=True)
    if found.returncode != 0:
        raise Wrong(f"fsck: {found.stdout}{found.stderr}")


# ---- starts ------------------------------------------------------------------------------------------------


def start_once(lane, directory, n, forever):
    """Whether an allocation has failed while it started."""
    log = lane.folder / "start.log"
    lane.control.arm(n, forever)
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAIL_", "MINIO_"))},
                   **lane.environment, "PAIL_ROOT_USER": lane.root.access_key, "PAIL_ROOT_PASSWORD": lane.root.secret_key}  # fmt: skip
    with open(log, "wb") as stderr:
        child = subprocess.Popen([process.program(), "serve", "--listen", "127.0.0.1:0", "--threads", "1", str(directory)],
                                 env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)  # fmt: skip
    said, _, _ = select.select([child.stdout], [], [], START_TIMEOUT_S)
    line = child.stdout.readline() if said else b""  # "" ends with the program
    fired = lane.control.failed > 0
    lane.control.disarm()
    if line:
        child.send_signal(signal.SIGTERM)
    try:
        status = child.wait(START_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise Wrong(f"it {'served and' if line else 'neither serves nor'} ends:\n{log.read_text()}") from None
    child.stdout.close()
    words = log.read_text(errors="replace")
    if status < 0:
        raise Wrong(f"it ended by signal {-status}:\n{words}")
    if line and status != 0:
        raise Wrong(f"it served, and ended with {status}:\n{words}")
    if not line and (status == 0 or not words.strip()):
        raise Wrong(f"it was refused with status {status} and these words: {words!r}")
    return fired


def sweep_starts(lane, step):
    most = 0
    directory = lane.folder / "started"
    start_once(lane, directory, 0, False)
    for forever in (False, True):
        n = 1 + random.Random(step).randrange(step)
        while n < N_MAX:
            try:
                if not start_once(lane, directory, n, forever):
                    break
            except Wrong as wrong:
                raise Wrong(f"start, allocation {n}{' and all that follow' if forever else ''}: {wrong}") from None
            lane.tried += 1
            lane.fired += 1
            most = max(most, n)
            n += step
    fsck(directory)
    return most


# ---- the lane ----------------------------------------------------------------------------------------------


def prove(lane):
    """Each kind of wrong is seen."""
    row = next(row for row in routes.load() if row.name == "GetObject")
    seen = []
    reply = raw.Reply(500, "", [], b"<Error><Code>InternalError</Code></Error>")
    honest = lane.ask

    def lose(row, n, forever):
        answer = honest(row, n, forever)
        lane.control.words[Control.FIELDS.index("blocks")] += 1
        return answer

    for what, wrong in (("another answer", lambda: lane.judge(row, reply)), ("a leak", lambda: lane.sweep(row, 1))):
        lane.ask = lose if what == "a leak" else honest
        try:
            wrong()
        except Wrong as found:
            seen.append(what)
            print(f"memory: found {what}: {str(found).splitlines()[0]}")
    lane.ask = honest
    lane.server.process.send_signal(signal.SIGSEGV)
    lane.server.process.wait()
    try:
        lane.judge(row, None)
    except Wrong as found:
        seen.append("a crash")
        print(f"memory: found a crash: {str(found).splitlines()[0]}")
    return len(seen) == 3


def run(lane, step, start_step, names):
    wrong = 0
    for row in [*routes.load(), IDENTITY, *WEBSITES, OVER_TLS]:
        if row.kind != "R" or (names and row.name not in names):
            continue
        try:
            most = lane.sweep(row, step)
            print(f"memory: {row.name:45} {most:5} allocations", flush=True)
        except Wrong as found:
            wrong += 1
            print(f"memory: WRONG {found}", flush=True)
            if not lane.server.alive():
                lane.server.start()
    if not names:
        try:
            print(f"memory: {'start':45} {sweep_starts(lane, start_step):5} allocations", flush=True)
        except Wrong as found:
            wrong += 1
            print(f"memory: WRONG {found}", flush=True)
    lane.server.stop()
    fsck(lane.server.directory)
    print(f"memory: {lane.tried} requests and starts, in {lane.fired} of them allocations failed; {wrong} wrong; "
          f"{lane.ended} handshakes ended the process")  # fmt: skip
    return wrong == 0 and lane.fired > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--start-step", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--prove", action="store_true")
    parser.add_argument("operations", nargs="*")
    asked = parser.parse_args()
    base = asked.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="pail-memory.", dir=base) as name:
        folder = pathlib.Path(name)
        lane = Lane(folder, build(folder))
        try:
            good = prove(lane) if asked.prove else run(lane, asked.step, asked.start_step, set(asked.operations))
        finally:
            if lane.server.alive():
                lane.server.kill()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
