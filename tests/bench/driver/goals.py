# SPDX-License-Identifier: Apache-2.0
"""The goals, as ratios to a limit of the same run or as plain figures, and their verdicts.

pass: met. short: not met. noisy: the pairs it stands on were all discarded. "-": not measured in
this run. Against a peer each goal has a factor of its own, shown when there was a peer.
"""

from dataclasses import dataclass

from .rows import KIB, MIB


@dataclass
class Verdict:
    number: str
    text: str
    wanted: str
    got: str
    verdict: str


class Goals:
    def __init__(self, outcomes, figures, durable_peer):
        self.outcomes = outcomes  # {(row name, opponent or None): Outcome}
        self.figures = figures
        self.durable_peer = durable_peer
        self.verdicts = []

    # ---- what was measured -----------------------------------------------------------------------

    def _ratios(self, names, opponent):
        """(median ratio, noisy) of each of these rows that was measured."""
        found = []
        for name in names:
            outcome = self.outcomes.get((name, opponent))
            if outcome and outcome.pairs and not outcome.error:
                ratios = outcome.ratios()
                middle = len(ratios) // 2
                median = (ratios[middle] + ratios[~middle]) / 2
                found.append((median, outcome.noisy))
        return found

    def _rate(self, name):
        """(answers a second, noisy) of pail in a row, whoever it was measured beside."""
        for (row, _), outcome in self.outcomes.items():
            if row == name and outcome.pairs and not outcome.error:
                return outcome.side("pail", "per_s"), outcome.noisy
        return None

    def _outcome(self, name):
        for (row, _), outcome in self.outcomes.items():
            if row == name and outcome.pairs and not outcome.error:
                return outcome
        return None

    # ---- verdicts --------------------------------------------------------------------------------

    def _add(self, number, text, wanted, got, met, noisy=False):
        verdict = "-" if met is None else "noisy" if noisy else "pass" if met else "short"
        self.verdicts.append(Verdict(str(number), text, wanted, got, verdict))

    def _ratio_goal(self, number, text, names, factor, peer=None, durable=False):
        found = self._ratios(names, "nginx")
        worst = min(found, default=(None, False))
        self._add(number, text, f">= {factor} x nginx",
                  "" if worst[0] is None else f"{worst[0]:.2f} x", None if worst[0] is None
                  else worst[0] >= factor, any(noisy for _, noisy in found))  # fmt: skip
        if peer:
            self._peer_goal(number, text, names, peer, durable)

    def _peer_goal(self, number, text, names, factor, durable=False):
        """factor: one, or (against a durable peer, against one that is not)."""
        found = self._ratios(names, "peer")
        if not found:
            return
        if durable:
            factor = factor if isinstance(factor, tuple) else (factor, None)
            factor = factor[0] if self.durable_peer else factor[1]
        worst, noisy = min(found)
        if factor is None:
            self._add(number, text, "(the peer is not durable)", f"{worst:.2f} x peer", None)
        else:
            self._add(number, text, f">= {factor} x peer", f"{worst:.2f} x", worst >= factor, noisy)

    def _figure_goal(self, number, text, name, most=None, least=None, unit=""):
        value = self.figures.get(name)
        wanted = f"<= {most} {unit}" if most is not None else f">= {least} {unit}"
        if value is None:
            self._add(number, text, wanted.strip(), "", None)
            return
        met = value <= most if most is not None else value >= least
        self._add(number, text, wanted.strip(), f"{value:.4g} {unit}".strip(), met)

    def _rate_goal(self, number, text, name, least, unit, entries=1):
        rate = self._rate(name)
        self._add(number, text, f">= {least:,.0f} {unit}",
                  "" if rate is None else f"{rate[0] * entries:,.0f}",
                  None if rate is None else rate[0] * entries >= least,
                  bool(rate and rate[1]))  # fmt: skip

    def _limit_goal(self, number, text, name, factor, limit, limit_name, scale=1.0):
        """scale: from answers a second to the limit's unit."""
        rate = self._rate(name)
        if rate is None or not limit:
            self._add(number, text, f">= {factor} x {limit_name}", "", None)
            return
        ratio = rate[0] * scale / limit
        self._add(number, text, f">= {factor} x {limit_name}", f"{ratio:.2f} x", ratio >= factor,
                  rate[1])  # fmt: skip

    def judge(self):
        figures = self.figures
        md5 = figures.get("limit_md5")  # GB/s
        counts = (16, 64, 128, 256)

        self._ratio_goal(1, "GET 1 KiB, 16 to 256 connections", [f"get-1k-c{c}" for c in counts],
                         0.6, 5)  # fmt: skip
        self._ratio_goal(2, "presigned GET 1 KiB", [f"presigned-1k-c{c}" for c in (16, 64, 256)],
                         0.6, 5)  # fmt: skip
        self._ratio_goal(3, "HEAD", [f"head-1k-c{c}" for c in counts], 0.5, 5)
        self._ratio_goal(4, "GET 256 KiB and 1 MiB", ["get-256k-c16", "get-1m-c16"], 0.9, 1.5)
        self._ratio_goal(5, "GET 1 GiB", ["get-1g-c1"], 1.0, 1.2)
        self._ratio_goal(6, "durable PUT 1 KiB, 64 connections", ["put-1k-c64-disk"], 1.0, (5, 2),
                         durable=True)  # fmt: skip
        self._limit_goal(6, "durable PUT 1 KiB, 64 connections", "put-1k-c64-disk", 5,
                         figures.get("limit_file_fsync_dirsync"), "file+fsync+dirsync")  # fmt: skip
        outcome = self._outcome("put-1k-c1-disk")
        self._limit_goal(7, "durable PUT 1 KiB, 1 connection", "put-1k-c1-disk", 0.6,
                         outcome.append_rate() if outcome else None, "append+fdatasync")  # fmt: skip
        self._peer_goal(7, "durable PUT 1 KiB, 1 connection", ["put-1k-c1-disk"], 1.5, durable=True)
        self._ratio_goal(8, "durable PUT 16 KiB, 64 connections", ["put-16k-c64-disk"], 0.7, 4,
                         durable=True)  # fmt: skip
        self._ratio_goal(9, "durable PUT 256 KiB, 16 connections", ["put-256k-c16-disk"], 0.8, 2,
                         durable=True)  # fmt: skip
        for count, factor, peer in ((1, 0.85, 1.3), (16, 1.5, 2)):
            name = f"put-10m-c{count}-disk"
            self._limit_goal(10, f"PUT 10 MiB, {count} connections", name, factor, md5, "MD5",
                             10 * MIB / 1e9)  # fmt: skip
            self._peer_goal(10, f"PUT 10 MiB, {count} connections", [name], peer, durable=True)
        self._multipart(md5)
        objects = figures.get("list_objects", 0)
        self._rate_goal(12, f"LIST 1,000 of {objects:,}", "list-random", 1500, "pages/s")
        self._peer_goal(12, f"LIST 1,000 of {objects:,}", ["list-random"], 5)
        self._rate_goal(13, "LIST of 1,000 prefixes", "list-prefixes", 300, "pages/s")
        self._peer_goal(13, "LIST of 1,000 prefixes", ["list-prefixes"], 10)
        self._rate_goal(14, "DeleteObjects of 1,000", "delete-many-disk", 50000, "keys/s", 1000)
        self._peer_goal(14, "DeleteObjects of 1,000", ["delete-many-disk"], 10)
        self._limit_goal(15, "DELETE, 64 connections", "delete-c64-disk", 0.3,
                         figures.get("limit_sqlite_delete_64"), "SQLite, 64 to a commit")  # fmt: skip
        self._peer_goal(15, "DELETE, 64 connections", ["delete-c64-disk"], 5)
        self._peer_goal(16, "mixed 16 KiB", ["mixed-16k-c64-disk"], 5, durable=True)
        self._figures()
        return self.verdicts

    def _multipart(self, md5):
        figures = self.figures
        rate = figures.get("multipart_put_mb_per_s")
        stream = figures.get("limit_stream_write_sync")
        wanted = ">= 0.85 x min(MD5, disk)"
        if rate and md5 and stream:
            ratio = rate / min(md5 * 1000 * figures["server_cpus"], stream)
            self._add(11, "multipart of 64 parts, 4 at a time", wanted, f"{ratio:.2f} x",
                      ratio >= 0.85)  # fmt: skip
        else:
            self._add(11, "multipart of 64 parts, 4 at a time", wanted, "", None)
        self._figure_goal(11, "CompleteMultipartUpload of 64 parts", "multipart_complete_ms", 5,
                          unit="ms")  # fmt: skip

    def _figures(self):
        figures = self.figures
        objects = figures.get("start_objects", 0)
        big = figures.get("big_object_mib", 0)
        for name, text, most in (("start_empty_ms", "start to ready, empty", 10),
                                 ("start_filled_ms", f"start to ready, {objects:,} objects", 25),
                                 ("start_after_kill_ms", "start to ready after kill -9", 100)):
            self._figure_goal(17, text, name, most, unit="ms")
        for name, text, most in (
                ("rss_idle_mib", "RSS idle", 10),
                ("rss_256_idle_mib", "RSS, 256 idle connections", 32),
                ("rss_256_busy_get_mib", "RSS, 256 connections in GET", 32),
                ("rss_256_busy_put_mib", "RSS, 256 connections in PUT", 32),
                ("peak_big_put_mib", f"peak RSS, PUT of {big:.0f} MiB", 24),
                ("peak_big_get_mib", f"peak RSS, GET of {big:.0f} MiB", 24)):  # fmt: skip
            self._figure_goal(18, text, name, most, unit="MiB")
        self._figure_goal(19, "bytes on disk per 1 KiB object", "disk_bytes_per_1k",
                          round(1.4 * KIB), unit="B")  # fmt: skip
        self._figure_goal(20, "equal 10 MiB bodies, stored of one", "dedup_stored_of_one", 1.01,
                          unit="x")  # fmt: skip
        self._figure_goal(21, "GET, two processors over one", "two_cores_get_ratio", least=1.7,
                          unit="x")  # fmt: skip
        self._figure_goal(21, "PUT, two processors over one", "two_cores_put_ratio", least=1.5,
                          unit="x")  # fmt: skip
        self._figure_goal("-", "acknowledged and lost after kill -9", "survival_lost_or_wrong", 0)
