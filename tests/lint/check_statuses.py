#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An assertion names the one status, or the one code, that is right.

One that takes several, or all of a range, does not see the answer change from one to another. What is
left has an id (file: function) and a reason here.
"""
import ast

from check_sleeps import is_python
from check_source import ROOT

WORDS = {"status", "status_code", "status_of", "code", "HTTPStatusCode", "Code"}
RACE = "other clients decide between them, at the same time"
ALLOWED = {
    "tests/fault/linear.py: ask": RACE,
    "tests/fault/linear.py: look": RACE,
    "tests/sdk/test_seed_texts.py: test_seed_text_table__call": "the calls stand in a text from outside the tree",
    "tests/wire/test_acl_matrix.py: run_cell": "a cell says who may, not how what is allowed ends",
    "tests/wire/test_forged.py: refused": "a forged request has many ways to be refused, and none to be believed",
}


def is_of_answer(node):
    """Whether the expression speaks of a status or a code."""
    for part in ast.walk(node):
        word = part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", getattr(part, "value", None))
        if isinstance(word, str) and word in WORDS:
            return True
    return False


def is_loose(compare):
    """`status in (...)`, `status // 100 == 2`, `status >= 400`; not `code in text_of(...)`."""
    if any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in compare.ops):
        return any(is_of_answer(side) for side in (compare.left, *compare.comparators))
    several = isinstance(compare.ops[0], ast.In) and not isinstance(compare.comparators[0], ast.Call)
    hundreds = isinstance(compare.left, ast.BinOp) and isinstance(compare.left.op, ast.FloorDiv)
    return (several or hundreds) and is_of_answer(compare.left)


def loose(text):
    """(function, line) of each assertion that takes several statuses."""
    found = []

    def visit(node, name):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = node.name
        if isinstance(node, ast.Assert):
            if any(isinstance(part, ast.Compare) and is_loose(part) for part in ast.walk(node.test)):
                found.append((name, node.lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, name)

    visit(ast.parse(text), "(module)")
    return found


def main():
    problems, used = [], set()
    files = [path for path in sorted((ROOT / "tests").rglob("*")) if path.is_file() and is_python(path)]
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        for function, line in loose(path.read_text()):
            used.add(f"{name}: {function}")
            if f"{name}: {function}" not in ALLOWED:
                problems.append(f"{name}:{line}: status: {function} takes several answers where one is right")
    problems += [f"check_statuses.py: {entry} takes one: its permission goes" for entry in ALLOWED if entry not in used]
    print("\n".join(problems) + "\n" if problems else "", end="")
    print(f"check_statuses: {len(files)} files, {len(used)} functions that take several, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
