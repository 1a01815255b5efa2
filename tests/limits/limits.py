#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory, idleness and fairness of the optimised program, against the bars.

    limits.py [--short] [bar...]       bars: start idle upload download busy buffered
                                       readers progress

Each is measured on a server of its own with a new store. Prints one row per bar: what was measured,
the limit, and "pass" or "short". Exits 1 when a bar is short, 2 when it could not be measured.

PAIL_LIMITS_SHORT=1    as --short: 256 MiB, 5 idle seconds, fewer connections, for every change;
                       the bars are the same
PAIL_LIMITS_DIR        where to work (default build/limits)
PAIL_RELEASE_PROGRAM   the program (default build/release/pail)
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fault import s3  # noqa: E402
from tools.proc import rss_mib, status, switches, written  # noqa: E402

MIB = 1024 * 1024

IDLE_RSS_MIB = 10
TRANSFER_RSS_MIB = 24
BUSY_RSS_MIB = 32
BUSY_CONNECTIONS = 256
BUFFERED_BODIES = 600
BUFFERED_MIB = 64
SWEEP_S = 60  # how long removed bodies may lie
SLOW_BYTES_S = 4096
LEVELS = (1, 16, 64, 128, 256, 512, 1024)
SHORT_LEVELS = (1, 128, 512)
ATTEMPTS = 3
STARTS = 20
SETTLE_S = 5  # after the last request, before the idle window
FIRST_LOOK_S = 65
OBJECT_SIZES = (100, 1024, 16 * 1024)
OBJECTS = 48
BLOCK = 1 * MIB


class Table:
    def __init__(self):
        self.rows = []

    def add(self, bar, measured, limit, good):
        result = "-" if good is None else "pass" if good else "short"
        self.rows.append((bar, measured, limit, result))
        print(f"{result:<6}{bar:<44}{measured}  [{limit}]", flush=True)

    @property
    def good(self):
        return all(row[3] != "short" for row in self.rows)


def occupied(directory):
    """Bytes of disk under bodies, not of the catalog and its log."""
    return sum(path.stat().st_blocks * 512 for folder in ("packs", "blobs")
               for path in pathlib.Path(directory, folder).rglob("*") if path.is_file())  # fmt: skip


# ---- a server and its load ------------------------------------------------------------------------


