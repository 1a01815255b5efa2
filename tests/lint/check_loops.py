#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No file needs, through others, itself: who calls whom is a ladder, file by file.

A file's needs are the functions and tables with external linkage that it names and another defines.
What is handed to a file as a pointer is not named there, so a callback makes no loop.
"""
import pathlib
import re
import sys

from check_source import LAYERS, ROOT, strip

DEFINES = re.compile(r"^(?!static\b|typedef\b|extern\b|struct \w+ \{|enum \w+ \{|return\b|else\b)[A-Za-z_][\w \t*]*?[ *](\w+)\s*"
                     r"(?:\((?:[^;{}]|\n)*?\)\s*\{|(?:\[[^\]]*\])*\s*=)", re.M)  # fmt: skip
PRIVATE = re.compile(r"^static\b[^;{=(]*?[ *](\w+)\s*[(\[=;]", re.M)


def needs(files):
    """For each file, the names it defines for others, and the files that define what it names."""
    code = {path: strip(path.read_text()) for path in files}
    home = {}
    for path, text in code.items():
        for match in DEFINES.finditer(text):
            home.setdefault(match.group(1), path)
    result = {}
    for path, text in code.items():
        private = set(PRIVATE.findall(text))
        named = re.findall(r"(?<![.>\w])(?<!struct )(?<!enum )\w+", text)
        names = {word for word in named if word in home and word not in private}
        result[path] = {}
        for word in sorted(names):
            if home[word] != path:
                result[path].setdefault(home[word], []).append(word)
    return result


def loops(graph):
    """Strongly connected components of more than one file (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = []
            while not members or members[-1] != node:
                members.append(stack.pop())
            if len(members) > 1:
                found.append(sorted(members))

    sys.setrecursionlimit(10000)
    for node in graph:
        if node not in index:
            visit(node)
    return found


def main():
    files = [p for layer in LAYERS for p in sorted((ROOT / layer).rglob("*.c"))]
    graph = needs(files)
    found = loops(graph)
    name = {path: path.relative_to(ROOT).as_posix() for path in files}
    for members in found:
        print(f"a loop of {len(members)} files:")
        for path in members:
            for other in sorted(set(members) & set(graph[path])):
                print(f"  {name[path]} -> {name[other]} ({', '.join(graph[path][other])})")
    print(f"check_loops: {len(files)} files, {len(found)} loops")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
