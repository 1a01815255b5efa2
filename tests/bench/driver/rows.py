# SPDX-License-Identifier: Apache-2.0
"""The table of what is measured in pairs: one row, one operation in one shape on one medium."""

from dataclasses import dataclass, field

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

SIZE_NAMES = {KIB: "1k", 16 * KIB: "16k", 256 * KIB: "256k", MIB: "1m", 10 * MIB: "10m", GIB: "1g"}
READ_KEYS = {KIB: 10000, 16 * KIB: 10000, 256 * KIB: 1000, MIB: 300, 10 * MIB: 30, GIB: 1}
# More requests a second than are expected of any server: how many to sign ahead.
WRITE_RATE = {KIB: 50000, 16 * KIB: 30000, 256 * KIB: 6000, MIB: 1500, 10 * MIB: 150}
WRITE_BYTES_MAX = 4 * GIB  # of one leg; a leg that has used its requests ends early
CONNECTIONS = (1, 16, 64, 128, 256, 512)
PAYLOADS = ("unsigned", "trailer", "chunks", "chunks-trailer")


@dataclass
class Row:
    name: str
    command: str
    medium: str
    size: int = KIB
    connections: int = 16
    # What nginx does instead: "static" files, "return" 200, "dav" PUT; or None.
    limit: str | None = None
    # "stock": filled once, only read. "fresh": empty before every leg. "filled": fresh, then filled.
    store: str = "stock"
    keys: int = 0
    options: list = field(default_factory=list)  # of pail-bench, on S3 servers
    fill_options: list = field(default_factory=list)
    entries: int = 1  # of one answer: keys listed, keys deleted
    quick: bool = False
    whole: bool = False  # a leg takes all keys, however long that takes
    repeat: int = 0  # a leg is so many requests: too few fit into the time to count by it


def _reads():
    quick = {("get", KIB, 16), ("get", KIB, 128), ("get", 256 * KIB, 16),
             ("head", KIB, 16)}  # fmt: skip
    for size in (KIB, 16 * KIB, 256 * KIB, MIB, 10 * MIB, GIB):
        counts = {10 * MIB: (1, 16), GIB: (1,), MIB: (1, 16)}.get(size, CONNECTIONS)
        for count in counts:
            yield Row(f"get-{SIZE_NAMES[size]}-c{count}", "get", "tmpfs", size, count, "static",
                      keys=READ_KEYS[size], quick=("get", size, count) in quick,
                      repeat=5 if size == GIB else 0)  # fmt: skip
    for count in (16, 64, 256):
        yield Row(f"presigned-1k-c{count}", "get", "tmpfs", KIB, count, "static",
                  keys=READ_KEYS[KIB], options=["--auth=presigned"], quick=count == 16)  # fmt: skip
    for count in CONNECTIONS:
        yield Row(f"head-1k-c{count}", "head", "tmpfs", KIB, count, "return", keys=READ_KEYS[KIB],
                  quick=("head", KIB, count) in quick)  # fmt: skip


def _writes():
    quick = {("tmpfs", KIB, 64), ("disk", KIB, 1), ("disk", KIB, 64), ("disk", 16 * KIB, 64),
             ("disk", 256 * KIB, 16), ("disk", 10 * MIB, 1)}  # fmt: skip
    for medium in ("tmpfs", "disk"):
        for size in (KIB, 16 * KIB, 256 * KIB, 10 * MIB):
            for count in (1, 16) if size == 10 * MIB else CONNECTIONS:
                yield Row(f"put-{SIZE_NAMES[size]}-c{count}-{medium}", "put", medium, size, count,
                          "dav", "fresh", quick=(medium, size, count) in quick)  # fmt: skip
    for payload in PAYLOADS:
        for size in (KIB, 256 * KIB):
            yield Row(f"put-{SIZE_NAMES[size]}-c16-{payload}", "put", "tmpfs", size, 16, "dav",
                      "fresh", options=[f"--payload={payload}"],
                      quick=payload == "trailer" and size == KIB)  # fmt: skip


def _catalog(objects, few):
    """objects: of the listings. few: of what is deleted and copied."""
    prefixed = ["--prefixes=1000"]
    versioned = ["--versions=10"]
    small = 64
    for name, command, count in (("list-flat", "list", 4), ("list-random", "list-random", 4)):
        yield Row(name, command, "tmpfs", small, count, keys=objects, entries=1000, quick=True)
    yield Row("list-prefixes", "list-prefixes", "tmpfs", small, 4, keys=objects, entries=1000,
              options=prefixed, fill_options=prefixed, quick=True)  # fmt: skip
    yield Row("list-versions", "list-versions", "tmpfs", small, 4, keys=max(objects // 10, 200),
              entries=1000, options=versioned, fill_options=versioned, quick=True)  # fmt: skip
    for medium in ("tmpfs", "disk"):
        yield Row(f"delete-c64-{medium}", "delete", medium, KIB, 64, store="filled", keys=few,
                  whole=True, quick=medium == "disk")  # fmt: skip
        yield Row(f"delete-many-{medium}", "delete-many", medium, KIB, 1, store="filled", keys=few,
                  entries=1000, whole=True, quick=medium == "disk")  # fmt: skip
        yield Row(f"copy-c16-{medium}", "copy", medium, KIB, 16, store="filled", keys=1000,
                  quick=medium == "disk")  # fmt: skip
        yield Row(f"mixed-16k-c64-{medium}", "mixed", medium, 16 * KIB, 64, store="filled",
                  keys=1000, quick=medium == "disk")  # fmt: skip


def table(quick, objects):
    rows = [*_reads(), *_writes(), *_catalog(objects, 5000 if quick else 100000)]
    return [row for row in rows if row.quick or not quick]
