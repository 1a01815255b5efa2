# SPDX-License-Identifier: Apache-2.0
"""The goals, as ratios to a limit of the same run or as plain figures, and their verdicts.

pass, short: met or not. noisy: the pairs it stands on were all discarded and CPU time cannot stand
in for them. -: not measured in this run. shown: no goal, for comparison.

(1) The clock gives the verdict, wherever it can.
(2) Where it cannot, because the pairs were noisy or the client held a side back, CPU time for an answer
    gives it, of rows whose rate is given by CPU time (in memory, one processor). Both are always
    printed, and which one it was.
(3) Where neither can (noisy pairs on the disk), there is a verdict only if the ratio of every single
    pair gives the same with a quarter to spare.
"""

import statistics
from dataclasses import dataclass

from . import scale as scales
from .pairs import MOVED_MAX
from .rows import GOAL_PRESIGNED, GOAL_READS, SIZE_NAMES

CLEAR = 1.25
ORDER = ("short", "noisy", "pass")  # the worst of several rows is what a goal got


@dataclass
class Verdict:
    number: str
    text: str
    wanted: str
    clock: str = ""
    cpu: str = ""
    verdict: str = "-"
    basis: str = ""


def span(values, unit=""):
    """'0.65 (0.63-0.66)'; '' for none."""
    if not values:
        return ""
    median = statistics.median(values)
    text = number(median) + unit
    return text if len(values) < 2 else f"{text} ({number(min(values))}-{number(max(values))})"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 10 else f"{value:.2f}"


def _clear(clock, factor):
    """The verdict that every pair gives, with a quarter to spare; None when there is no such one."""
    if min(clock) >= CLEAR * factor:
        return "pass"
    return "short" if max(clock) * CLEAR <= factor else None


