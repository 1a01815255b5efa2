#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, again and again: nothing that was answered is lost, nothing is mixed.

    kill.py [--cycles N] [--seed S] [--prove]

Every other store has a subscriber: what its outbox tells must be what is there.

One cycle: start, verify what the run before left, let eight writers loose for 20 to 150 ms,
kill -9, check the store with `pail fsck --read-data`. Every seventh start or so is killed as well,
so that recovery is cut off. The directory is made anew now and then so that it stays small.

--prove       check the checker: a store set back to before the load, and a store with one bit
              turned over, must both be noticed.
PAIL_KILL_CYCLES, PAIL_KILL_SEED   the same as the options. The seed is printed; it decides all
              but the moments at which the processes meet.
PAIL_FAULT_DIR                     where to work (default build/fault)
PAIL_RELEASE_PROGRAM               the program (default build/release/pail, else build/dev/pail)

What was answered goes to an append-only log beside the store. On failure both are kept.
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import sys
import threading
import time

import model
import outbox
import s3
import verify
import writer

WRITERS = 8
LIVES = (5, 8, 8, 8, 30)  # cycles on one directory
LOAD_S = (0.020, 0.150)
RECOVERY_KILL_SHARE = 0.15
RECOVERY_KILL_S = 0.012
BLOCK = 4096
SOCKETS = shutil.ignore_patterns("*.socket")  # of the server that was killed


