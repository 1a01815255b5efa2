# SPDX-License-Identifier: Apache-2.0
"""Pairs: pail and an opponent, one after the other under the same weather, order ABBA.

A canary (nginx serving 1 KiB, and append+fdatasync) is measured before and after every pair. The
machine was another one in between when either moved by more than 10 %: the pair is discarded and
made again, at most three times as often as pairs are wanted. When still too few are left, all are
taken and the row is called noisy.
"""

import os
import statistics
import time
from dataclasses import dataclass, field

from . import rows as shapes
from .client import BenchError
from .servers import Nginx, nginx_available

MOVED_MAX = 0.10
RECORD = b"\0" * 1200


class Canary:
    def __init__(self, machine, client, seconds):
        self.machine = machine
        self.client = client
        self.seconds = seconds
        self.nginx = None
        if nginx_available():
            self.nginx = Nginx(machine.folder("tmpfs", "canary"), machine.server_cpus)
            client.fill(self.nginx, 1000, shapes.KIB)

    def _append(self):
        """Records of 1.2 KB, each synced, a second; on the disk."""
        path = self.machine.media["disk"] / "canary"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        start = time.monotonic()
        count = 0
        while time.monotonic() - start < self.seconds / 2:
            os.write(fd, RECORD)
            os.fdatasync(fd)
            count += 1
        rate = count / (time.monotonic() - start)
        os.close(fd)
        os.unlink(path)
        return rate

    def measure(self):
        sample = {"append": self._append()}
        if self.nginx:
            # A machine so busy that nothing was answered is told from one that is not by the 0.
            sample["nginx"] = self.client.run(self.nginx, "get", "--keys=1000", wrong_is_fine=True,
                                              seconds=self.seconds)[0]["per_s"]  # fmt: skip
        return sample

    def close(self):
        if self.nginx:
            self.nginx.stop()


def moved(before, after):
    """By how much the canary that moved most did: 0.1 is 10 %."""
    return max(abs(after[name] / before[name] - 1) if before[name] else 1 for name in before)


@dataclass
class Pair:
    order: str
    legs: dict  # side: report line
    before: dict
    after: dict
    moved: float = 0

    def ratio(self, opponent):
        return self.legs["pail"]["per_s"] / self.legs[opponent]["per_s"]


@dataclass
class Outcome:
    """One row against one opponent (or alone)."""

    row: shapes.Row
    opponent: str | None
    pairs: list = field(default_factory=list)
    noisy: bool = False
    error: str = ""

    def side(self, side, what):
        values = [pair.legs[side][what] for pair in self.pairs]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def ratios(self):
        return sorted(pair.ratio(self.opponent) for pair in self.pairs) if self.opponent else []

    def append_rate(self):
        return statistics.median((p.before["append"] + p.after["append"]) / 2 for p in self.pairs)

    def notes(self):
        notes = []
        for side in ("pail", self.opponent):
            if not side or not self.pairs:
                continue
            busy = self.side(side, "client_busy") or 0
            if busy > 0.9:
                notes.append(f"{side} client-bound")
            elif busy > 0.5:
                notes.append(f"{side} client x{1 / busy:.1f}")
            if any(pair.legs[side]["exhausted"] for pair in self.pairs) and not (
                    self.row.whole or self.row.repeat):
                notes.append(f"{side} short legs")
            if any(pair.legs[side]["reconnects"] for pair in self.pairs):
                notes.append(f"{side} reconnects")
        if self.noisy:
            notes.append("NOISY")
        if self.error:
            notes.append(self.error)
        return ", ".join(notes)


class Runner:
    def __init__(self, stores, client, canary, record, pairs, seconds, warmup, tries):
        self.stores = stores
        self.client = client
        self.canary = canary
        self.record = record  # called with every leg
        self.wanted = pairs
        self.seconds = seconds
        self.warmup = warmup
        self.tries = tries

    def _options(self, side, row):
        options = [f"--size={row.size}", f"--connections={row.connections}",
                   f"--keys={max(row.keys, 1)}"]  # fmt: skip
        if row.command in ("put", "mixed", "copy"):
            budget = min(shapes.WRITE_BYTES_MAX, self.stores.machine.room_bytes(row.medium) // 4)
            wanted = int((self.seconds + self.warmup) * shapes.WRITE_RATE[row.size]) + 1
            options.append(f"--requests={max(1, min(wanted, budget // row.size))}")
        if row.repeat:
            options += ["--once", f"--requests={row.repeat}"]
        if side != "nginx":
            options += row.options
        elif row.limit == "return":
            options += ["--size=0", "--bucket=ok"]
        return options

    def _leg(self, side, row):
        server, bucket = self.stores.for_leg(side, row)
        options = [f"--bucket={bucket}", *self._options(side, row)]
        if row.whole or row.repeat:
            return self.client.run(server, row.command, *options, seconds=0)[0]
        return self.client.run(server, row.command, *options, f"--warmup={self.warmup}",
                               seconds=self.seconds)[0]  # fmt: skip

    def _pair(self, row, sides, attempt):
        before = self.canary.measure()
        order = sides if attempt % 2 == 0 else sides[::-1]
        legs = {side: self._leg(side, row) for side in order}
        self.stores.pair_over()
        pair = Pair("".join("AB"[sides.index(side)] for side in order), legs, before,
                    self.canary.measure())  # fmt: skip
        pair.moved = moved(pair.before, pair.after)
        return pair

    def run(self, row, opponent):
        sides = ["pail", opponent] if opponent else ["pail"]
        outcome = Outcome(row, opponent)
        everything = []
        try:
            for attempt in range(self.tries * self.wanted):
                pair = self._pair(row, sides, attempt)
                everything.append(pair)
                for side, leg in pair.legs.items():
                    self.record(row, side, attempt, pair, leg, pair.moved > MOVED_MAX)
                if pair.moved <= MOVED_MAX:
                    outcome.pairs.append(pair)
                if len(outcome.pairs) == self.wanted:
                    break
        except BenchError as error:
            outcome.error = str(error)
            self.stores.pair_over()
        if len(outcome.pairs) < self.wanted and not outcome.error:
            outcome.pairs = everything
            outcome.noisy = True
        return outcome
