# SPDX-License-Identifier: Apache-2.0
"""What is measured without a pair: limits of the machine, start, memory, bytes on disk, dedup,
multipart, and whether what was acknowledged survives kill -9.

Every function returns figures {name: value}; a name says its unit. Each has a name of its own for
--rows.
"""

import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time

from . import machine as machines
from .client import BenchError
from .rows import GIB, KIB, MIB
from .servers import Pail, Server

SQLITE_ROWS = 100000
SQLITE_BATCH = 64


class System:
    def __init__(self, program, machine, client, quick, objects):
        self.program = program
        self.machine = machine
        self.client = client
        self.quick = quick
        self.objects = objects

    def parts(self):
        return {"limits": self.limits, "start": self.start, "memory": self.memory,
                "disk-bytes": self.disk_bytes, "dedup": self.dedup, "multipart": self.multipart,
                "survival": self.survival, "two-cores": self.two_cores}  # fmt: skip

    def _pail(self, medium, name, **arguments):
        arguments.setdefault("cpus", self.machine.server_cpus)
        return Pail(self.program, self.machine.folder(medium, name), **arguments)

    @staticmethod
    def _forget(server):
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)

    # ---- limits ----------------------------------------------------------------------------------

    def _sqlite_deletes(self, folder):
        """Deletes a second, 64 to a transaction, each transaction synced."""
        db = sqlite3.connect(folder / "sqlite", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
        keys = [f"{n * 2654435761 & 0xffffffff:08x}" for n in range(SQLITE_ROWS)]
        db.execute("BEGIN")
        db.executemany("INSERT INTO t VALUES (?1, ?2)", ((key, b"\0" * 60) for key in keys))
        db.execute("COMMIT")
        start, done = time.monotonic(), 0
        while time.monotonic() - start < (0.3 if self.quick else 2) and done < SQLITE_ROWS:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM t WHERE k = ?1",
                           ((key,) for key in keys[done:done + SQLITE_BATCH]))  # fmt: skip
            db.execute("COMMIT")
            done += SQLITE_BATCH
        rate = done / (time.monotonic() - start)
        db.close()
        return rate

    def limits(self):
        folder = self.machine.folder("disk", "limits")
        figures = self.client.figures(Server(), "limits", f"--directory={folder}",
                                      seconds=0.2 if self.quick else 2)  # fmt: skip
        figures["sqlite_delete_64"] = self._sqlite_deletes(folder)
        shutil.rmtree(folder, ignore_errors=True)
        return {f"limit_{name}": value for name, value in figures.items()}

    # ---- start -----------------------------------------------------------------------------------

    def _start_ms(self, server, times, kill=False):
        """Median of some starts of a stopped pail over its folder."""
        port = machines.free_port()
        server.endpoint = f"http://127.0.0.1:{port}"
        options = ["--kill"] if kill else []
        return statistics.median(
            self.client.figures(server, "start", *options, "--", *server.command(port))
            ["start_to_ready"] for _ in range(times))  # fmt: skip

    def start(self):
        times = 5 if self.quick else 20
        figures = {}
        server = self._pail("disk", "start")
        server.stop()
        figures["start_empty_ms"] = self._start_ms(server, times)
        server.start()
        self.client.fill(server, self.objects, 64, connections=64)
        server.stop()
        figures["start_objects"] = self.objects
        figures["start_filled_ms"] = self._start_ms(server, times)
        server.start()
        self.client.run(server, "put", f"--first={self.objects}", "--connections=64", seconds=1)
        server.stop(signal.SIGKILL)
        # The first start after the kill is the one that recovers.
        figures["start_after_kill_ms"] = self._start_ms(server, 1)
        self._forget(server)
        return figures

    # ---- memory ----------------------------------------------------------------------------------

    @staticmethod
    def _status_kib(server, field):
        for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        return 0

    def memory(self):
        """With the threads pail takes by itself."""
        figures = {}
        seconds = 1 if self.quick else 10
        big = 256 * MIB if self.quick else GIB
        server = self._pail("tmpfs", "memory", cpus=self.machine.cpus)
        time.sleep(seconds)
        figures["rss_idle_mib"] = self._status_kib(server, "VmRSS") / 1024
        self.client.fill(server, 1000, KIB)
        line = self.client.run(server, "get", "--connections=256", "--rate=256", seconds=1)[0]
        figures["rss_256_idle_mib"] = line["server_rss_kib"] / 1024
        line = self.client.run(server, "get", "--connections=256", seconds=seconds / 2)[0]
        figures["rss_256_busy_get_mib"] = line["server_rss_kib"] / 1024
        line = self.client.run(server, "put", "--connections=256", seconds=seconds / 2)[0]
        figures["rss_256_busy_put_mib"] = line["server_rss_kib"] / 1024
        self._forget(server)

        server = self._pail("tmpfs", "memory-big", cpus=self.machine.cpus)
        figures["big_object_mib"] = big / MIB
        self.client.fill(server, 1, big, connections=1)
        figures["peak_big_put_mib"] = self._status_kib(server, "VmHWM") / 1024
        server.stop()
        server.start()
        self.client.run(server, "get", "--keys=1", f"--size={big}", "--connections=1", "--once",
                        seconds=0)  # fmt: skip
        figures["peak_big_get_mib"] = self._status_kib(server, "VmHWM") / 1024
        self._forget(server)
        return figures

    # ---- bytes on disk ---------------------------------------------------------------------------

    @staticmethod
    def _used(server):
        """Bytes allocated under the store, names of folders included."""
        total = 0
        for path, _, files in os.walk(server.folder / "data"):
            total += sum(os.lstat(os.path.join(path, name)).st_blocks * 512 for name in [*files, "."])
        return total

    def disk_bytes(self):
        """Running: the log of the catalog, whose size does not grow with the objects, counts too."""
        count = 20000 if self.quick else 100000
        figures = {"disk_objects": count}
        for size, name in ((KIB, "1k"), (16 * KIB, "16k")):
            server = self._pail("disk", f"bytes-{name}")
            empty = self._used(server)
            self.client.fill(server, count, size, connections=64)
            figures[f"disk_bytes_per_{name}_running"] = (self._used(server) - empty) / count
            server.stop()
            figures[f"disk_bytes_per_{name}"] = self._used(server) / count
            server.start()
            self.client.run(server, "delete-many", f"--keys={count}", "--connections=1", seconds=0)
            server.stop()
            figures[f"disk_bytes_per_{name}_deleted"] = self._used(server) / count
            self._forget(server)
        return figures

    def dedup(self):
        copies = 10 if self.quick else 100
        server = self._pail("disk", "dedup")
        self.client.fill(server, 1, 10 * MIB, options=["--same"])
        one = self._used(server)
        self.client.fill(server, copies, 10 * MIB, connections=4, options=["--same"])
        self.client.run(server, "get", f"--keys={copies}", f"--size={10 * MIB}", "--same", "--once",
                        "--verify=1", "--connections=1", seconds=0)  # fmt: skip
        figures = {"dedup_copies": copies, "dedup_stored_of_one": self._used(server) / one}
        self._forget(server)
        return figures

    # ---- one large object in parts ---------------------------------------------------------------

    def multipart(self):
        size = 5 * MIB if self.quick else 16 * MIB
        figures = {"multipart_part_mib": size / MIB}
        times = 1 if self.quick else 5
        steps = {}
        for _ in range(times):
            server = self._pail("disk", "multipart")
            for line in self.client.run(server, "multipart", f"--size={size}", "--parts=64",
                                        "--connections=4"):  # fmt: skip
                steps.setdefault(line["operation"], []).append(line)
            self._forget(server)
        for step, name in (("multipart-parts", "put"), ("multipart-get", "get"),
                           ("multipart-ranges", "ranges")):  # fmt: skip
            figures[f"multipart_{name}_mb_per_s"] = statistics.median(
                line["mb_per_s"] for line in steps[step])  # fmt: skip
        figures["multipart_complete_ms"] = statistics.median(
            line["p50_us"] for line in steps["multipart-complete"]) / 1000  # fmt: skip
        return figures

    # ---- after kill -9 ---------------------------------------------------------------------------

    def survival(self):
        """A put is killed in the middle; afterwards every number acknowledged must be there."""
        seconds = 0.7 if self.quick else 5
        server = self._pail("disk", "survival")
        acked = server.folder / "acked"
        self.client.fill(server, 1, 0)
        words = [str(self.client.program), "put", f"--endpoint={server.endpoint}",
                 f"--acked={acked}", "--connections=64", "--requests=500000", "--first=1",
                 f"--seconds={seconds + 5}"]  # fmt: skip
        put = subprocess.Popen(words, env=server.environment(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
        # Signing comes first: count from when the server has work.
        end = time.monotonic() + 60
        before = self._cpu_ticks(server)
        while self._cpu_ticks(server) - before < 10 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(seconds)
        server.stop(signal.SIGKILL)
        put.wait(120)
        server.start()
        count = len(acked.read_text().split())
        try:
            self.client.run(server, "get", f"--acked={acked}", "--verify=1", seconds=0)
            lost = 0
        except BenchError:
            lost = 1
        self._forget(server)
        return {"survival_acknowledged": count, "survival_lost_or_wrong": lost}

    @staticmethod
    def _cpu_ticks(server):
        fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1]
        return sum(int(value) for value in fields.split()[11:13])

    # ---- two cores -------------------------------------------------------------------------------

    def two_cores(self):
        """Needs two processors for the server and two others for the client."""
        if len(self.machine.cpus) < 4:
            return {}
        rates = {}
        for count in (1, 2):
            server = self._pail("tmpfs", f"cores-{count}", cpus=self.machine.cpus[:count])
            self.client.fill(server, 10000, KIB)
            kept, self.machine.client_cpus = self.machine.client_cpus, self.machine.cpus[2:4]
            try:
                for command in ("get", "put"):
                    rates[command, count] = self.client.run(
                        server, command, "--keys=10000", "--threads=2", "--connections=128",
                        "--warmup=1", "--requests=500000",
                        seconds=1 if self.quick else 10)[0]["per_s"]  # fmt: skip
            finally:
                self.machine.client_cpus = kept
            self._forget(server)
        return {f"two_cores_{command}_ratio": rates[command, 2] / rates[command, 1]
                for command in ("get", "put")}  # fmt: skip
