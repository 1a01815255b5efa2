# SPDX-License-Identifier: Apache-2.0
"""The instrument behind ./dev bench tells the truth: a wrong answer is no sample, and the rules that
give a verdict are the ones docs/performance.md states.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest

from fault import s3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from driver import goals, pairs, report, rows, scale  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    made = s3.Server(s3.program(release=True), folder / "store", folder / "log").wait_ready()
    bench(made, "fill", "--keys=50")
    yield made
    made.stop()


def bench(server, *words, secret=s3.SECRET_KEY):
    """(exit status, lines of the report, standard error) of pail-bench."""
    program = pathlib.Path(s3.program(release=True)).with_name("pail-bench")
    done = subprocess.run(
        [str(program), *words, "--report=json", f"--endpoint=http://127.0.0.1:{server.port}"],
        env={**os.environ, "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": secret},
        capture_output=True, text=True, timeout=60)  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


# ---- the load generator ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("get",), ("head",), ("get", "--auth=presigned")],
                         ids=" ".join)  # fmt: skip
def test_bench__right_answers_are_samples(server, words):
    more = ["--requests=50", "--keys=50", "--connections=4", "--seconds=0.2"]
    status, (line,), _ = bench(server, *words, *more)
    assert (status, line["errors"]) == (0, 0) and line["samples"] > 0


def test_bench__head_does_not_wait_for_the_body_its_length_announces(server):
    status, (line,), _ = bench(server, "head", "--keys=50", "--once", "--seconds=0", "--timeout=5")
    assert (status, line["samples"], line["errors"]) == (0, 50, 0)


def test_bench__other_bytes_under_the_key_are_errors(server):
    """The ETag of every answer is compared, the bytes when asked for."""
    for option in ("--etag=md5", "--etag=any"):
        status, (line,), err = bench(server, "get", "--keys=50", "--once", "--seed=2", "--verify=1", option,
                                     "--seconds=0")  # fmt: skip
        assert (status, line["samples"], line["errors"]) == (1, 0, 50)
        assert ("wrong ETag" if option == "--etag=md5" else "wrong bytes") in err or "wrong bytes" in err


def test_bench__another_length_is_an_error(server):
    status, (line,), err = bench(server, "get", "--keys=50", "--once", "--size=1000", "--seconds=0")
    assert (status, line["samples"], line["errors"]) == (1, 0, 50) and "wrong length" in err


def test_bench__a_missing_object_is_an_error(server):
    status, (line,), err = bench(server, "get", "--keys=60", "--once", "--seconds=0")
    assert (status, line["samples"], line["errors"]) == (1, 50, 10) and "404" in err


def test_bench__the_wrong_secret_is_an_error_for_every_request(server):
    status, (line,), err = bench(server, "put", "--requests=20", "--seconds=0", secret="another")
    assert (status, line["samples"], line["errors"]) == (1, 0, 20) and "403" in err


def test_bench__what_was_acknowledged_is_written_down_and_asked_for(server, tmp_path):
    acked = tmp_path / "acked"
    assert bench(server, "put", "--first=1000", "--requests=30", "--seconds=0", f"--acked={acked}")[0] == 0
    assert sorted(map(int, acked.read_text().split())) == list(range(1000, 1030))
    assert bench(server, "get", f"--acked={acked}", "--verify=1", "--seconds=0")[0] == 0
    acked.write_text(acked.read_text() + "999999\n")
    assert bench(server, "get", f"--acked={acked}", "--seconds=0")[0] == 1


# ---- pairs ----------------------------------------------------------------------------------------


def outcome(*ours, noisy=False, cpu=(10, 10), busy=0.1, medium="tmpfs"):
    """A pair for each rate of pail's, of nginx's 100; CPU time for an answer of pail and nginx."""
    found = pairs.Outcome(rows.Row("x", "get", medium, nginx="static"), ["nginx"], noisy=noisy)
    for rate in ours:
        sides = {"pail": (rate, cpu[0]), "nginx": (100, cpu[1])}
        legs = {side: {"per_s": per_s, "server_cpu_us": us, "client_busy": busy}
                for side, (per_s, us) in sides.items()}  # fmt: skip
        found.pairs.append(pairs.Pair("AB", legs, {}, {}))
    return found


def test_bench__a_canary_that_moved_by_more_than_a_tenth_is_seen():
    quiet = pairs.moved({"nginx": 100, "append": 100}, {"nginx": 109, "append": 91}, "disk")
    noisy = pairs.moved({"nginx": 100, "append": 100}, {"nginx": 100, "append": 89}, "disk")
    assert quiet <= pairs.MOVED_MAX < noisy


def test_bench__without_a_canary_nothing_is_quiet():
    assert pairs.moved({"append": 100}, {"append": 100}, "tmpfs") > pairs.MOVED_MAX


def test_bench__the_disk_says_nothing_about_rows_in_memory():
    before, after = {"nginx": 100, "append": 100}, {"nginx": 100, "append": 10}
    assert pairs.moved(before, after, "tmpfs") == 0 and pairs.moved(before, after, "disk") > 0.8


class Machine:
    """A canary that reads what it is told, and legs that cost nothing."""

    def __init__(self, readings):
        self.readings = iter(readings)

    def measure(self):
        return {"nginx": next(self.readings)}

    def runner(self, wanted):
        form = dataclasses.replace(scale.WHOLE, pairs=wanted)
        runner = pairs.Runner(self, None, None, self, form, lambda *_: None)
        runner._leg = lambda side, row: {"per_s": 1}
        return runner

    def pair_over(self):
        pass


def test_bench__noisy_pairs_are_discarded_and_made_again():
    row = rows.Row("x", "get", "tmpfs", nginx="static")
    found = Machine([100, 100, 150, 150, 150]).runner(3).run(row, ["nginx"])
    assert (len(found.pairs), found.discarded, found.noisy) == (3, 1, False)


def test_bench__a_row_without_quiet_pairs_is_noisy():
    row = rows.Row("x", "get", "tmpfs", nginx="static")
    found = Machine(100 * 2**n for n in range(99)).runner(3).run(row, ["nginx"])
    assert found.noisy and len(found.pairs) == 3 * scale.WHOLE.tries


# ---- verdicts -------------------------------------------------------------------------------------


def verdict(one):
    judge = goals.Goals({"x": one}, {}, scale.WHOLE, 2)
    judge._ratio_goal("1", "x", ["x"], "nginx", 0.6)
    return judge.verdicts[0]


@pytest.mark.parametrize(("one", "expected", "basis"), [
    (outcome(70), "pass", "clock"),
    (outcome(50), "short", "clock (by CPU: pass)"),
    (outcome(50, cpu=(10, 1)), "short", "clock"),
    (outcome(70, cpu=(10, 1)), "pass", "clock (by CPU: short)"),
    (outcome(70, noisy=True, cpu=(10, 1)), "short", "CPU: pairs noisy"),
    (outcome(50, noisy=True), "pass", "CPU: pairs noisy"),
    (outcome(70, 62, noisy=True, medium="disk"), "noisy", "pairs noisy"),
    (outcome(70, 50, noisy=True, medium="disk"), "noisy", "pairs noisy"),
    (outcome(90, 80, noisy=True, medium="disk"), "pass", "clock: pairs noisy, each far from the goal"),
    (outcome(40, 30, noisy=True, medium="disk"), "short", "clock: pairs noisy, each far from the goal"),
    (outcome(90, noisy=True, medium="disk"), "noisy", "pairs noisy"),
    (outcome(70, busy=0.95, cpu=(10, 1)), "short", "CPU: client held pail back"),
], ids=lambda value: value if isinstance(value, str) else "outcome")  # fmt: skip
def test_bench__the_clock_judges_unless_it_cannot(one, expected, basis):
    found = verdict(one)
    assert (found.verdict, found.basis) == (expected, basis)
    assert found.clock and found.cpu


@pytest.mark.parametrize(("moved", "median", "peak", "expected"), [
    (0.05, 0.9, 0.9, "pass"), (0.05, 0.7, 0.9, "short"), (0.5, 0.7, 0.9, "pass"), (0.5, 0.9, 0.7, "noisy"),
])  # fmt: skip
def test_bench__points_that_moved_are_judged_by_their_best_turn_and_not_by_cpu(moved, median, peak, expected):
    name = "connections_get_tmpfs"
    figures = {f"{name}_moved": [moved], f"{name}_worst_of_best": [median], f"{name}_peak_ratio": [peak],
               f"{name}_cpu_ratio": [1.0]}  # fmt: skip
    judge = goals.Goals({}, figures, scale.WHOLE, 2)
    judge._curve_goal("14", "x", f"{name}_worst_of_best", 0.8)
    assert judge.verdicts[0].verdict == expected


def test_bench__a_row_that_came_too_late_says_so():
    judge = goals.Goals({}, {}, scale.QUICK, 2, ["x"])
    judge._ratio_goal("1", "x", ["x"], "nginx", 0.6)
    assert judge.verdicts[0].basis == "no time was left for it"


def test_bench__a_goal_that_was_not_measured_says_so():
    judge = goals.Goals({}, {}, scale.QUICK, 2)
    for one in judge.judge():
        assert one.verdict == "-" and one.basis, one


def test_bench__every_goal_of_a_row_names_a_row_there_is():
    names = {row.name for row in rows.table(scale.WHOLE)}
    judge = goals.Goals({}, {}, scale.WHOLE, 4)
    asked = []
    judge._missing = lambda wanted, *_: asked.extend(wanted) or "-"
    judge.judge()
    assert asked and set(asked) <= names


def test_bench__the_page_gets_the_tables_and_keeps_the_rest(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{report.MARKS[0]}\nold\n{report.MARKS[1]}\nafter\n")
    one = outcome(70, 80)
    report.write_docs(page, {"commit": "abc"}, report.row_lines(one), [verdict(one)], {"a_ms": [1, 2, 3]}, ["y"])
    text = page.read_text()
    assert text.startswith("before\n\n") and text.endswith("\nafter\n") and "old" not in text
    for part in ("commit: abc", "| x |", "pass", "| a_ms | 2.00 (1.00-3.00) |", "No time was left for: y"):
        assert part in text
