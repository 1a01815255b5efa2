# SPDX-License-Identifier: Apache-2.0
"""The table of what is measured in pairs: one row, one operation in one shape on one medium.

The goals' rows come first, so that a run with little time has them; then those shown beside them;
then the rest of the protocol.
"""

from dataclasses import dataclass, field

from .scale import GIB, KIB, MIB

SIZE_NAMES = {KIB: "1k", 16 * KIB: "16k", 256 * KIB: "256k", MIB: "1m", 10 * MIB: "10m",
              256 * MIB: "256m", GIB: "1g"}  # fmt: skip
READ_KEYS = {KIB: 10000, 16 * KIB: 10000, 256 * KIB: 1000, MIB: 300, 10 * MIB: 30}
MANY_KEYS = 100000
# More requests a second than are expected of any server: how many to sign ahead.
WRITE_RATE = {KIB: 50000, 16 * KIB: 30000, 256 * KIB: 6000, MIB: 1500, 10 * MIB: 150}
WRITE_BYTES_MAX = 4 * GIB  # of one leg; a leg that has used its requests ends early
CONNECTIONS = (1, 16, 64, 128, 256, 512)
GOAL_READS = (16, 64, 128, 256)
AGAIN = 128  # connections: of the second quick row of a goal
GOAL_PRESIGNED = (16, 64, 256)
PAYLOADS = ("unsigned", "trailer", "chunks", "chunks-trailer")

GOAL, BESIDE, REST = range(3)
WEIGHTS = {GOAL: 1.0, BESIDE: 0.6, REST: 0.05}  # of the time a bounded run has left


@dataclass
class Row:
    name: str
    command: str
    medium: str
    size: int = KIB
    connections: int = 16
    # What nginx does instead: "static" files, "return" 200, "dav" PUT; or None.
    nginx: str | None = None
    limits: tuple = ()  # of driver/limits.py
    # "stock": filled once, only read. "fresh": empty before every leg. "filled": fresh, then filled.
    store: str = "stock"
    keys: int = 0
    options: list = field(default_factory=list)  # of pail-bench, on S3 servers
    fill_options: list = field(default_factory=list)
    rank: int = REST
    quick: bool = False
    whole: bool = False  # a leg takes all keys, however long that takes
    repeat: int = 0  # a leg is so many requests: too few fit into the time to count by it
    all_cpus: bool = False  # the server may use every processor, that of the client too

    @property
    def cpu_bound(self):
        """Its rate is given by CPU time, so that CPU time can stand in for it."""
        return self.medium == "tmpfs"


def _read(name, command, count, nginx, keys, **more):
    return Row(name, command, "tmpfs", more.pop("size", KIB), count, nginx, keys=keys, **more)


def _write(medium, size, count, **more):
    suffix = more.pop("suffix", medium)
    return Row(f"put-{SIZE_NAMES[size]}-c{count}-{suffix}", "put", medium, size, count,
               more.pop("nginx", "dav"), store="fresh", **more)  # fmt: skip


def _goal_reads(scale):
    """One object, as the goals say: the same for both servers."""
    hot = {"keys": 1, "rank": GOAL}
    for count in GOAL_READS:
        yield _read(f"get-1k-hot-c{count}", "get", count, "static", quick=count in (16, AGAIN), **hot)
    for count in GOAL_PRESIGNED:
        yield _read(f"presigned-1k-hot-c{count}", "get", count, "static", quick=count == 16,
                    options=["--auth=presigned"], **hot)  # fmt: skip
    for count in GOAL_READS:
        yield _read(f"head-1k-hot-c{count}", "head", count, "return", quick=count in (16, AGAIN), **hot)
    yield _read("get-1m-c16", "get", 16, "static", READ_KEYS[MIB], size=MIB, rank=GOAL, quick=True)
    yield _read(f"get-{SIZE_NAMES[scale.big]}-c1", "get", 1, "static", 1, size=scale.big, rank=GOAL,
                quick=True, repeat=5)  # fmt: skip


def _goal_writes():
    goal = {"rank": GOAL, "quick": True}
    yield _write("disk", KIB, 64, limits=("file_fsync_dirsync",), **goal)
    yield _write("disk", KIB, 1, limits=("append_fdatasync",), **goal)
    yield _write("disk", 16 * KIB, 64, **goal)
    yield _write("disk", 256 * KIB, 16, **goal)
    yield _write("disk", 10 * MIB, 1, limits=("md5",), **goal)
    yield _write("tmpfs", 10 * MIB, 1, limits=("md5",), **goal)


