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

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(0, str(BENCH))

from driver import goals, machine, pairs, processes, report, rows, scale  # noqa: E402


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


# ---- other servers --------------------------------------------------------------------------------

# Answers 503 until it was asked often enough, then 200; the first answers are no answers at all.
SLOW_TO_START = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        if Handler.asked <= 2:
            self.close_connection = True
            return
        self.send_response({status} if Handler.asked <= 5 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        open(sys.argv[2], "a").write("asked\\n")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def started(tmp_path, *command, port):
    program = pathlib.Path(s3.program(release=True)).with_name("pail-bench")
    done = subprocess.run(
        [str(program), "start", "--report=json", f"--endpoint=http://127.0.0.1:{port}", "--", *command],
        env={**os.environ, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
        capture_output=True, text=True, timeout=60)  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(("status", "exit_status", "answers"), [(503, 0, 4), (500, 1, 1)])
def test_bench__503_while_it_starts_means_not_yet_and_another_status_does_not(status, exit_status, answers, tmp_path):
    port = machine.free_port()
    script = SLOW_TO_START.replace("{status}", str(status))
    found, err = started(tmp_path, sys.executable, "-c", script, str(port), str(tmp_path / "log"), port=port)
    assert found == exit_status, err
    assert (tmp_path / "log").read_text().count("asked") == answers
    if exit_status:
        assert "status 500" in err


def test_bench__a_wrapped_program_is_ended_with_its_wrapper(tmp_path):
    port = machine.free_port()
    script = SLOW_TO_START.replace("{status}", "503")
    wrapper = f'"$@" & echo $! > {tmp_path}/pid; trap "" TERM; wait; wait'
    status, err = started(tmp_path, "sh", "-c", wrapper, "sh", sys.executable, "-c", script, str(port),
                          str(tmp_path / "log"), port=port)  # fmt: skip
    assert status == 0, err
    assert not pathlib.Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_bench__processes_of_a_group_are_measured_and_ended_together(tmp_path):
    words = ["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"]
    leader = processes.spawn(words, {min(os.sched_getaffinity(0))})
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert leader.poll() is None
    child = int((tmp_path / "pid").read_text())
    assert set(processes.group(leader.pid)) == {leader.pid, child}
    processes.end(leader)
    assert processes.group(leader.pid) == []


def test_bench__a_server_that_closes_after_every_answer_is_named():
    one = outcome(70)
    one.pairs[0].legs["nginx"] |= {"samples": 100, "reconnects": 99}
    assert "nginx closes the connection after every answer" in one.notes("nginx")
    one.pairs[0].legs["nginx"] |= {"reconnects": 5}
    assert "nginx reconnects" in one.notes("nginx") and "closes" not in one.notes("nginx")


def test_bench__the_peer_alone_may_have_a_longer_warm_up():
    form = dataclasses.replace(scale.QUICK, peer_warmup=7)
    runner = pairs.Runner(None, None, None, None, form, None)
    assert (runner.warmup("peer"), runner.warmup("pail")) == (7, scale.QUICK.warmup)
    assert pairs.Runner(None, None, None, None, scale.QUICK, None).warmup("peer") == scale.QUICK.warmup


def run_driver(tmp_path, *words, **env):
    for name in ("disk", "memory"):
        (tmp_path / name).mkdir()
    return subprocess.run(
        [sys.executable, str(BENCH / "run"), "--quick", f"--results={tmp_path}/results",
         f"--disk={tmp_path}/disk", f"--tmpfs={tmp_path}/memory", *words],
        env={**os.environ, "PAIL_PROGRAM": s3.program(release=True), "PAIL_BENCH_SPENT_S": "1", **env}, capture_output=True, text=True,
        timeout=300)  # fmt: skip


def test_bench__a_peer_that_can_not_be_probed_is_a_line_and_not_a_traceback(tmp_path):
    done = run_driver(tmp_path, "--rows=nothing", "--against=http://127.0.0.1:9")
    assert done.returncode == 1
    assert "probe of the peer" in done.stdout and "it is left out" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_bench__a_peer_is_started_over_a_store_of_its_own_for_every_leg(tmp_path):
    pail = s3.program(release=True)
    command = (f"sh -c 'echo {{dir}} >> {tmp_path}/stores; PAIL_ROOT_USER={{access_key}} "
               f"PAIL_ROOT_PASSWORD={{secret_key}} {pail} serve --log-level=error "
               "--listen=127.0.0.1:{port} {dir}; true'")  # fmt: skip
    done = run_driver(tmp_path, "--rows=put-1k-c64-disk,peer-survival,peer-start", "--pairs=1", "--seconds=0.2",
                      "--objects=1000", f"--against-command={command}",
                      AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "peer fails: nothing of the probe" in done.stdout
    assert "peer_survival_lost_or_wrong" in done.stdout and "peer_start_empty_ms" in done.stdout
    stores = (tmp_path / "stores").read_text().split()
    assert len(set(stores)) >= 4, stores
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and str(tmp_path) in command_line(pid)]
    assert left == []


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
