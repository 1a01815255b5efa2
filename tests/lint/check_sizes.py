#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes that hold today, and so cost nothing to keep: of functions, files, folders and branches.

A limit is no aim. What goes over one needs another shape or, where a table is simply long, a line
in ALLOWED with the reason.
"""
import re
import sys

from check_source import LAYERS, ROOT, strip

FUNCTION_LINES_MAX = 60
FUNCTION_BRANCHES_MAX = 20  # decisions in one function: if, loops, cases, &&, ||, ?:
FILE_LINES_MAX = 600
FOLDER_SOURCES_MAX = 24

# (rule, name): reason
ALLOWED = {}

FUNCTION = re.compile(r"^(?!static const|struct \w+ \{|enum \w+ \{|typedef|extern|#)"
                      r"([A-Za-z_][^;={}]*?\b(\w+)\([^;{}]*\))\s*\n\{\n(.*?)^\}", re.M | re.S)  # fmt: skip
BRANCH = re.compile(r"\b(?:if|for|while|case)\b|&&|\|\||\?(?!\?)")


def functions(code):
    """(name, first line, lines, branches) of each function of stripped code."""
    for match in FUNCTION.finditer(code):
        text = match.group(0)
        first = code.count("\n", 0, match.start()) + 1
        yield match.group(2), first, text.count("\n") + 1, len(BRANCH.findall(match.group(3)))


def main():
    problems, used = [], set()
    longest = branchiest = (0, "")
    count = 0

    def say(rule, name, where, what):
        used.add((rule, name))
        if (rule, name) not in ALLOWED:
            problems.append(f"{where}: {rule}: {what}")

    folders = {}
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.[ch]")):
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text()
            if path.suffix == ".c":
                folders[path.parent] = folders.get(path.parent, 0) + 1
            lines = text.count("\n")
            if lines > FILE_LINES_MAX:
                say("file-lines", name, name, f"{lines} lines, {FILE_LINES_MAX} at most")
            for function, line, length, branches in functions(strip(text)):
                count += 1
                where = f"{name}:{line}: {function}"
                longest, branchiest = max(longest, (length, where)), max(branchiest, (branches, where))
                if length > FUNCTION_LINES_MAX:
                    say("function-lines", function, where, f"{length} lines, {FUNCTION_LINES_MAX} at most")
                if branches > FUNCTION_BRANCHES_MAX:
                    say("function-branches", function, where, f"{branches} decisions, {FUNCTION_BRANCHES_MAX} at most")
    for folder, sources in folders.items():
        name = folder.relative_to(ROOT).as_posix()
        if sources > FOLDER_SOURCES_MAX:
            say("folder-sources", name, name, f"{sources} sources, {FOLDER_SOURCES_MAX} at most: they want rooms")
    for rule, name in sorted(set(ALLOWED) - used):
        problems.append(f"tests/lint/check_sizes.py: {rule} of {name} is allowed and not needed any more")

    for problem in problems:
        print(problem)
    print(f"check_sizes: {count} functions, longest {longest[0]} ({longest[1].split()[-1]}), "
          f"most decisions {branchiest[0]} ({branchiest[1].split()[-1]}), {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
