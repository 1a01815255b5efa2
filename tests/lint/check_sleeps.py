#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No test sleeps to let time pass: it moves the clock of the store or the server.

What is left has an id (file: function) and a reason here: waits with a bound for what no clock brings
about, and programs that measure rates or let a load run.
"""
import ast
import pathlib
import re

from check_source import ROOT, strip

CALL = re.compile(r"\b(?:sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
HEAD = re.compile(r"^[A-Za-z_][\w \t*]*?[ *](\w+)\s*\((?:[^;{}]|\n)*?\)\s*\{", re.M)
WAITS = "a wait with a bound"
MEASURES = "measures what a process does in so much real time"
LOAD = "a load runs for a while before it is killed"
ALLOWED = {
    "tests/bench/driver/honesty.py: _load_begun": WAITS,
    "tests/bench/driver/honesty.py: survival": LOAD,
    "tests/bench/driver/processes.py: end": WAITS,
    "tests/bench/driver/servers.py: __init__": WAITS,
    "tests/bench/driver/servers.py: start": WAITS,
    "tests/bench/driver/system.py: memory": MEASURES,
    "tests/bench/run: run": "a measured machine comes to rest between two servers",
    "tests/bench/start.c: end": WAITS,
    "tests/bench/start.c: wait_ready": WAITS,
    "tests/budget/measure.py: _settle": "until the trace of a release program is quiet, whose clock no test moves",
    "tests/clients/test_rclone.py: test_rclone__old_versions_are_listed_and_read":
        "rclone names versions by their second, and it meets a release program, whose clock no test moves",
    "tests/fault/full.py: recover": WAITS,
    "tests/fault/kill.py: kill_recovery": LOAD,
    "tests/fault/kill.py: load": LOAD,
    "tests/fault/power/play.c: play_walk": WAITS,
    "tests/fault/power/play.c: wait_a_little": WAITS,
    "tests/fault/power/scenes.c: expire_upload": WAITS,
    "tests/fault/rot.py: await_found": WAITS,
    "tests/fault/rot.py: fill": LOAD,
    "tests/fault/rot.py: go": LOAD,
    "tests/limits/limits.py: idle": MEASURES,
    "tests/limits/limits.py: readers": MEASURES,
    "tests/unit/http/wire.c: wire_await": WAITS,
    "tests/unit/storage/fixture.c: fx_pause": WAITS,
    "tests/wire/process.py: until": WAITS,
}


def sleeps_of_python(text):
    """Names of the functions that sleep."""
    found = []

    def visit(node, name):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = node.name
        if isinstance(node, ast.Call):
            called = node.func
            word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if word == "sleep":
                found.append((name, node.lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, name)

    visit(ast.parse(text), "(module)")
    return found


def sleeps_of_c(text):
    code = strip(text)
    heads = [(match.start(), match.group(1)) for match in HEAD.finditer(code)]
    found = []
    for match in CALL.finditer(code):
        names = [name for start, name in heads if start < match.start()]
        found.append((names[-1] if names else "(file)", code.count("\n", 0, match.start()) + 1))
    return found


def sleeps(path):
    text = path.read_text()
    if path.suffix in (".c", ".h"):
        return sleeps_of_c(text)
    return sleeps_of_python(text)


def is_python(path):
    return path.suffix == ".py" or (not path.suffix and path.read_bytes().startswith(b"#!/usr/bin/env python3"))


def main():
    problems, used = [], set()
    files = [path for path in sorted((ROOT / "tests").rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix in (".c", ".h") or is_python(path)]
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        for function, line in sleeps(path):
            used.add(f"{name}: {function}")
            if f"{name}: {function}" not in ALLOWED:
                problems.append(f"{name}:{line}: sleep: {function} sleeps (a test moves the clock instead)")
    problems += [f"check_sleeps.py: {entry} does not sleep: its permission goes" for entry in ALLOWED if entry not in used]
    print("\n".join(problems) + "\n" if problems else "", end="")
    print(f"check_sleeps: {len(files)} files, {len(used)} functions that sleep, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