class Goals:
    def __init__(self, outcomes, figures, scale, cpus, late=()):
        self.outcomes = outcomes  # {row name: Outcome}
        self.figures = figures  # {name: [samples]}
        self.scale = scale
        self.cpus = cpus
        self.late = set(late)  # rows that no time was left for
        self.verdicts = []

    # ---- from rows -------------------------------------------------------------------------------

    @staticmethod
    def _judge(clock, cpu, factor, outcome, opponent):
        """(verdict, basis) of one row; clock and cpu: samples, of which the median counts."""
        usable = cpu if outcome.row.cpu_bound else None
        by_cpu = ("pass" if statistics.median(usable) >= factor else "short") if usable else None
        held = [side for side in ("pail", opponent) if side and outcome.client_bound(side)]
        why = "pairs noisy" if outcome.noisy else f"client held {held[0]} back" if held else ""
        if why:
            if by_cpu:
                return by_cpu, f"CPU: {why}"
            ratios = opponent and len(clock) > 1 and not held
            clear = _clear(clock, factor) if ratios else None
            return (clear, f"clock: {why}, each far from the goal") if clear else ("noisy", why)
        verdict = "pass" if statistics.median(clock) >= factor else "short"
        return verdict, "clock" if by_cpu in (None, verdict) else f"clock (by CPU: {by_cpu})"

    def _missing(self, names, opponent=None):
        if self.late.intersection(names):
            return "no time was left for it"
        for outcome in (self.outcomes[name] for name in names if name in self.outcomes):
            return f"there was no {opponent}" if outcome.pairs else outcome.notes(None)
        return "only longer runs have it" if self.scale.name == "quick" else "left out of this run"

    def _rows_goal(self, goal, text, wanted, names, factor, samples, opponent=None, note=""):
        """samples(outcome): (by clock, by CPU), lists. The worst row is shown, the worst verdict
        counts."""
        found = []
        for name in names:
            outcome = self.outcomes.get(name)
            clock, cpu = samples(outcome) if outcome and outcome.pairs else ([], [])
            if clock:
                found.append((outcome, clock, cpu,
                              *self._judge(clock, cpu, factor or 0, outcome, opponent)))
        if not found:
            self.verdicts.append(Verdict(goal, text, wanted, basis=self._missing(names, opponent)))
            return
        outcome, clock, cpu, _, _ = min(found, key=lambda one: statistics.median(one[1]))
        verdict = min((one[3] for one in found), key=ORDER.index) if factor else "shown"
        basis = "; ".join(dict.fromkeys(one[4] for one in found))
        if len(found) < len(names):
            basis += f"; {len(found)} of {len(names)} rows"
        if len(found) > 1:
            basis += f"; worst of them shown, c{outcome.row.connections}"
        self.verdicts.append(Verdict(goal, text, wanted, span(clock), span(cpu), verdict,
                                     basis + (f"; {note}" if note else "")))  # fmt: skip

    def _ratio_goal(self, goal, text, names, opponent, factor, called=None, note=""):
        wanted = f">= {factor} x {called or opponent}" if factor else f"(x {called or opponent})"
        self._rows_goal(goal, text, wanted, names, factor,
                        lambda outcome: (outcome.ratios(opponent), outcome.cpu_ratios(opponent))
                        if opponent in outcome.opponents else ([], []), opponent, note)  # fmt: skip

    def _rate_goal(self, goal, text, name, least, unit, entries=1, note=""):
        """By CPU: what a processor would do that does nothing else."""
        def samples(outcome):
            return ([rate * entries for rate in outcome.values("pail", "per_s")],
                    [1e6 / us * entries for us in outcome.values("pail", "server_cpu_us")])  # fmt: skip

        self._rows_goal(goal, text, f">= {least:,} {unit}", [name], least, samples, note=note)

    # ---- from figures ----------------------------------------------------------------------------

    def _figure_goal(self, goal, text, name, most=None, least=None, unit="", note="", cpu=None):
        values = self.figures.get(name)
        bound = most if most is not None else least
        wanted = "" if bound is None else f"{'<=' if most is not None else '>='} {bound:g}{unit}"
        verdict = Verdict(goal, text, wanted, span(values, unit), span(self.figures.get(cpu)), basis=note)
        if not values:
            verdict.basis = self._missing([])
        else:
            value = statistics.median(values)
            met = bound is None or (value <= most if most is not None else value >= least)
            verdict.verdict = "shown" if bound is None else "pass" if met else "short"
        self.verdicts.append(verdict)

    def _curve_goal(self, goal, text, name, least, cpu_bound=False, note=""):
        """Points measured in turn, without pairs: their own samples say whether it was quiet. Where it
        was not, the best turn of each point can still show that none lags behind."""
        kind = name.removesuffix("_ratio").removesuffix("_worst_of_best")
        clock, cpu = self.figures.get(name, []), self.figures.get(f"{kind}_cpu_ratio", [])
        verdict = Verdict(goal, text, f">= {least} x" if least else "", span(clock, " x"), span(cpu))
        if not clock:
            verdict.basis = self._missing([])
        else:
            judged, verdict.basis = clock, "clock"
            if self.figures[f"{kind}_moved"][0] > MOVED_MAX:
                peak = self.figures.get(f"{kind}_peak_ratio", [0])
                judged, how = (cpu, "CPU") if cpu_bound else (peak, f"best turn of each, {span(peak)} x")
                verdict.basis = f"{how}: points moved"
            met = statistics.median(judged) >= (least or 0)
            short = "noisy" if judged is not clock and judged is not cpu else "short"
            verdict.verdict = "pass" if met else short
            verdict.basis += f"; {note}" if note else ""
            if not least:
                verdict.verdict = "shown"
        self.verdicts.append(verdict)

    def _less(self, name, goal, what):
        """What to say when there was less than the goal speaks of."""
        had = self.figures.get(name, [goal])[0]
        return f"with {had:,.0f} {what} instead of {goal:,}" if had != goal else ""

    # ---- the table -------------------------------------------------------------------------------

    def judge(self):
        self._honesty()
        self._reads()
        self._writes()
        self._large_writes()
        self._catalog()
        self._system()
        self._scaling()
        return self.verdicts

    def _honesty(self):
        probes = [samples[0] for name, samples in self.figures.items() if name.startswith("probe_")]
        if probes:
            self.verdicts.append(Verdict(
                "0", "wrong signature is 403, ETag and bytes are right", "all", f"{sum(probes):.0f} of "
                f"{len(probes)}", "", "pass" if all(probes) else "short", "asked before the run"))
        count = self.figures.get("survival_acknowledged", [0])[0]
        self._figure_goal("0", "acknowledged and lost after kill -9", "survival_lost_or_wrong", 0,
                          note=f"of {count:,.0f} asked for, killed in a PUT load")  # fmt: skip

    def _reads(self):
        big = self.scale.big
        less = "" if big == scales.GOAL_BIG else f"{big >> 20} MiB instead of 1 GiB"
        self._ratio_goal("1", "signed GET 1 KiB of one object, 16 to 256 connections",
                         [f"get-1k-hot-c{c}" for c in GOAL_READS], "nginx", 0.6)  # fmt: skip
        for name, keys in (("get-1k-c16", "10,000"), ("get-1k-wide-c16", "100,000")):
            self._ratio_goal("1", f"  of {keys} objects, 16 connections", [name], "nginx", None)
        self._ratio_goal("2", "presigned GET 1 KiB, 16 to 256 connections",
                         [f"presigned-1k-hot-c{c}" for c in GOAL_PRESIGNED], "nginx", 0.6)  # fmt: skip
        self._ratio_goal("2", "  of 10,000 objects, 16 connections", ["presigned-1k-c16"], "nginx", None)
        self._ratio_goal("2", "HEAD, 16 to 256 connections", [f"head-1k-hot-c{c}" for c in GOAL_READS],
                         "nginx", 0.5, "nginx return 200")  # fmt: skip
        self._ratio_goal("2", "  of 10,000 objects, 16 connections", ["head-1k-c16"], "nginx", None)
        self._ratio_goal("3", "GET 1 MiB, 16 connections", ["get-1m-c16"], "nginx", 0.9)
        self._ratio_goal("3", "GET 1 GiB, single stream", [f"get-{SIZE_NAMES[big]}-c1"], "nginx", 1.0,
                         note=less)  # fmt: skip

    def _writes(self):
        dav = "nginx WebDAV PUT"
        self._ratio_goal("4", "durable PUT 1 KiB, 64 connections", ["put-1k-c64-disk"], "nginx", 1.0,
                         dav)  # fmt: skip
        self._ratio_goal("4", "durable PUT 1 KiB, 64 connections", ["put-1k-c64-disk"],
                         "file_fsync_dirsync", 5, "file+fsync+dirfsync")  # fmt: skip
        self._ratio_goal("4", "  in memory", ["put-1k-c64-tmpfs"], "nginx", None, dav)
        self._ratio_goal("5", "durable PUT 1 KiB, 1 connection", ["put-1k-c1-disk"],
                         "append_fdatasync", 0.6, "append+fdatasync")  # fmt: skip
        self._ratio_goal("6", "durable PUT 16 KiB, 64 connections", ["put-16k-c64-disk"], "nginx", 0.7,
                         dav)  # fmt: skip
        self._ratio_goal("6", "durable PUT 256 KiB, 16 connections", ["put-256k-c16-disk"], "nginx", 0.8,
                         dav)  # fmt: skip

    def _large_writes(self):
        figures = self.figures
        self._ratio_goal("7", "PUT 10 MiB, single stream, disk", ["put-10m-c1-disk"], "md5", 0.85,
                         "openssl MD5")  # fmt: skip
        self._ratio_goal("7", "PUT 10 MiB, single stream, memory", ["put-10m-c1-tmpfs"], "md5", 0.85,
                         "openssl MD5")  # fmt: skip
        self._ratio_goal("7", "  server on every processor, client sharing them",
                         ["put-10m-c1-tmpfs-all-cpus"], "md5", None, "openssl MD5")  # fmt: skip
        less = "" if self.scale.part == scales.GOAL_BIG // 64 else \
            f"parts of {self.scale.part >> 20} MiB instead of 16"  # fmt: skip
        for count, least in ((2, 0.85), (1, None)):
            busy = figures.get(f"multipart_client_busy_{count}cpu")
            shares = count == 2 and self.cpus < 3
            note = f"client shares the two processors, {statistics.median(busy):.0%} of one" \
                if busy and shares else ""  # fmt: skip
            self._figure_goal("8", f"multipart, 4 of 64 parts in flight, server on {count}",
                              f"multipart_put_of_limit_{count}cpu", least=least, unit=" x",
                              note="; ".join(filter(None, ["min(MD5, disk write)", note, less])))  # fmt: skip
        name = "multipart_complete_ms_2cpu" if "multipart_complete_ms_2cpu" in figures else \
            "multipart_complete_ms_1cpu"  # fmt: skip
        self._figure_goal("8", "Complete of 64 parts", name, 5, unit=" ms", note=less)

    def _catalog(self):
        less = self._less("list_objects", scales.GOAL_OBJECTS, "keys")
        self._rate_goal("9", "LIST 1,000 of 1 M keys, random start", "list-random", 1500, "pages/s",
                        note=less)  # fmt: skip
        self._rate_goal("9", "LIST with 1,000 prefixes", "list-prefixes", 300, "pages/s", note=less)
        self._curve_goal("9", "LIST 1,000 of 10 M keys over 1 M", "list_many_ratio", 0.8, True,
                         self._less("list_many_objects", scales.GOAL_MANY, "keys"))  # fmt: skip
        self._rate_goal("10", "DeleteObjects of 1,000, durable", "delete-many-disk", 50000, "keys/s",
                        1000)  # fmt: skip

    def _system(self):
        less = self._less("start_objects", scales.GOAL_OBJECTS, "objects")
        for name, text, most, note in (
                ("empty", "start to ready, empty store", 10, ""),
                ("filled", "start to ready, 1 M objects", 25, less),
                ("after_kill", "start to ready after kill -9", 100, less)):  # fmt: skip
            self._figure_goal("11", text, f"start_{name}_ms", most, unit=" ms", note=note,
                              cpu=f"start_{name}_cpu_ms")  # fmt: skip
        big = self.figures.get("big_object_mib", [1024])[0]
        less = "" if big == 1024 else f"{big:.0f} MiB instead of 1 GiB"
        for name, text, most, note in (
                ("rss_idle_mib", "RSS, idle", 10, ""),
                ("rss_256_idle_mib", "RSS, 256 connections, nearly idle", 32, ""),
                ("rss_256_busy_get_mib", "RSS, 256 connections in GET", 32, ""),
                ("rss_256_busy_put_mib", "RSS, 256 connections in PUT", 32, ""),
                ("peak_big_put_mib", "peak RSS, 1 GiB up", 24, less),
                ("peak_big_get_mib", "peak RSS, 1 GiB down", 24, less)):  # fmt: skip
            self._figure_goal("12", text, name, most, unit=" MiB", note=note)
        self._figure_goal("13", "bytes on disk per 1 KiB object, 100 k of them", "disk_bytes_per_1k",
                          round(1.6 * scales.KIB), unit=" B",
                          note=self._less("disk_objects", scales.GOAL_DISK_OBJECTS, "objects"))  # fmt: skip
        self._figure_goal("13", "  equal bodies of 10 MiB, stored over one", "dedup_stored_of_one",
                          unit=" x")  # fmt: skip

    def _scaling(self):
        levels = f"{self.scale.levels[0]} to {self.scale.levels[-1]:,} connections"
        for command, medium, text in (("get", "tmpfs", "GET 1 KiB"), ("put", "disk", "durable PUT 1 KiB"),
                                      ("put", "tmpfs", "  PUT 1 KiB in memory")):  # fmt: skip
            name = f"connections_{command}_{medium}_worst_of_best"
            goal = medium == "disk" or command == "get"
            self._curve_goal("14", f"{text}, {levels}: worst over best", name, 0.8 if goal else None)
        for command, least in (("get", 1.6), ("put", 1.4)):
            self._two_cpus(command, least)

    def _two_cpus(self, command, least):
        name = f"two_cpus_{command}"
        ratio = self.figures.get(f"{name}_ratio", [])
        busy = statistics.median(self.figures.get(f"{name}_client_busy", [0]))
        verdict = Verdict("15", f"{command.upper()} 1 KiB, two server processors over one", f">= {least} x",
                          span(ratio, " x"), span(self.figures.get(f"{name}_cpu_ratio")))  # fmt: skip
        if ratio and self.figures["two_cpus_apart"][0]:
            verdict.verdict = "pass" if statistics.median(ratio) >= least else "short"
            verdict.basis = f"client had x{1 / busy:.1f}"
        elif ratio:
            verdict.basis = (f"needs 4 processors: here the client shares the two, and took {busy:.0%} of "
                             "one; by CPU: twice CPU for an answer with one, over that with two")  # fmt: skip
        else:
            verdict.basis = "needs 4 processors; longer runs on 2 show what CPU time says"
        self.verdicts.append(verdict)
