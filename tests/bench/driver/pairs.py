# SPDX-License-Identifier: Apache-2.0
"""Pairs: pail and its opponents, one after the other under the same weather, order AB BA AB.

A canary (nginx serving 1 KiB, and append+fdatasync) is measured before and after every pair. The
machine was another one in between when it moved by more than 10 %: the pair is discarded and made
again, a few times. The append tells about the disk, so it discards pairs of rows on the disk; it is
recorded for all. When fewer than two quiet pairs are left of several wanted, all are taken and the
row is called noisy.
"""

import os
import statistics
import time
from dataclasses import dataclass, field

from . import limits as machine_limits
from . import rows as shapes
from .client import BenchError, NothingMeasured
from .machine import nginx_path
from .servers import Nginx

MOVED_MAX = 0.10
CLIENT_BOUND = 0.9  # of a processor that the client took
RECORD = b"\0" * 1200


class Canary:
    def __init__(self, machine, client, seconds):
        self.machine = machine
        self.client = client
        self.seconds = seconds
        self.nginx = None
        if nginx_path():
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


def moved(before, after, medium):
    """By how much the canary that moved most did, of those that tell about the medium; without any,
    nobody knows that it was quiet."""
    names = [name for name in before if medium == "disk" or name != "append"]
    return max((abs(after[n] / before[n] - 1) if before[n] else 1 for n in names), default=1)


@dataclass
class Pair:
    order: str
    legs: dict  # side: report line
    before: dict
    after: dict
    moved: float = 0

    def ratio(self, opponent):
        theirs = self.legs[opponent]["per_s"]
        return self.legs["pail"]["per_s"] / theirs if theirs else None

    def cpu_ratio(self, opponent):
        """Their CPU time for an answer over pail's."""
        ours, theirs = (self.legs[side].get("server_cpu_us") for side in ("pail", opponent))
        return theirs / ours if ours and theirs else None


@dataclass
class Outcome:
    """What came of a row."""

    row: shapes.Row
    opponents: list
    pairs: list = field(default_factory=list)
    noisy: bool = False
    discarded: int = 0
    error: str = ""

    def values(self, side, what):
        found = (pair.legs[side].get(what) for pair in self.pairs)
        return sorted(value for value in found if value is not None)

    def side(self, side, what):
        values = self.values(side, what)
        return statistics.median(values) if values else None

    def ratios(self, opponent):
        return sorted(r for r in (pair.ratio(opponent) for pair in self.pairs) if r is not None)

    def cpu_ratios(self, opponent):
        return sorted(r for r in (pair.cpu_ratio(opponent) for pair in self.pairs) if r is not None)

    def client_bound(self, side):
        return (self.side(side, "client_busy") or 0) > CLIENT_BOUND

    def _closes(self, side):
        """Nine of ten answers cost a new connection: its figures are those of connecting."""
        legs = [pair.legs[side] for pair in self.pairs]
        samples = sum(leg.get("samples") or 0 for leg in legs)
        return samples > 0 and sum(leg.get("reconnects") or 0 for leg in legs) > 0.9 * samples

    def notes(self, opponent):
        notes = []
        for side in ("pail", opponent):
            if not side or not self.pairs:
                continue
            busy = self.side(side, "client_busy") or 0
            if self.client_bound(side):
                notes.append(f"{side} client-bound")
            elif busy > 0.5:
                notes.append(f"{side} client x{1 / busy:.1f}")
            if any(pair.legs[side].get("exhausted") for pair in self.pairs) and not (
                    self.row.whole or self.row.repeat):
                notes.append(f"{side} short legs")
            if self._closes(side):
                notes.append(f"{side} closes the connection after every answer")
            elif any(pair.legs[side].get("reconnects") for pair in self.pairs):
                notes.append(f"{side} reconnects")
        if self.row.all_cpus:
            notes.append("server on every processor, client among them")
        if not self.pairs and not self.error:
            notes.append("no answer within a leg: the machine had other work")
        elif self.noisy:
            notes.append("NOISY")
        elif self.discarded:
            notes.append(f"{self.discarded} noisy pairs discarded")
        if self.error:
            notes.append(self.error)
        return ", ".join(notes)


class Runner:
    def __init__(self, stores, client, limits, canary, scale, record):
        self.stores = stores
        self.client = client
        self.limits = limits
        self.canary = canary
        self.scale = scale
        self.record = record  # called with every leg

    def _options(self, side, row):
        options = [f"--size={row.size}", f"--connections={row.connections}",
                   f"--keys={max(row.keys, 1)}"]  # fmt: skip
        if row.command in ("put", "mixed", "copy"):
            budget = min(shapes.WRITE_BYTES_MAX, self.stores.machine.room_bytes(row.medium) // 4)
            wanted = int((self.scale.seconds + self.scale.warmup) * shapes.WRITE_RATE[row.size]) + 1
            options.append(f"--requests={max(1, min(wanted, budget // row.size))}")
        if row.repeat:
            options += ["--once", f"--requests={row.repeat}"]
        if side != "nginx":
            options += row.options
        elif row.nginx == "return":
            options += ["--size=0", "--bucket=ok"]
        return options

    def warmup(self, side):
        longer = self.scale.peer_warmup if side == "peer" else None
        return longer or self.scale.warmup

    def _leg(self, side, row):
        if side in machine_limits.NAMES:
            return self.limits.leg(side, row, self.scale.seconds)
        server, bucket = self.stores.for_leg(side, row)
        options = [f"--bucket={bucket}", *self._options(side, row)]
        if row.whole or row.repeat:
            return self.client.run(server, row.command, *options, seconds=0)[0]
        return self.client.run(server, row.command, *options, f"--warmup={self.warmup(side)}",
                               seconds=self.scale.seconds)[0]  # fmt: skip

    def _pair(self, row, sides, attempt, before):
        order = sides if attempt % 2 == 0 else sides[::-1]
        legs = {side: self._leg(side, row) for side in order}
        self.stores.pair_over()
        pair = Pair("".join("ABCD"[sides.index(side)] for side in order), legs, before,
                    self.canary.measure())  # fmt: skip
        pair.moved = moved(pair.before, pair.after, row.medium)
        return pair

    def _pairs(self, row, sides, until):
        """Pairs with the number of their attempt, until enough are quiet or the time is over."""
        before = self.canary.measure()
        quiet = 0
        for attempt in range(self.scale.tries * self.scale.pairs):
            began = time.monotonic()
            try:
                pair = self._pair(row, sides, attempt, before)
            except NothingMeasured:
                self.stores.pair_over()
                before = self.canary.measure()
                continue
            for side, leg in pair.legs.items():
                self.record(row, side, attempt, pair, leg, pair.moved > MOVED_MAX)
            yield pair
            quiet += pair.moved <= MOVED_MAX
            now = time.monotonic()
            if quiet == self.scale.pairs or (until and 2 * now - began > until):
                return
            before = pair.after

    def run(self, row, opponents, until=None):
        """until: no pair is begun that would not be over by then; but one is always made."""
        outcome = Outcome(row, opponents)
        everything = []
        try:
            for pair in self._pairs(row, ["pail", *opponents], until):
                everything.append(pair)
        except BenchError as error:
            outcome.error = str(error)
            self.stores.pair_over()
        quiet = [pair for pair in everything if pair.moved <= MOVED_MAX]
        outcome.noisy = len(quiet) < min(2, self.scale.pairs) and not outcome.error
        outcome.pairs = everything if outcome.noisy else quiet
        outcome.discarded = len(everything) - len(quiet)
        return outcome
