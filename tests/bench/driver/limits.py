# SPDX-License-Identifier: Apache-2.0
"""What this processor and this disk can do at best, measured as one side of a pair: on the server's
processor, under the same weather as the server it is compared with.

A leg has the shape of a leg of pail-bench; its rate is in answers of the row it stands beside.
"""

import shutil
import sqlite3
import time

from .servers import Server

SQLITE_ROWS = 100000
SQLITE_BATCH = 64
NAMES = ("md5", "append_fdatasync", "file_fsync_dirsync", "sqlite_delete_64")


class Limits:
    def __init__(self, machine, client):
        self.machine = machine
        self.client = client

    def measure(self, name, seconds, medium="disk", options=()):
        """Figures of one limit (of all with None)."""
        folder = self.machine.folder(medium, "limit")
        try:
            if name == "sqlite_delete_64":
                return {name: _sqlite_deletes(folder, seconds)}
            only = [f"--only={name}"] if name else []
            return self.client.figures(Server(), "limits", f"--directory={folder}", *only, *options,
                                       seconds=seconds, cpus=self.machine.server_cpus)  # fmt: skip
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def leg(self, name, row, seconds):
        figures = self.measure(name, seconds)
        leg = {"per_s": figures[name], "seconds": seconds, "server_cpu_us": None}
        if name == "md5":
            leg["per_s"] *= 1e9 / row.size
            leg["server_cpu_us"] = row.size / figures["md5_cpu"] / 1000
            leg["mb_per_s"] = figures[name] * 1000
        return leg


def _sqlite_deletes(folder, seconds):
    """Deletes a second, 64 to a transaction, each transaction synced."""
    db = sqlite3.connect(folder / "sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
    keys = [(f"{n * 2654435761 & 0xffffffff:08x}",) for n in range(SQLITE_ROWS)]
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES (?1, zeroblob(60))", keys)
    db.execute("COMMIT")
    start, done = time.monotonic(), 0
    while time.monotonic() - start < seconds and done < SQLITE_ROWS:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM t WHERE k = ?1", keys[done : done + SQLITE_BATCH])
        db.execute("COMMIT")
        done += SQLITE_BATCH
    rate = done / (time.monotonic() - start)
    db.close()
    return rate

