# SPDX-License-Identifier: Apache-2.0
"""What is left of a run: the TSV of every leg, the tables, and the section of docs/performance.md that
holds the last full run."""

import time

from .goals import number, span

MARKS = ("<!-- last full run: begin -->", "<!-- last full run: end -->")
LEG_COLUMNS = ("size", "connections", "auth", "payload", "seconds", "samples", "errors", "reconnects",
               "exhausted", "per_s", "mb_per_s", "mean_us", "p50_us", "p90_us", "p99_us", "p999_us",
               "max_us", "client_busy", "server_busy", "server_cpu_us", "server_rss_kib",
               "server_hwm_kib")  # fmt: skip


class Tsv:
    """Every leg as it is measured, and every figure; facts of the machine in lines with #."""

    def __init__(self, path, facts):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.file = open(path, "w")
        for name, value in facts.items():
            self.file.write(f"# {name}: {value}\n")
        self.file.write("\t".join(["time", "row", "medium", "side", "pair", "order", "discarded",
                                   "moved", "canary_before", "canary_after", *LEG_COLUMNS]) + "\n")

    def leg(self, row, side, number, pair, line, discarded):
        values = [f"{time.time():.1f}", row.name, row.medium, side, number, pair.order,
                  int(discarded), f"{pair.moved:.3f}", _canary(pair.before), _canary(pair.after),
                  *(line.get(name) for name in LEG_COLUMNS)]  # fmt: skip
        self.file.write("\t".join("-" if v is None else str(v) for v in values) + "\n")
        self.file.flush()

    def figures(self, figures):
        for name, samples in figures.items():
            for value in samples:
                self.file.write(f"{time.time():.1f}\tfigure\t{name}\t{value}\n")
        self.file.flush()

    def close(self):
        self.file.close()


def _canary(sample):
    return ",".join(f"{name}={value:.0f}" for name, value in sample.items())


ROW_HEAD = ["row", "pail /s", "other /s", "ratio (min-max)", "CPU ratio (min-max)", "MB/s", "p50 us",
            "p99 us", "CPU us", "notes"]  # fmt: skip
GOAL_HEAD = ["goal", "what", "wanted", "by the clock (min-max)", "by CPU (min-max)", "verdict",
             "judged by"]  # fmt: skip


def _cell(value):
    return "-" if value is None else number(value)


def row_lines(outcome):
    """One line, as ROW_HEAD, for each opponent, or one alone."""
    lines = []
    for opponent in outcome.opponents or [None]:
        name = outcome.row.name
        if not outcome.pairs:
            lines.append([name, *["-"] * (len(ROW_HEAD) - 2), outcome.notes(opponent)])
            continue
        theirs = f"{_cell(outcome.side(opponent, 'per_s'))} {opponent}" if opponent else "-"
        lines.append([
            name, _cell(outcome.side("pail", "per_s")), theirs,
            span(outcome.ratios(opponent)) if opponent else "-",
            (span(outcome.cpu_ratios(opponent)) if opponent else "") or "-",
            *(_cell(outcome.side("pail", what))
              for what in ("mb_per_s", "p50_us", "p99_us", "server_cpu_us")),
            outcome.notes(opponent)])  # fmt: skip
    return lines


def goal_cells(verdict):
    return [verdict.number, verdict.text, verdict.wanted, verdict.clock, verdict.cpu, verdict.verdict,
            verdict.basis]  # fmt: skip


def plain(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        lines.append("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())
    return "\n".join(lines)


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def write_docs(path, facts, rows, verdicts, figures, left_out):
    """Replace the marked section of a page."""
    text = path.read_text()
    begin, end = (text.index(mark) for mark in MARKS)
    section = [MARKS[0], "", f"Made {time.strftime('%Y-%m-%d', time.gmtime())}.", "",
               *(f"- {name}: {value}" for name, value in facts.items()), "",
               markdown(GOAL_HEAD, [goal_cells(v) for v in verdicts]), "",
               markdown(ROW_HEAD, rows), "",
               *([f"No time was left for: {', '.join(left_out)}.", ""] if left_out else []),
               markdown(["figure", "median (min-max)"], [[k, span(v)] for k, v in figures.items()]), ""]
    path.write_text(text[:begin] + "\n".join(section) + text[end:])