class Run:
    def __init__(self, seed, folder):
        self.seed = seed
        self.folder = folder
        self.random = random.Random(seed)
        self.program = s3.program(release=True)
        self.directory = folder / "store"
        self.server_log = folder / "server.log"
        self.ack_log = folder / "ack.log"
        self.log_fd = os.open(self.ack_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.world = None
        self.writers = []
        self.shared = {}
        self.problems = []
        self.cycle = self.fresh_at = 0
        self.answered = self.doubts = self.settled_new = self.recoveries_killed = 0
        self.stores = self.events = 0
        self.lost = self.mixed = self.phantoms = self.fsck_clean = 0
        self.times = {"start": [], "verify": [], "load": [], "fsck": [], "cycle": []}

    # ---- steps of a cycle

    def timed(self, what, begun):
        self.times[what].append(time.monotonic() - begun)

    def problem(self, text):
        self.problems.append(f"cycle {self.cycle}: {text}")

    def start(self):
        begun = time.monotonic()
        server = s3.Server(self.program, self.directory, self.server_log).wait_ready()
        self.timed("start", begun)
        return server

    def make_store(self):
        """A new directory and what the writers expect in it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.world = model.World()
        self.world.buckets = {"plain", "hist"}
        self.writers = []
        self.shared = {}
        server = self.start()
        with server.connect() as connection:
            for name in sorted(self.world.buckets):
                reply = connection.request("PUT", f"/{name}")
                assert reply.ok, reply
            reply = connection.request(
                "PUT", "/hist", [("versioning", "")], None,
                b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")  # fmt: skip
            assert reply.ok, reply
        self.stores += 1
        if self.stores % 2 == 0:
            return server
        server.stop()
        outbox.subscribe(self.directory)
        return self.start()

    def verify(self, server):
        begun = time.monotonic()
        with server.connect() as connection:
            check = verify.Verifier(connection, self.world, self.writers, self.shared, self.random)
            for text in check.run():
                self.problem(text)
        self.lost += check.lost
        self.mixed += check.mixed
        self.phantoms += check.phantoms
        self.settled_new += check.settled_new
        self.timed("verify", begun)

    def load(self, server):
        """Writers at work until the kill."""
        begun = time.monotonic()
        self.shared = {
            f"shared/{n}": model.Shared(self.world.plain.get(f"shared/{n}"))
            for n in range(writer.SHARED_KEYS)
        }  # fmt: skip
        self.writers = [
            writer.Writer(index, self.seed, self.cycle, self.world, self.shared, self.log_fd)
            for index in range(WRITERS)
        ]  # fmt: skip
        threads = [threading.Thread(target=one.run, args=(server.port,)) for one in self.writers]
        for thread in threads:
            thread.start()
        time.sleep(self.random.uniform(*LOAD_S))
        status = server.kill()
        for thread in threads:
            thread.join()
        if status != -9:
            self.problem(f"pail ended by itself with {status}:\n{server.words()[-4000:]}")
        for one in self.writers:
            self.answered += one.answered
            self.doubts += one.doubt is not None
            if one.problem is not None:
                self.problem(one.problem)
        for shared in self.shared.values():
            self.doubts += sum(1 for _, answered, _ in shared.operations if answered == float("inf"))
        self.timed("load", begun)

    def fsck(self):
        begun = time.monotonic()
        clean, _, text = s3.fsck(self.program, self.directory)
        if clean:
            self.fsck_clean += 1
        else:
            self.problem(f"fsck: {text[:4000]}")
        problems, events = outbox.check(self.directory)
        self.events = max(self.events, events or 0)
        for text in problems[:20]:
            self.problem(f"outbox: {text}")
        self.timed("fsck", begun)
        return clean

    def kill_recovery(self):
        """A start that does not get far."""
        server = s3.Server(self.program, self.directory, self.server_log)
        time.sleep(self.random.uniform(0, RECOVERY_KILL_S))
        status = server.kill()
        if status != -9:
            self.problem(f"pail ended by itself with {status} while starting:\n{server.words()[-4000:]}")
        self.recoveries_killed += 1
        self.fsck()

    def one_cycle(self):
        begun = time.monotonic()
        if self.cycle == self.fresh_at:
            if self.world is not None:
                self.finish()
            self.fresh_at = self.cycle + self.random.choice(LIVES)
            server = self.make_store()
        else:
            if self.random.random() < RECOVERY_KILL_SHARE:
                self.kill_recovery()
            server = self.start()
            self.verify(server)
        self.load(server)
        self.fsck()
        self.timed("cycle", begun)
        self.cycle += 1

    def finish(self):
        """The last run's writes are verified too, and the end is an orderly one."""
        server = self.start()
        self.verify(server)
        server.stop()
        words = server.words()
        if "Sanitizer" in words or "runtime error" in words:
            self.problem(f"a sanitizer reported:\n{words[-4000:]}")

    # ---- results

    def report(self):
        def ms(values):
            return f"{1000 * statistics.median(values):.0f}" if values else "-"

        print(f"kill: {self.cycle} cycles, {self.answered} answered requests, {self.doubts} in doubt "
              f"({self.settled_new} of them had happened), {self.recoveries_killed} recoveries killed; "
              f"lost {self.lost}, mixed {self.mixed}, phantoms {self.phantoms}, "
              f"fsck clean {self.fsck_clean} of {self.cycle + self.recoveries_killed}; "
              f"at most {self.events} events in an outbox")  # fmt: skip
        print(f"kill: median ms: cycle {ms(self.times['cycle'])} (start {ms(self.times['start'])}, "
              f"verify {ms(self.times['verify'])}, load {ms(self.times['load'])}, "
              f"fsck {ms(self.times['fsck'])}); program {self.program}")  # fmt: skip

    def keep(self):
        """The store and its logs, for whoever looks into a failure."""
        kept = s3.ROOT / "build" / "results" / f"kill-{self.seed}-{self.cycle}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder, kept, ignore=SOCKETS)
        print(f"kill: kept in {kept}; again: PAIL_KILL_SEED={self.seed} PAIL_KILL_CYCLES={self.cycle + 1}")


def kill(run, cycles):
    while run.cycle < cycles and not run.problems:
        run.one_cycle()
    if not run.problems:
        run.finish()
    run.report()
    for text in run.problems:
        print(f"kill: {text}")
    if run.problems:
        run.keep()
    return not run.problems


def prove(run):
    """Damage what the lane looks for; it has to see it."""
    run.cycle = 1
    server = run.make_store()
    run.load(server)
    server = run.start()
    run.verify(server)
    server.kill()
    before = run.folder / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(run.directory, before, ignore=SOCKETS)

    run.cycle = 2
    server = run.start()
    run.load(server)
    assert not run.problems, run.problems
    after = run.folder / "after"
    shutil.rmtree(after, ignore_errors=True)
    run.directory.rename(after)

    before.rename(run.directory)
    server = run.start()
    run.verify(server)
    server.kill()
    seen_loss = run.lost > 0
    print(f"kill: a store set back by {run.answered} answers: {run.lost} of them seen as lost")

    shutil.rmtree(run.directory)
    after.rename(run.directory)
    clean_before = run.fsck()
    victim = max((run.directory / "packs").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(victim.read_bytes())
    for at in range(0, len(data), BLOCK):  # which blocks are in use only the catalog knows
        data[at] ^= 1
    victim.write_bytes(data)
    clean, report, _ = s3.fsck(run.program, run.directory)
    print(f"kill: a bit of each block of pack {victim.name} turned over: "
          f"fsck finds {report.get('errors')} errors")  # fmt: skip
    seen = outbox.notices(run.directory)
    print(f"kill: an event lost, told twice, made up: seen {seen}")
    return seen_loss and clean_before and not clean and all(seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=int(os.environ.get("PAIL_KILL_CYCLES", 40)))
    parser.add_argument("--seed", type=int, default=os.environ.get("PAIL_KILL_SEED"))
    parser.add_argument("--prove", action="store_true")
    options = parser.parse_args()
    seed = int(options.seed) if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    # Eight writers take turns in one interpreter: short turns keep all of them at it.
    sys.setswitchinterval(0.0005)

    folder = pathlib.Path(os.environ.get("PAIL_FAULT_DIR", s3.ROOT / "build" / "fault"))
    folder = folder / f"kill-{os.getpid()}"
    folder.mkdir(parents=True)
    print(f"kill: seed {seed}", flush=True)
    try:
        run = Run(seed, folder)
        good = prove(run) if options.prove else kill(run, options.cycles)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
