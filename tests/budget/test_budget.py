# SPDX-License-Identifier: Apache-2.0
"""What an operation may cost, in counts: tests/budget/budgets.txt against what the program does.

PAIL_BUDGET_TIGHTEN=1 writes what was measured into the table and lowers the ceilings that have room;
it never raises one.
"""

import math
import os
import pathlib
import subprocess

import pytest

from budget import measure
from budget.operations import OPERATIONS, Operations

TABLE = pathlib.Path(__file__).resolve().parent / "budgets.txt"
# Of these a whole number is the same every time, but for what the server does by itself in between;
# the others depend on who wakes up first.
EXACT = ("syncs", "statements", "rows")
EXACT_ROOM = 0.25
LONG = 100  # calls of an operation so long that the server may do something of its own meanwhile


def rows_of(text):
    """(operation, counter, ceiling, measured) of each line."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            operation, counter, ceiling, measured = line.split()
            yield operation, counter, float(ceiling), float(measured)


ROWS = list(rows_of(TABLE.read_text()))


def over(value, ceiling):
    """Why this is above its budget; None when it is not."""
    return f"{value:.2f} a call, and the budget is {ceiling:g}" if value > ceiling else None


def ceiling_for(counter, value):
    if counter in EXACT:
        whole = abs(value - round(value)) <= 0.05
        return round(value) + EXACT_ROOM if whole else math.ceil(value * 150) / 100
    if counter in ("syscalls", "wakeups") and value > LONG:
        return math.ceil(value * 1.5)
    return math.ceil(value * 2 + 1) if counter == "wakeups" else math.ceil(value * 1.1 + 0.5)


def tightened(text, measured):
    lines = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            operation, counter, ceiling, value = next(rows_of(line))
            value = measured.get((operation, counter), value)
            ceiling = min(ceiling, ceiling_for(counter, value))
            line = f"{operation:<20} {counter:<16} {ceiling:>12.10g} {value:>12.2f}"
        lines.append(line)
    return "\n".join(lines) + "\n"


# ---- the servers, and what they were seen to do ---------------------------------------------------


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    if measure.compiler() is None:
        pytest.skip("there is no C compiler for counters.c")
    return measure.counters_library(tmp_path_factory.mktemp("counters"))


@pytest.fixture(scope="session")
def traces():
    problem = measure.tracer_problem()
    if problem:
        pytest.skip(problem)


@pytest.fixture(scope="session")
def counted(library, tmp_path_factory):
    server = measure.Counted(tmp_path_factory.mktemp("counted"), library)
    yield Operations(server)
    server.close()


@pytest.fixture(scope="session")
def traced(traces, tmp_path_factory):
    server = measure.Counted(tmp_path_factory.mktemp("traced"))
    yield Operations(server)
    server.close()


@pytest.fixture(scope="session")
def seen():
    """What was measured so far: each operation is measured once by each server."""
    found = {}
    yield found
    if os.environ.get("PAIL_BUDGET_TIGHTEN") == "1":
        values = {(operation, counter): value for (operation, _), counts in found.items()
                  for counter, value in counts.items()}  # fmt: skip
        TABLE.write_text(tightened(TABLE.read_text(), values))


@pytest.mark.parametrize(("operation", "counter", "ceiling"),
                         [pytest.param(*row[:3], id=f"{row[0]}-{row[1]}") for row in ROWS])  # fmt: skip
def test_budget__an_operation_costs_no_more(operation, counter, ceiling, seen, request):
    how = "counted" if counter in (*measure.COUNTERS, "wakeups") else "traced"
    operations = request.getfixturevalue(how)
    if (operation, how) not in seen:
        seen[operation, how] = operations.measure(operation)
    value = seen[operation, how].get(counter, 0)
    print(f"{operation} {counter}: {value:.2f}")
    assert over(value, ceiling) is None


# ---- the counting itself --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def known(tmp_path_factory):
    if measure.compiler() is None:
        pytest.skip("there is no C compiler for known.c")
    return measure.compile_c("known.c", tmp_path_factory.mktemp("known") / "known", "-fno-builtin")


def test_budget__allocations_are_counted_one_by_one(library, known, tmp_path):
    def allocations(count):
        subprocess.run([known, str(count), "0"], cwd=tmp_path, check=True,
                       env=measure.counting(library, tmp_path / str(count)))  # fmt: skip
        return measure.read_counters(tmp_path / str(count))

    none, many = allocations(0), allocations(1234)
    assert many["allocations"] - none["allocations"] == 1234
    assert many["allocated_bytes"] - none["allocated_bytes"] == 1234 * 100


def test_budget__system_calls_are_counted_one_by_one(traces, known, tmp_path):
    trace = tmp_path / "trace"
    subprocess.run([*[word for word in measure.tracer(trace) if word != "-D"], known, "0", "7"], cwd=tmp_path,
                   check=True)  # fmt: skip
    counts = measure.calls_of(trace.read_bytes())
    assert (counts["fdatasync"], counts["syncs"], counts["write"]) == (7, 7, 7)


def test_budget__a_call_interrupted_by_another_thread_is_counted_once():
    trace = (b"10 fdatasync(5</store/log> <unfinished ...>\n11 write(3</store/log>, \"\"..., 1) = 1\n"
             b"10 <... fdatasync resumed>) = 0\n")  # fmt: skip
    assert measure.calls_of(trace) == {"fdatasync": 1, "write": 1, "syscalls": 2, "syncs": 1}


def test_budget__a_sync_of_memory_is_a_call_and_no_sync():
    trace = b"10 fdatasync(9</memfd:point (deleted)>) = 0\n"
    assert measure.calls_of(trace) == {"fdatasync": 1, "syscalls": 1, "syncs": 0}


def test_budget__a_put_that_the_library_sees_runs_sql(counted):
    """A catalog that the library cannot look into would be within every budget."""
    found = counted.counted.count(lambda i: counted.PUT_1k(1)(0), 5)
    assert found["statements"] >= 1 and found["allocations"] >= 0


def test_budget__one_more_than_the_budget_fails():
    assert over(3, 3) is None and over(3.01, 3) is not None


def test_budget__tightening_lowers_and_never_raises():
    text = "# note\nA syncs 3 2.00\nB syncs 1 1.00\n"
    assert list(rows_of(tightened(text, {("A", "syncs"): 1, ("B", "syncs"): 5}))) == [
        ("A", "syncs", 1 + EXACT_ROOM, 1), ("B", "syncs", 1, 5)]  # fmt: skip


def test_budget__every_operation_has_a_row_of_each_kind():
    kinds = {"syscalls", "syncs", "allocations", "statements"}
    for operation in OPERATIONS:
        # Of a bucket with documents: what remembering them saves.
        wanted = kinds - {"syscalls"} if operation.endswith("-documents") else kinds
        assert wanted <= {row[1] for row in ROWS if row[0] == operation}, operation
    assert {row[0] for row in ROWS} == set(OPERATIONS)
