#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bits that turn over in stored bodies, under kill -9: found, never served, mended by uploads.

    rot.py [--cycles N] [--seed S]

One cycle: a new store gets bodies of every placement (inline, packed, files, encrypted, in parts,
copied) while it is killed; what was answered must be there. Then bits of some stored bodies are
turned over in the stopped store, and a server with an eager scrub is started, and killed once more
in the midst of it:

(1) no whole read within the bound gives wrong bytes with 200, and the other bodies are right;
(2) the scrub logs every turned body by its key, and no other; after that no read of one gives
    anything;
(3) uploads of the same bytes mend all that share them, and fsck of all bytes is clean.

PAIL_ROT_CYCLES, PAIL_ROT_SEED   the same as the options.
PAIL_FAULT_DIR                   where to work (default build/fault)
"""

import argparse
import contextlib
import os
import pathlib
import random
import re
import shutil
import sqlite3
import sys
import threading
import time

import model
import s3

SIZES = {"inline": (3_000, 60_000), "pack": (70_000, 400_000), "large": (600_000, 3_000_000), "file": (5 << 20, 6 << 20)}
FILE_READ_BOUND = 512 << 10  # a larger file of its own is sent without a look
SCRUB = ("--scrub-interval", "1s", "--scrub-rate", "500M")
FOUND_TIMEOUT_S = 120
PATTERN = 48


class Body:
    def __init__(self, key, kind, size, encrypted=False):
        self.key, self.kind, self.encrypted = key, kind, encrypted
        self.bytes = model.content(f"{key}-{size}", size)
        self.copies = []  # keys that share the stored bytes

    def headers(self):
        return {"x-amz-server-side-encryption": "AES256"} if self.encrypted else {}

    def keys(self):
        return [self.key, *self.copies]

    def withheld(self):
        """A whole read of wrong bytes must not come to an end."""
        return self.encrypted or self.kind != "file"


class Cycle:
    def __init__(self, run, number):
        self.run, self.number = run, number
        self.random = random.Random(f"{run.seed}/{number}")
        self.directory = run.folder / f"store{number}"
        self.log = run.folder / f"server{number}.log"
        self.bodies = []
        self.turned = []

    def server(self, *options):
        return s3.Server(self.run.program, self.directory, self.log, *options).wait_ready()

    def problem(self, text):
        self.run.problems.append(f"cycle {self.number}: {text}")

    # ---- writing, until a kill

    def put(self, connection, body):
        if not connection.request("PUT", f"/rot/{body.key}", (), body.headers(), body.bytes).ok:
            raise s3.Broken(body.key)
        self.bodies.append(body)
        if self.random.random() < 0.3 and body.kind != "inline":  # those are not shared
            copy = f"{body.key}-copy"
            source = {"x-amz-copy-source": f"/rot/{body.key}", **body.headers()}
            if connection.request("PUT", f"/rot/{copy}", (), source).ok:
                body.copies.append(copy)

    def write(self, port):
        with contextlib.suppress(s3.Broken, OSError), s3.Connection(port) as connection:
            for n in range(200):
                kind = self.random.choice(["inline", "inline", "pack", "pack", "pack", "large", "file"])
                size = self.random.randint(*SIZES[kind])
                self.put(connection, Body(f"{kind}{n}", kind, size, self.random.random() < 0.3))

    def fill(self):
        server = self.server()
        with server.connect() as connection:
            assert connection.request("PUT", "/rot").ok
            for kind, size in SIZES.items():  # each at least once, also encrypted
                self.put(connection, Body(f"{kind}-first", kind, size[1]))
                self.put(connection, Body(f"{kind}-sealed", kind, size[1], True))
        writer = threading.Thread(target=self.write, args=(server.port,))
        writer.start()
        time.sleep(self.random.uniform(0.2, 1.0))
        server.kill()
        writer.join()

    # ---- turning bits over

    def places(self):
        """Where in which file each body's stored bytes are: key -> (path, at, bytes)."""
        found = {}
        with contextlib.closing(sqlite3.connect(self.directory / "catalog.db")) as catalog:
            rows = catalog.execute(
                "SELECT CAST(o.key AS TEXT), o.body_kind, o.body_id, lower(hex(b.hash)), b.scope, b.size, b.pack, b.at,"
                " i.data FROM object o LEFT JOIN blob b ON o.body_kind = 2 AND b.id = o.body_id"
                " LEFT JOIN inline_body i ON o.body_kind = 1 AND i.id = o.body_id").fetchall()  # fmt: skip
        for key, kind, id, name, scope, size, pack, at, data in rows:
            if kind == 1:
                found[key] = ("catalog.db", id, data)
            elif pack:
                found[key] = (f"packs/{pack:08x}", at, size)
            else:
                scope &= (1 << 64) - 1
                found[key] = (f"blobs/{name[:2]}/{name[2:4]}/{name}.{scope:016x}", 0, size)
        return found

    def turn(self):
        places = self.places()
        first = [body for body in self.bodies if "-" in body.key]
        rest = [body for body in self.bodies if "-" not in body.key]
        for body in self.random.sample(first, 4) + self.random.sample(rest, len(rest) // 4):
            if body.key not in places:
                continue
            path, at, size = places[body.key]  # inline: the id and the bytes
            if path == "catalog.db":
                if self.turn_inline(id=at, data=size):
                    self.turned.append(body)
                continue
            self.turn_bit(path, at + self.random.randrange(size))
            self.turned.append(body)

    def turn_bit(self, path, where):
        """Says what undoes it."""
        bit = 1 << self.random.randrange(8)
        with open(self.directory / path, "r+b") as file:
            file.seek(where)
            byte = file.read(1)[0]
            file.seek(where)
            file.write(bytes([byte ^ bit]))
        return byte

    def turn_inline(self, id, data):
        """Pages keep what was in them before: only the row says whether it was the right place."""
        start = self.random.randrange(len(data) - PATTERN)
        database = (self.directory / "catalog.db").read_bytes()
        at = database.find(data[start : start + PATTERN])
        while at >= 0:
            before = self.turn_bit("catalog.db", at)
            with contextlib.closing(sqlite3.connect(self.directory / "catalog.db")) as catalog:
                if catalog.execute("SELECT data FROM inline_body WHERE id = ?", (id,)).fetchone()[0] != data:
                    return True
            with open(self.directory / "catalog.db", "r+b") as file:
                file.seek(at)
                file.write(bytes([before]))
            at = database.find(data[start : start + PATTERN], at + 1)
        return False  # it lies across the end of a page
    # ---- looking

    def read(self, server, key):
        """The bytes, or None where the answer is an error or does not come to its end."""
        try:
            with server.connect() as connection:
                reply = connection.request("GET", f"/rot/{key}")
        except s3.Broken:
            return None
        return reply.body if reply.status == 200 else None

    def look(self, server, turned):
        for body in self.bodies:
            for key in body.keys():
                got = self.read(server, key)
                if body not in turned:
                    if got != body.bytes:
                        self.run.lost += 1
                        self.problem(f"{key} ({body.kind}) is not what was answered")
                elif got is not None and body.withheld():
                    self.run.served_wrong += got != body.bytes
                    self.problem(f"{key} ({body.kind}, encrypted {body.encrypted}) was served whole")

    def logged(self):
        return set(re.findall(r"damaged: bucket=rot key=(\S+) ", self.log.read_text(errors="replace")))

    def await_found(self, server):
        wanted = {key for body in self.turned for key in body.keys()}
        deadline = time.monotonic() + FOUND_TIMEOUT_S
        while not wanted <= self.logged() and time.monotonic() < deadline:
            time.sleep(0.02)
        found = self.logged()
        self.run.found += len(wanted & found)
        if missing := wanted - found:
            self.problem(f"the scrub has not found {sorted(missing)}")
        # A copy may be there though it was not answered so: it shares the body.
        if extra := {key for key in found - wanted if key.removesuffix("-copy") not in wanted}:
            self.problem(f"the scrub has found {sorted(extra)}, which are good")
        for body in self.turned:
            for key in body.keys():
                with server.connect() as connection:
                    reply = connection.request("GET", f"/rot/{key}", (), {"range": "bytes=0-9"})
                if reply.status != 500:
                    self.problem(f"a range of {key}, which is marked, was answered with {reply.status}")

    def mend(self, server):
        """Encrypted and inline bodies are not shared: each key by itself."""
        with server.connect() as connection:
            for body in self.turned:
                shared = not body.encrypted and body.kind != "inline"
                for key in [f"{body.key}-again"] if shared else body.keys():
                    if not connection.request("PUT", f"/rot/{key}", (), body.headers(), body.bytes).ok:
                        self.problem(f"{key} could not be uploaded again")
        self.run.mended += len(self.turned)

    def go(self):
        self.fill()
        clean, _, text = s3.fsck(self.run.program, self.directory)
        if not clean:
            self.problem(f"fsck after the kill: {text[:2000]}")
        self.turn()
        self.run.turned += sum(len(body.keys()) for body in self.turned)
        if self.random.random() < 0.5:  # the scrub itself is cut off
            server = self.server(*SCRUB)
            time.sleep(self.random.uniform(0, 0.1))
            server.kill()
        server = self.server("--scrub-rate", "0")
        self.look(server, self.turned)
        server.kill()
        server = self.server(*SCRUB)
        self.await_found(server)
        self.mend(server)
        self.look(server, [])
        server.stop()
        clean, _, text = s3.fsck(self.run.program, self.directory)
        if clean:
            self.run.clean += 1
        else:
            self.problem(f"fsck at the end: {text[:2000]}")
        words = self.log.read_text(errors="replace")
        if "Sanitizer" in words or "runtime error" in words:
            self.problem(f"a sanitizer reported:\n{words[-4000:]}")
        if not self.run.problems:
            shutil.rmtree(self.directory)


class Run:
    def __init__(self, seed, folder):
        self.seed, self.folder = seed, folder
        self.program = s3.program(release=True)
        self.problems = []
        self.turned = self.found = self.served_wrong = self.mended = self.lost = self.clean = 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=int(os.environ.get("PAIL_ROT_CYCLES", 8)))
    parser.add_argument("--seed", type=int, default=os.environ.get("PAIL_ROT_SEED"))
    options = parser.parse_args()
    seed = int(options.seed) if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    folder = pathlib.Path(os.environ.get("PAIL_FAULT_DIR", s3.ROOT / "build" / "fault")) / f"rot-{os.getpid()}"
    folder.mkdir(parents=True)
    print(f"rot: seed {seed}", flush=True)
    run = Run(seed, folder)
    done = 0
    try:
        while done < options.cycles and not run.problems:
            Cycle(run, done).go()
            done += 1
        print(f"rot: {done} cycles, {run.turned} objects with a turned bit: found {run.found}, served wrong within the "
              f"bound {run.served_wrong}, {run.mended} bodies uploaded again; lost {run.lost}, fsck clean {run.clean}")  # fmt: skip
        for text in run.problems:
            print(f"rot: {text}")
        if run.problems:
            kept = s3.ROOT / "build" / "results" / f"rot-{seed}-{done}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("*.socket"))
            print(f"rot: kept in {kept}; again: PAIL_ROT_SEED={seed} PAIL_ROT_CYCLES={done}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if run.problems or run.turned == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
