# SPDX-License-Identifier: Apache-2.0
"""Counts of what one operation costs the server: system calls, heap, SQL, wake-ups.

(1) Counts, no clocks: the optimised program, one loop, one connection, one operation after the other.
(2) System calls are those strace sees, by name; its server is another one, because a traced thread
    sleeps and wakes more often.
(3) What the server does by itself in between (a checkpoint) is counted with the operations around
    it, hence fractions. The scrub is off: it goes through the store at its own pace.
"""

import collections
import os
import pathlib
import re
import shutil
import struct
import subprocess
import time

from fault import s3
from tools import proc

HERE = pathlib.Path(__file__).resolve().parent
COUNTERS = ("allocations", "allocated_bytes", "statements", "rows")
SYNCS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync")
IN_MEMORY = b"/memfd:"
QUIET_S = 0.15  # without a new line of strace: it has done what it was asked for
# "1234 fdatasync(5</store/file>" with or without its end, not "1234 <... fdatasync resumed>"
CALL = re.compile(rb"^\d+ +([a-z0-9_]+)\((?:\d+<([^>]*)>)?", re.M)


def compiler():
    named = os.environ.get("CC")
    return named.split() if named else next(([n] for n in ("cc", "gcc", "clang") if shutil.which(n)), None)


def compile_c(source, into, *options):
    done = subprocess.run([*compiler(), "-O2", "-o", str(into), str(HERE / source), *options],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return into


def counters_library(folder):
    return compile_c("counters.c", folder / "counters.so", "-shared", "-fPIC", "-ldl")


def tracer(trace):
    """The words that run a program under strace; the program keeps its own process id."""
    return ["strace", "-D", "-f", "-qq", "-y", "-s", "0", "-e", "signal=none", "-o", str(trace)]


def tracer_problem():
    """Why there is no counting of system calls here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()}"


def calls_of(trace):
    """System calls in the text of a trace, by name; "syncs" are those that wait for a disk."""
    counts = collections.Counter()
    for name, path in CALL.findall(trace):
        counts[name.decode()] += 1
        counts["syscalls"] += 1
        counts["syncs"] += name.decode() in SYNCS and not path.startswith(IN_MEMORY)
    return counts


def read_counters(path):
    return dict(zip(COUNTERS, struct.unpack(f"<{len(COUNTERS)}Q", path.read_bytes()), strict=True))


def counting(library, counters):
    """The environment that makes a program count."""
    return {"LD_PRELOAD": str(library), "COUNTERS_FILE": str(counters)}


class Counted:
    """A server whose costs are counted: its system calls, or with a library what that counts."""

    def __init__(self, folder, library=None):
        program = s3.program(release=True)
        self.counters = folder / "counters"
        self.trace = None if library else folder / "trace"
        self.server = s3.Server(
            [*(tracer(self.trace) if self.trace else []), program], folder / "store", folder / "log",
            "--threads", "1", "--scrub-rate", "0",
            extra_environment=counting(library, self.counters) if library else None)
        self.server.wait_ready()
        self.connection = self.server.connect()
        self.bench = pathlib.Path(program).with_name("pail-bench")

    def close(self):
        self.connection.close()
        self.server.stop()

    def load(self, *words):
        """pail-bench with those words at this server."""
        done = subprocess.run([str(self.bench), *words, f"--endpoint=http://127.0.0.1:{self.server.port}"],
                              env={**os.environ, "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
                                   "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY},
                              capture_output=True, text=True, timeout=120)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def _settle(self):
        """Wait until the server is idle; the size of the trace."""
        size = -1
        while self.trace and size != (size := self.trace.stat().st_size):
            time.sleep(QUIET_S)
        if not self.trace:
            time.sleep(QUIET_S)
        return size

    def _now(self):
        return {**read_counters(self.counters), "wakeups": proc.switches(self.server.process.pid)}

    def count(self, work, times):
        """Counts of one of `times` calls of work(i)."""
        at = self._settle()
        before = {} if self.trace else self._now()
        for i in range(times):
            work(i)
        self._settle()
        if self.trace:
            with self.trace.open("rb") as trace:
                trace.seek(at)
                found = calls_of(trace.read())
        else:
            found = {name: value - before[name] for name, value in self._now().items()}
        return {name: value / times for name, value in found.items()}