class Bench:
    def __init__(self, folder, short):
        self.folder = folder
        self.short = short
        self.program = os.environ.get("PAIL_RELEASE_PROGRAM", str(s3.ROOT / "build/release/pail"))
        self.transfer_bytes = 256 * MIB if short else 1024 * MIB
        self.idle_s = 5 if short else 60
        self.levels = SHORT_LEVELS if short else LEVELS
        self.level_s = 2 if short else 5
        self.number = 0
        self.table = Table()

    def server(self, directory=None):
        self.number += 1
        directory = directory or self.folder / f"store-{self.number}"
        server = s3.Server(self.program, directory, self.folder / f"server-{self.number}.log")
        server.directory = directory
        return server

    def load(self, server, connections, seconds):
        """Mixed GET and PUT on so many connections; the client's report."""
        requests = self.folder / "requests"
        requests.write_bytes(self.requests(server))
        run = subprocess.run([str(self.folder / "load"), str(server.port), str(connections), str(seconds),
                              str(requests)], capture_output=True, timeout=seconds + 60)  # fmt: skip
        if run.returncode != 0:
            raise RuntimeError(f"load: {run.stdout.decode()}{run.stderr.decode()}")
        return json.loads(run.stdout)

    def requests(self, server):
        """Signed requests ready to be sent: each object is read, and another key written."""
        signer = s3.Signer(f"127.0.0.1:{server.port}")
        out = []
        for n in range(OBJECTS):
            data = self.data(n)
            writes = signer.head("PUT", f"/limits/w{n}", [], {}, hashlib.sha256(data).hexdigest(), len(data))
            reads = signer.head("GET", f"/limits/r{n}", [], {}, s3.EMPTY_SHA256, 0)
            for request in (reads, writes + data):
                out += [b"%d\n" % len(request), request]
        return b"".join(out)

    @staticmethod
    def data(n):
        return hashlib.shake_128(b"%d" % n).digest(OBJECT_SIZES[n % len(OBJECT_SIZES)])

    def fill(self, server):
        with server.connect() as connection:
            assert connection.request("PUT", "/limits").ok
            for n in range(OBJECTS):
                assert connection.request("PUT", f"/limits/r{n}", (), None, self.data(n)).ok

    # ---- bars

    def start(self):
        """Start to ready, and to the first answered request; reported only."""
        ready, answered = [], []
        for _ in range(5 if self.short else STARTS):
            begun = time.monotonic()
            server = self.server().wait_ready()
            ready.append(1000 * (time.monotonic() - begun))
            with server.connect() as connection:
                assert connection.request("GET", "/").ok
            answered.append(1000 * (time.monotonic() - begun))
            server.stop()
        self.table.add("start to ready, empty store", f"{statistics.median(ready):.1f} ms median, "
                       f"{max(ready):.1f} most", "10 ms (reported)", None)  # fmt: skip
        self.table.add("start to first answer, empty store", f"{statistics.median(answered):.1f} ms median",
                       "reported", None)  # fmt: skip

    def idle(self):
        """A store that was used, and is left alone."""
        server = self.server().wait_ready()
        begun = time.monotonic()
        time.sleep(1 if self.short else 10)
        rss = rss_mib(server.process.pid)
        own = int(status(server.process.pid)["RssAnon"]) / 1024
        self.table.add("idle memory (RSS), new store", f"{rss:.1f} MiB ({own:.1f} MiB anonymous)",
                       f"{IDLE_RSS_MIB} MiB", rss <= IDLE_RSS_MIB)  # fmt: skip

        self.fill(server)
        time.sleep(SETTLE_S)
        pid = server.process.pid
        if not self.short:
            # A minute after its start the store looks over its files, once.
            switches_before = switches(pid)
            time.sleep(max(0, begun + FIRST_LOOK_S - time.monotonic()))
            self.table.add(f"wake-ups until {FIRST_LOOK_S} s after the start",
                           str(switches(pid) - switches_before), "reported", None)  # fmt: skip
        bytes_before, calls_before, disk_before = written(pid)
        switches_before = switches(pid)
        time.sleep(self.idle_s)
        woken = switches(pid) - switches_before
        bytes_after, calls_after, disk_after = written(pid)
        window = f"{self.idle_s} s idle"
        self.table.add(f"write calls in {window}", str(calls_after - calls_before), "0",
                       calls_after == calls_before)  # fmt: skip
        self.table.add(f"bytes written in {window}",
                       f"{bytes_after - bytes_before}, to the disk {disk_after - disk_before}", "0",
                       bytes_after == bytes_before and disk_after == disk_before)  # fmt: skip
        self.table.add(f"wake-ups in {window}", str(woken), "0", woken == 0)
        server.stop()

    def send(self, server, path, headers, blocks, length):
        """A body from a generator of blocks, so that the client stays small as well."""
        with server.connect(timeout_s=300) as connection:
            head = connection.signer.head("PUT", path, [], headers, headers.pop("payload", s3.UNSIGNED), length)
            connection.socket.sendall(head)
            for block in blocks:
                connection.socket.sendall(block)
            reply = connection._reply("PUT")
            assert reply.ok, reply

    def upload(self):
        size = self.transfer_bytes
        text = f"{size // MIB} MiB"
        block = os.urandom(BLOCK)

        server = self.server().wait_ready()
        self.fill(server)
        before = rss_mib(server.process.pid)
        begun = time.monotonic()
        self.send(server, "/limits/large", {}, (block for _ in range(size // BLOCK)), size)
        rate = size / MIB / (time.monotonic() - begun)
        peak = rss_mib(server.process.pid, "VmHWM")
        self.table.add(f"peak memory, upload of {text}", f"{peak:.1f} MiB (before {before:.1f}; {rate:.0f} MiB/s)",
                       f"{TRANSFER_RSS_MIB} MiB", peak <= TRANSFER_RSS_MIB)  # fmt: skip
        server.stop()

        # The form that today's SDKs send.
        server = self.server().wait_ready()
        self.fill(server)
        frame = b"%x\r\n" % BLOCK + block + b"\r\n"
        end = b"0\r\nx-amz-checksum-crc32: " + self.crc32(block, size // BLOCK) + b"\r\n\r\n"
        blocks = ([frame] * (size // BLOCK)) + [end]
        headers = {"payload": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32",
                   "content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(size)}  # fmt: skip
        self.send(server, "/limits/large", headers, blocks, sum(len(piece) for piece in blocks))
        peak = rss_mib(server.process.pid, "VmHWM")
        self.table.add(f"peak memory, aws-chunked upload of {text}", f"{peak:.1f} MiB",
                       f"{TRANSFER_RSS_MIB} MiB", peak <= TRANSFER_RSS_MIB)  # fmt: skip
        server.stop()

    @staticmethod
    def crc32(block, count):
        import base64
        import zlib

        value = 0
        for _ in range(count):
            value = zlib.crc32(block, value)
        return base64.b64encode(value.to_bytes(4, "big"))

    def download(self):
        size = self.transfer_bytes
        block = os.urandom(BLOCK)
        server = self.server().wait_ready()
        self.fill(server)
        self.send(server, "/limits/large", {}, (block for _ in range(size // BLOCK)), size)
        directory = server.directory
        server.stop()

        server = self.server(directory).wait_ready()
        begun = time.monotonic()
        with server.connect(timeout_s=300) as connection:
            connection.socket.sendall(connection.signer.head("GET", "/limits/large", [], {}, s3.EMPTY_SHA256, 0))
            got = 0
            wrong = False
            expected = memoryview(block + block)
            buffer = bytearray(BLOCK)
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection._more()
            assert head.startswith(b"HTTP/1.1 200"), head[:200]
            rest = head.partition(b"\r\n\r\n")[2]
            wrong |= bytes(expected[: len(rest)]) != rest
            got = len(rest)
            while got < size:
                count = connection.socket.recv_into(buffer)
                assert count > 0, f"the connection ended after {got} bytes"
                at = got % BLOCK
                wrong |= expected[at : at + count] != memoryview(buffer)[:count]
                got += count
        assert got == size and not wrong, f"{got} bytes, wrong: {wrong}"
        rate = size / MIB / (time.monotonic() - begun)
        peak = rss_mib(server.process.pid, "VmHWM")
        self.table.add(f"peak memory, download of {size // MIB} MiB", f"{peak:.1f} MiB ({rate:.0f} MiB/s)",
                       f"{TRANSFER_RSS_MIB} MiB", peak <= TRANSFER_RSS_MIB)  # fmt: skip
        server.stop()

    def busy(self):
        server = self.server().wait_ready()
        self.fill(server)
        highest = [0.0]
        stop = threading.Event()

        def sample():
            while not stop.wait(0.05):
                highest[0] = max(highest[0], rss_mib(server.process.pid))

        sampler = threading.Thread(target=sample)
        sampler.start()
        report = self.load(server, BUSY_CONNECTIONS, self.level_s)
        stop.set()
        sampler.join()
        peak = rss_mib(server.process.pid, "VmHWM")
        self.table.add(f"peak memory, {BUSY_CONNECTIONS} busy connections",
                       f"{peak:.1f} MiB ({report['per_second']:.0f} requests/s)",
                       f"{BUSY_RSS_MIB} MiB", peak <= BUSY_RSS_MIB and report["errors"] == 0)  # fmt: skip
        server.stop()

    def buffered(self):
        """Anonymous lists of keys, a megabyte of each has come and none is complete."""
        server = self.server().wait_ready()
        self.fill(server)
        with server.connect() as connection:
            assert connection.request("PUT", "/limits", [("acl", "")], {"x-amz-acl": "public-read-write"}).ok
        before = rss_mib(server.process.pid)
        head = (f"POST /limits?delete HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Content-MD5: {'A' * 22}==\r\nContent-Length: {4 * MIB}\r\n\r\n").encode()  # fmt: skip
        sockets = []
        for _ in range(BUFFERED_BODIES):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            client.sendall(head + b" " * MIB)
            sockets.append(client)
        with server.connect() as connection:
            assert connection.request("GET", "/limits").ok
        peak = rss_mib(server.process.pid, "VmHWM")
        self.table.add(f"memory, {BUFFERED_BODIES} bodies of 1 MiB held", f"{peak - before:.1f} MiB more",
                       f"{BUFFERED_MIB} MiB", peak - before <= BUFFERED_MIB)  # fmt: skip
        for client in sockets:
            client.close()
        server.stop()

    def readers(self):
        """Slow readers of removed objects: others' space comes back, and their own bytes are right to the end."""
        server = self.server().wait_ready()
        self.fill(server)
        size = 3 * MIB
        bodies = [os.urandom(size) for _ in range(4)]
        slow = []
        with server.connect() as connection:
            for number, body in enumerate(bodies):
                assert connection.request("PUT", f"/limits/slow{number}", (), None, body).ok
        for number in range(len(bodies)):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            signer = s3.Signer(f"127.0.0.1:{server.port}")
            client.sendall(signer.head("GET", f"/limits/slow{number}", [], {}, s3.EMPTY_SHA256, 0))
            slow.append([client, client.recv(SLOW_BYTES_S)])
        with server.connect() as connection:
            for number in range(len(bodies)):
                assert connection.request("DELETE", f"/limits/slow{number}").ok
            for _ in range(40):
                assert connection.request("PUT", "/limits/churn", (), None, os.urandom(MIB)).ok
            assert connection.request("DELETE", "/limits/churn").ok
        most = occupied(server.directory)
        until = time.monotonic() + SWEEP_S + 10
        while time.monotonic() < until:
            time.sleep(1)
            for reader in slow:
                reader[1] += reader[0].recv(SLOW_BYTES_S)
        left = occupied(server.directory)
        self.table.add(f"disk, {len(bodies)} slow readers of {size // MIB} MiB",
                       f"{left / MIB:.1f} MiB; {most / MIB:.1f} before {SWEEP_S} s", f"{len(bodies) * size // MIB + 2} MiB",
                       left <= (len(bodies) * size // MIB + 2) * MIB)  # fmt: skip
        wrong = 0
        for (client, got), body in zip(slow, bodies, strict=True):
            client.settimeout(60)
            while len(got.partition(b"\r\n\r\n")[2]) < size and (more := client.recv(BLOCK)):
                got += more
            wrong += got.partition(b"\r\n\r\n")[2] != body
            client.close()
        self.table.add("slow readers with a wrong byte", str(wrong), "0", wrong == 0)
        server.stop()

    def progress(self):
        """Every connection completes something in every second."""
        for connections in self.levels:
            server = self.server().wait_ready()
            self.fill(server)
            # A disk that pauses for a second stalls everybody once; a loop that stalls does it always.
            for attempt in range(1, ATTEMPTS + 1):
                report = self.load(server, connections, self.level_s)
                good = report["stalled_windows"] == 0 and report["errors"] == 0
                if good or report["errors"] > 0:
                    break
            again = f", attempt {attempt}" if attempt > 1 else ""
            self.table.add(f"{connections} connections, {self.level_s} s of GET and PUT{again}",
                           f"{report['stalled_connections']} stalled, {report['errors']} errors, "
                           f"least {report['least_per_window']}/s, {report['per_second']:.0f}/s in all, "
                           f"p99 {report['p99_ms']:.0f} ms, max {report['max_ms']:.0f} ms",
                           "0 stalled, 0 errors", good)  # fmt: skip
            server.stop()


BARS = ("start", "idle", "upload", "download", "busy", "buffered", "readers", "progress")


def build_load(folder):
    """The client, with whatever compiler there is."""
    compiler = os.environ.get("CC") or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        return "no C compiler for load.c"
    run = subprocess.run([*compiler.split(), "-O2", "-D_GNU_SOURCE", "-o", str(folder / "load"), str(HERE / "load.c")],
                         capture_output=True, text=True)  # fmt: skip
    return None if run.returncode == 0 else f"load.c does not compile:\n{run.stderr}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true", default=os.environ.get("PAIL_LIMITS_SHORT") == "1")
    parser.add_argument("bars", nargs="*", metavar="bar")
    options = parser.parse_args()
    unknown = set(options.bars) - set(BARS)
    if unknown:
        parser.error(f"no such bar: {', '.join(sorted(unknown))}")

    folder = pathlib.Path(os.environ.get("PAIL_LIMITS_DIR", s3.ROOT / "build" / "limits")) / str(os.getpid())
    folder.mkdir(parents=True)
    bench = Bench(folder, options.short)
    try:
        problem = build_load(folder)
        if problem is None and not pathlib.Path(bench.program).exists():
            problem = f"{bench.program} is not there: ./dev build release"
        if problem is not None:
            print(f"limits: {problem}")
            return 2
        for bar in BARS:
            if not options.bars or bar in options.bars:
                getattr(bench, bar)()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if bench.table.good else 1


if __name__ == "__main__":
    sys.exit(main())
