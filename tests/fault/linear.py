#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is what clients see at the same time what one client could have seen? A linearizability checker.

    linear.py [--seconds N] [--kills] [--seed S] [--prove]

Rounds of eight clients on a few keys that are new in each round. Every request is written down with
the time it was sent and the time its answer was whole; a request without an answer may have happened
at any time after it was sent, or never. Then each key is checked by itself, as a register that is
put, created (If-None-Match), swapped (If-Match), deleted, read and listed: there must be an order of
its requests that agrees with the times and in which every answer is right (Wing and Gong, with the
states that were seen remembered). The same for an object whose ACL is changed and that anonymous
clients read. In the bucket with versioning the listing of versions must have every version that was
answered, in an order that agrees with the times.

--kills    kill -9 in the midst of every third round; the server is started again
--prove    check the checker: histories that can not be must be found
PAIL_LINEAR_S, PAIL_LINEAR_SEED   the same as the options (default 60 s)
"""

import argparse
import dataclasses
import hashlib
import http.client
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

import s3

CLIENTS = 8
KEYS = 3
REQUESTS = 10  # of a client in a round
BUCKETS = ("plain", "hist")
UNKNOWN = "no answer"
STEPS_MAX = 2_000_000  # of one key's search


@dataclasses.dataclass
class Call:
    kind: str
    start: float
    end: float
    value: object = None  # written
    expected: object = None  # swap: what it asks for
    result: object = None  # status, or what was read
    version: str = None


def apply(call, state):
    """States that the call may leave, if it happens now with the answer it got."""
    kind, result = call.kind, call.result
    if kind == "read":
        return [state] if result == state else []
    if kind == "put":
        return [call.value]
    if kind == "delete":
        return [None]
    if kind == "create":
        if result == UNKNOWN:
            return [call.value if state is None else state]
        return [call.value] if result == 200 and state is None else [state] if result == 412 and state is not None else []
    if kind == "swap":
        fits = state is not None and state == call.expected
        if result == UNKNOWN:
            return [call.value if fits else state]
        if result == 200:
            return [call.value] if fits else []
        return [state] if (result == 404 and state is None) or (result == 412 and state is not None and not fits) else []
    raise AssertionError(kind)


def linearizable(calls, initial=None):
    """Is there an order? None: the search was given up."""
    calls = sorted(calls, key=lambda call: call.start)
    needed = sum(1 << n for n, call in enumerate(calls) if call.end != math.inf)
    seen, stack, steps = set(), [(0, initial)], 0
    while stack:
        done, state = stack.pop()
        if done & needed == needed:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        steps += 1
        if steps > STEPS_MAX:
            return None
        first_end = min(call.end for n, call in enumerate(calls) if not done >> n & 1)
        for n, call in enumerate(calls):
            if call.start > first_end:
                break
            if not done >> n & 1:
                stack += [(done | 1 << n, after) for after in apply(call, state)]
    return False


def versions_in_order(calls, listed):
    """listed: version ids, newest first. What is wrong, or None."""
    place = {version: n for n, version in enumerate(listed)}
    answered = [call for call in calls if call.version]
    for call in answered:
        if call.version not in place:
            return f"version {call.version} was answered and is not listed"
    for a in answered:
        for b in answered:
            if a.end < b.start and place[a.version] < place[b.version]:
                return f"{a.version} was answered before {b.version} was asked for, and is listed as newer"
    return None


# ---- clients


class Client(threading.Thread):
    def __init__(self, number, round_number, seed, port, calls, lock):
        super().__init__()
        self.random = random.Random(f"{seed}/{round_number}/{number}")
        self.name = f"{round_number}-{number}"
        self.round = round_number
        self.port, self.calls, self.lock = port, calls, lock
        self.known = {}  # register -> value seen last
        self.count = 0
        self.problem = None

    def run(self):
        try:
            with s3.Connection(self.port) as connection:
                anonymous = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                for _ in range(REQUESTS):
                    self.one(connection, anonymous)
                anonymous.close()
        except (s3.Broken, OSError, http.client.HTTPException):
            pass
        except Exception as error:  # noqa: BLE001: a thread's is else lost
            self.problem = repr(error)

    def note(self, register, call):
        with self.lock:
            self.calls.setdefault(register, []).append(call)
            self.count += 1

    def timed(self, register, call, ask):
        """ask() tells the call's result; a broken connection leaves it open. Reads without one say nothing."""
        call.start = time.monotonic()
        try:
            ask(call)
        except (s3.Broken, OSError, http.client.HTTPException):
            if call.kind != "read":
                call.result, call.end = UNKNOWN, math.inf
                self.note(register, call)
            raise
        call.end = time.monotonic()
        self.note(register, call)

    def one(self, connection, anonymous):
        if self.random.random() < 0.12:
            return self.acl(connection, anonymous)
        bucket, number = self.random.choice(BUCKETS), self.random.randrange(KEYS)
        register = bucket, f"r{self.round}/k{number}"
        path = f"/{bucket}/{register[1]}"
        kind = self.random.choices(("put", "create", "swap", "delete", "read", "list"), (4, 3, 4, 3, 5, 2))[0]
        if kind == "list":
            return self.list(connection, bucket)
        call = Call(kind, 0, 0)
        if kind in ("put", "create", "swap"):
            self.count += 1
            body = f"{self.name}-{self.count}".encode()
            call.value = hashlib.md5(body).hexdigest()
        call.expected = self.known.get(register)
        headers = {"create": {"if-none-match": "*"}, "swap": {"if-match": f'"{call.expected or "0" * 32}"'}}.get(kind, {})

        def ask(call):
            if kind == "read":
                reply = connection.request("GET", path)
                assert reply.status in (200, 404), reply
                call.result = hashlib.md5(reply.body).hexdigest() if reply.ok else None
                assert not reply.ok or reply.etag == call.result, reply
                self.known[register] = call.result
            elif kind == "delete":
                reply = connection.request("DELETE", path)
                assert reply.status == 204, reply
                call.version = reply.headers.get("x-amz-version-id")
            else:
                reply = connection.request("PUT", path, (), headers, body)
                assert reply.status in ({200} if kind == "put" else {200, 404, 412}), reply
                call.result = reply.status
                call.version = reply.headers.get("x-amz-version-id") if reply.ok else None

        self.timed(register, call, ask)

    def list(self, connection, bucket):
        """One page: a read of each key."""
        found = {}
        start = time.monotonic()
        reply = connection.request("GET", f"/{bucket}", [("list-type", "2"), ("prefix", f"r{self.round}/k")])
        end = time.monotonic()
        assert reply.ok, reply
        for node in reply.xml().iter("Contents"):
            found[node.findtext("Key")] = node.findtext("ETag").strip('"')
        for number in range(KEYS):
            key = f"r{self.round}/k{number}"
            self.note((bucket, key), Call("read", start, end, result=found.get(key)))

    def acl(self, connection, anonymous):
        """The register is the ACL: private at first."""
        path, register = f"/plain/r{self.round}/acl", ("acl", f"r{self.round}")

        def change(call):
            reply = connection.request("PUT", path, [("acl", "")], {"x-amz-acl": call.value})
            assert reply.ok, reply

        def look(call):
            anonymous.request("GET", path)
            reply = anonymous.getresponse()
            reply.read()
            assert reply.status in (200, 403), reply.status
            call.result = "public-read" if reply.status == 200 else "private"

        if self.random.random() < 0.4:
            self.timed(register, Call("put", 0, 0, value=self.random.choice(("public-read", "private"))), change)
        else:
            self.timed(register, Call("read", 0, 0), look)