def _goal_catalog(scale):
    prefixed = ["--prefixes=1000"]
    goal = {"rank": GOAL, "quick": True}
    for name, options in (("list-random", []), ("list-prefixes", prefixed)):
        yield Row(name, name, "tmpfs", 64, 4, keys=scale.objects, options=options,
                  fill_options=options, **goal)  # fmt: skip
    yield Row("delete-many-disk", "delete-many", "disk", KIB, 1, store="filled", keys=scale.few,
              whole=True, **goal)  # fmt: skip


def _beside(scale):
    """What the goals' rows are to be seen with: wider sets of keys, the CPU's part of writes."""
    beside = {"rank": BESIDE}
    few, wide = READ_KEYS[KIB], MANY_KEYS
    yield _read("get-1k-c16", "get", 16, "static", few, quick=True, **beside)
    yield _read("presigned-1k-c16", "get", 16, "static", few, options=["--auth=presigned"], **beside)
    yield _read("head-1k-c16", "head", 16, "return", few, **beside)
    yield _read("get-1k-wide-c16", "get", 16, "static", wide, **beside)
    yield _read("get-256k-c16", "get", 16, "static", READ_KEYS[256 * KIB], size=256 * KIB, **beside)
    yield _write("tmpfs", KIB, 64, quick=True, **beside)
    yield _write("tmpfs", 16 * KIB, 64, **beside)
    yield _write("tmpfs", 256 * KIB, 16, **beside)
    yield _write("tmpfs", 10 * MIB, 1, limits=("md5",), nginx=None, all_cpus=True,
                 suffix="tmpfs-all-cpus", **beside)  # fmt: skip
    yield Row("delete-c64-disk", "delete", "disk", KIB, 64, limits=("sqlite_delete_64",),
              store="filled", keys=scale.few, whole=True, **beside)  # fmt: skip
    yield Row("mixed-16k-c64-disk", "mixed", "disk", 16 * KIB, 64, store="filled", keys=1000,
              **beside)  # fmt: skip


def _rest(scale):
    for size in (KIB, 16 * KIB, 256 * KIB, MIB, 10 * MIB):
        for count in {10 * MIB: (1, 16), MIB: (1,)}.get(size, CONNECTIONS):
            yield _read(f"get-{SIZE_NAMES[size]}-c{count}", "get", count, "static", READ_KEYS[size],
                        size=size)  # fmt: skip
    for count in (64, 256):
        yield _read(f"presigned-1k-c{count}", "get", count, "static", READ_KEYS[KIB],
                    options=["--auth=presigned"])  # fmt: skip
    for count in CONNECTIONS:
        yield _read(f"head-1k-c{count}", "head", count, "return", READ_KEYS[KIB])
    for medium in ("tmpfs", "disk"):
        for size in (KIB, 16 * KIB, 256 * KIB, 10 * MIB):
            for count in (1, 16) if size == 10 * MIB else CONNECTIONS:
                yield _write(medium, size, count)
    for payload in PAYLOADS:
        for size in (KIB, 256 * KIB):
            yield _write("tmpfs", size, 16, suffix=payload, options=[f"--payload={payload}"])
    yield Row("list-flat", "list", "tmpfs", 64, 4, keys=scale.objects)
    versioned = ["--versions=10"]
    yield Row("list-versions", "list-versions", "tmpfs", 64, 4, keys=max(scale.objects // 10, 200),
              options=versioned, fill_options=versioned)  # fmt: skip
    for medium in ("tmpfs", "disk"):
        yield Row(f"delete-c64-{medium}", "delete", medium, KIB, 64, store="filled", keys=scale.few,
                  whole=True)  # fmt: skip
        yield Row(f"delete-many-{medium}", "delete-many", medium, KIB, 1, store="filled",
                  keys=scale.few, whole=True)  # fmt: skip
        yield Row(f"copy-c16-{medium}", "copy", medium, KIB, 16, store="filled", keys=1000)
        yield Row(f"mixed-16k-c64-{medium}", "mixed", medium, 16 * KIB, 64, store="filled", keys=1000)


def table(scale):
    rows = {}
    for row in (*_goal_reads(scale), *_goal_writes(), *_goal_catalog(scale), *_beside(scale),
                *_rest(scale)):  # fmt: skip
        rows.setdefault(row.name, row)
    if scale.name != "quick":
        return list(rows.values())
    # Every goal has its first row before any has its second.
    return sorted((row for row in rows.values() if row.quick),
                  key=lambda row: (row.rank, row.connections == AGAIN))  # fmt: skip
