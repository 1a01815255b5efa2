#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk, again and again: writes are refused, nothing is harmed, deletes work, it recovers.

    full.py [--cycles N] [--seed S]

On a tmpfs of 64 MiB (root mounts it; otherwise the lane is skipped by name). One cycle:

1. fill with objects, small ones in some cycles and large ones in others, until writes are refused
   with 5xx; in every second cycle another file then takes what is left, to the last byte;
   every fourth cycle begins with a new store, whose catalog has no room inside;
2. reads, listings and what was refused: the old state or the new one, never less;
3. deletes work, one by one and many at once;
4. the other file goes, and within RECOVERY_S a write of each kind works again;
5. kill -9 or an orderly stop, `pail fsck --read-data` is clean, start again, all of it is there.

PAIL_FULL_CYCLES, PAIL_FULL_SEED   the same as the options
PAIL_PROGRAM                       the program (default build/dev/pail)
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import model
import s3

DISK_BYTES = 64 * 1024 * 1024
SMALL = (0, 60 * 1024)
LARGE = (66 * 1024, 1024 * 1024)
REFUSALS = 4  # in a row: it is full
RECOVERY_S = 10
MARK = "x-amz-meta-mark"
EXIT_SKIP = 77


class Problem(Exception):
    pass


class Disk:
    """A small tmpfs of our own."""

    def __init__(self, folder):
        self.path = folder / "disk"
        self.path.mkdir()
        self.mounted = False

    def mount(self):
        """None, or why not."""
        if os.geteuid() != 0:
            return "not root: no tmpfs can be mounted"
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "pail-full",
                              str(self.path)], capture_output=True, text=True)  # fmt: skip
        if run.returncode != 0:
            return f"mount: {run.stderr.strip()}"
        self.mounted = True
        return None

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=False)

    def free(self):
        about = os.statvfs(self.path)
        return about.f_bavail * about.f_frsize

    @property
    def ballast(self):
        return self.path / "ballast"

    def take_all(self):
        with open(self.ballast, "wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                block = b"\0" * size
                try:
                    while True:
                        if file.write(block) < size:
                            break
                except OSError:
                    pass

    def give_back(self):
        self.ballast.unlink(missing_ok=True)


class Lane:
    def __init__(self, folder, seed, disk):
        self.seed = seed
        self.random = random.Random(seed)
        self.disk = disk
        self.program = s3.program()
        self.directory = disk.path / "store"
        self.log = folder / "server.log"
        self.objects = {}  # key -> State
        self.number = 0
        self.cycle = 0
        self.stored = self.refused = self.deleted = 0
        self.recovery_s = 0.0
        self.server = None
        self.connection = None

    # ---- server

    def start(self):
        self.server = s3.Server(self.program, self.directory, self.log).wait_ready()
        self.connection = self.server.connect()

    def ask(self, *arguments, **options):
        """One request; a connection that a refusal ended is made anew."""
        try:
            return self.connection.request(*arguments, **options)
        except s3.Broken as broken:
            if self.server.process.poll() is not None:
                raise Problem(f"pail ended with {self.server.process.returncode}:\n"
                              f"{self.server.words()[-4000:]}") from None  # fmt: skip
            self.connection.close()
            self.connection = self.server.connect()
            return s3.Reply(599, {}, str(broken).encode())

    # ---- objects

    def put(self, key, size):
        """True: stored. False: refused with 5xx."""
        self.number += 1
        label = f"{self.seed:x}.{self.cycle}.{self.number}"
        data = model.content(label, size)
        reply = self.ask("PUT", f"/full/{key}", (), {MARK: label}, data)
        if reply.ok:
            self.objects[key] = model.state_of(label, size, data)
            self.stored += 1
            return True
        if reply.status < 500 or (reply.status != 599 and reply.code is None):
            raise Problem(f"PUT {key} ({size} bytes) on a full disk: {reply}")
        self.refused += 1
        return False

    def fill(self, sizes):
        """Until nothing goes in any more; some writes replace what is there."""
        in_a_row = n = 0
        while in_a_row < REFUSALS:
            n += 1
            key = f"{self.cycle}/{n}"
            if self.objects and self.random.random() < 0.1:
                key = self.random.choice(sorted(self.objects))
            in_a_row = 0 if self.put(key, self.random.randint(*sizes)) else in_a_row + 1
            if n > 20000:
                raise Problem(f"{n} objects and the disk is not full: {self.disk.free()} bytes free")

    def check(self, when, sample):
        listing = self.connection.list_objects("full")
        expected = {key: (state.etag, state.size) for key, state in self.objects.items()}
        if listing != expected:
            wrong = [key for key in {*listing, *expected} if listing.get(key) != expected.get(key)]
            raise Problem(f"{when}: {len(wrong)} keys differ, as {wrong[0]}: "
                          f"{listing.get(wrong[0])}, not {expected.get(wrong[0])}")  # fmt: skip
        for key in self.random.sample(sorted(self.objects), min(sample, len(self.objects))):
            reply = self.ask("GET", f"/full/{key}")
            if reply.status != 200 or reply.body != self.objects[key].body():
                raise Problem(f"{when}: {key} has other bytes: {reply}")

    def delete_one(self, key):
        reply = self.ask("DELETE", f"/full/{key}")
        if reply.status != 204:
            raise Problem(f"DELETE {key} with {self.disk.free()} bytes free: {reply}")
        del self.objects[key]
        self.deleted += 1

    def delete_some(self):
        """Three quarters of all, the first few one by one."""
        keys = sorted(self.objects)
        self.random.shuffle(keys)
        keys = keys[: len(keys) * 3 // 4]
        for key in keys[:5]:
            self.delete_one(key)
        for at in range(5, len(keys), 500):
            part = keys[at : at + 500]
            reply = self.connection.delete_objects("full", [(key, None) for key in part])
            if not reply.ok or b"<Error>" in reply.body:
                raise Problem(f"DeleteObjects with {self.disk.free()} bytes free: {reply}")
            for key in part:
                del self.objects[key]
            self.deleted += len(part)

    def recover(self):
        begun = time.monotonic()
        for key, size in (("back/small", 1000), ("back/large", 200 * 1024)):
            while not self.put(key, size):
                if time.monotonic() - begun > RECOVERY_S:
                    raise Problem(f"{RECOVERY_S} s after deletes {key} is still refused "
                                  f"({self.disk.free()} bytes free)")  # fmt: skip
                time.sleep(0.05)
        self.recovery_s = max(self.recovery_s, time.monotonic() - begun)

    # ---- a cycle

    def make_store(self):
        """A new, empty one."""
        if self.server is not None:
            self.connection.close()
            self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.objects = {}
        self.start()
        reply = self.ask("PUT", "/full")
        assert reply.ok, reply

    def one_cycle(self):
        turn = self.cycle % 4
        if turn == 0:
            self.make_store()
        self.fill(LARGE if turn in (1, 2) else SMALL)
        if turn in (0, 2):
            self.disk.take_all()
            for size in (10, 50000, 200000):
                key = self.random.choice(sorted(self.objects))
                # With the last byte gone even a small one may be refused, or still find room.
                self.put(key, size)
        self.check("full", sample=20)
        self.delete_some()
        self.check("full, after deletes", sample=5)
        self.disk.give_back()
        self.recover()
        self.restart(kill=self.random.random() < 0.5)
        self.check("started again", sample=20)
        self.cycle += 1

    def restart(self, kill):
        self.connection.close()
        if kill:
            self.server.kill()
        else:
            self.server.stop()
        words = self.server.words()
        if "Sanitizer" in words or "runtime error" in words:
            raise Problem(f"a sanitizer reported:\n{words[-4000:]}")
        clean, _, text = s3.fsck(self.program, self.directory)
        if not clean:
            raise Problem(f"fsck: {text[:4000]}")
        self.start()

    def run(self, cycles):
        while self.cycle < cycles:
            self.one_cycle()
        self.connection.close()
        self.server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=int(os.environ.get("PAIL_FULL_CYCLES", 20)))
    parser.add_argument("--seed", type=int, default=os.environ.get("PAIL_FULL_SEED"))
    options = parser.parse_args()
    seed = int(options.seed) if options.seed is not None else random.SystemRandom().randrange(1 << 32)

    folder = pathlib.Path(os.environ.get("PAIL_FAULT_DIR", s3.ROOT / "build" / "fault"))
    folder = folder / f"full-{os.getpid()}"
    folder.mkdir(parents=True)
    disk = Disk(folder)
    lane = Lane(folder, seed, disk)
    print(f"full: seed {seed}", flush=True)
    status = 0
    try:
        why = disk.mount()
        if why is not None:
            print(f"full: skipped, {why}")
            return EXIT_SKIP
        lane.run(options.cycles)
    except (Problem, AssertionError, s3.Broken) as problem:
        print(f"full: cycle {lane.cycle}: {problem}")
        print(f"full: again: PAIL_FULL_SEED={seed} PAIL_FULL_CYCLES={lane.cycle + 1}")
        status = 1
    finally:
        if lane.server is not None and lane.server.process.poll() is None:
            lane.server.kill()
        disk.unmount()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"full: {lane.cycle} cycles, {lane.stored} stored, {lane.refused} refused, "
          f"{lane.deleted} deleted, at most {lane.recovery_s:.1f} s to recover")  # fmt: skip
    return status


if __name__ == "__main__":
    sys.exit(main())