# ---- rounds


class Run:
    def __init__(self, seed, kills, folder):
        self.seed, self.kills, self.folder = seed, kills, folder
        self.directory = folder / "store"
        self.log = folder / "server.log"
        self.random = random.Random(seed)
        self.rounds = self.requests = self.registers = self.open = self.killed = 0
        self.problems = []

    def start(self):
        return s3.Server(s3.program(release=True), self.directory, self.log).wait_ready()

    def prepare(self, server):
        with server.connect() as connection:
            for bucket in BUCKETS:
                assert connection.request("PUT", f"/{bucket}").ok
            reply = connection.request("PUT", "/hist", [("versioning", "")], None,
                                       b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")  # fmt: skip
            assert reply.ok, reply

    def round(self, server):
        number = self.rounds
        calls, lock = {}, threading.Lock()
        with server.connect() as connection:
            assert connection.request("PUT", f"/plain/r{number}/acl", (), {}, b"x").ok
        clients = [Client(n, number, self.seed, server.port, calls, lock) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        if self.kills and number % 3 == 2:
            clients[0].join(self.random.uniform(0.005, 0.04))
            server.kill()
            self.killed += 1
        for client in clients:
            client.join()
        if server.process.poll() is not None:
            server = self.start()
        self.problems += [f"round {number}: {client.problem}" for client in clients if client.problem]
        self.judge(number, server, calls)
        self.rounds += 1
        return server

    def judge(self, number, server, calls):
        with server.connect() as connection:
            for register, history in sorted(calls.items()):
                bucket, key = register
                if bucket != "acl":
                    self.last_look(connection, bucket, key, history)
                self.registers += 1
                self.requests += len(history)
                self.open += sum(call.end == math.inf for call in history)
                verdict = linearizable(history, "private" if bucket == "acl" else None)
                if verdict is not True:
                    what = "no order explains" if verdict is False else "too many orders of"
                    self.problems.append(f"round {number}: {what} {bucket}/{key}:\n" + "\n".join(
                        f"    {call}" for call in sorted(history, key=lambda call: call.start)))  # fmt: skip

    def last_look(self, connection, bucket, key, history):
        """After all: what is there, and in the bucket with versioning everything that was."""
        start = time.monotonic()
        reply = connection.request("GET", f"/{bucket}/{key}")
        history.append(Call("read", start, time.monotonic(), result=reply.etag if reply.ok else None))
        if bucket != "hist":
            return
        listed = [node.findtext("VersionId") for root in connection.list_pages(bucket, [("versions", ""), ("prefix", key)])
                  for node in root if node.tag in ("Version", "DeleteMarker")]  # fmt: skip
        wrong = versions_in_order(history, listed)
        if wrong:
            self.problems.append(f"{bucket}/{key}: {wrong}")


def prove():
    """Histories that can be, and that can not."""
    def read(start, end, result):
        return Call("read", start, end, result=result)

    def put(start, end, value):
        return Call("put", start, end, value=value, result=200)

    def create(start, end, value, result):
        return Call("create", start, end, value=value, result=result)

    def swap(start, end, expected, value, result):
        return Call("swap", start, end, value=value, expected=expected, result=result)

    lost = Call("put", 2, math.inf, value="b", result=UNKNOWN)
    good = [
        [put(0, 3, "a"), read(1, 2, None), read(1, 4, "a")], [create(0, 2, "a", 200), create(1, 3, "b", 412), read(4, 5, "a")],
        [put(0, 1, "a"), swap(2, 5, "a", "b", 200), swap(3, 4, "a", "c", 412), read(6, 7, "b")],
        [put(0, 1, "a"), lost, read(3, 4, "a"), read(5, 6, "b")], [put(0, 1, "a"), lost, read(3, 4, "a"), read(5, 6, "a")],
        [put(0, 1, "a"), Call("delete", 1, 4), read(2, 3, None), read(5, 6, None)],
    ]  # fmt: skip
    bad = [
        [put(0, 1, "a"), put(2, 3, "b"), read(4, 5, "a")], [put(0, 1, "a"), read(2, 3, None)],
        [create(0, 3, "a", 200), create(1, 2, "b", 200)], [put(0, 1, "a"), read(2, 3, "b")],
        [put(0, 1, "a"), swap(2, 5, "a", "b", 200), swap(3, 4, "a", "c", 200)],
        [put(0, 9, "a"), read(1, 2, "a"), read(3, 4, None)], [put(0, 1, "a"), lost, read(3, 4, "b"), read(5, 6, "a")],
        [put(0, 1, "a"), Call("delete", 2, 3), read(4, 5, "a")], [put(0, 1, "a"), swap(2, 3, "b", "c", 404)],
    ]  # fmt: skip
    problems = [f"can be, and was refused: {history}" for history in good if linearizable(history) is not True]
    problems += [f"can not be, and was let through: {history}" for history in bad if linearizable(history) is not False]
    old, new = Call("put", 0, 1, version="1"), Call("put", 2, 3, version="2")
    if versions_in_order([old, new], ["2", "1"]) or not versions_in_order([old, new], ["1", "2"]):
        problems.append("the order of versions")
    if not versions_in_order([old, new], ["2"]):
        problems.append("a version that is missing")
    for problem in problems:
        print(problem)
    print(f"linear: {len(good)} histories that can be, {len(bad) + 2} that can not, {len(problems)} misjudged")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("PAIL_LINEAR_S", 60)))
    parser.add_argument("--seed", default=os.environ.get("PAIL_LINEAR_SEED") or str(random.SystemRandom().randrange(1 << 32)))
    parser.add_argument("--kills", action="store_true")
    parser.add_argument("--prove", action="store_true")
    args = parser.parse_args()
    if args.prove:
        return prove()
    base = pathlib.Path(os.environ.get("PAIL_FAULT_DIR", s3.ROOT / "build/fault"))
    folder = base / f"linear.{os.getpid()}"
    folder.mkdir(parents=True)
    print(f"linear: seed {args.seed}", flush=True)
    run = Run(args.seed, args.kills, folder)
    server = run.start()
    run.prepare(server)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end and not run.problems:
        server = run.round(server)
    server.stop()
    fsck = subprocess.run([s3.program(release=True), "fsck", "--read-data", str(run.directory)], capture_output=True, text=True, check=False)
    if fsck.returncode != 0:
        run.problems.append(f"fsck: {fsck.stdout}{fsck.stderr}")
    for problem in run.problems[:5]:
        print(problem)
    print(f"linear: {run.rounds} rounds, {run.requests} requests on {run.registers} registers, {run.open} without an answer, "
          f"{run.killed} kills, {len(run.problems)} problems")  # fmt: skip
    if run.problems:
        print(f"linear: kept in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if run.problems or run.rounds == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
