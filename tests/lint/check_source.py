#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What style.md bans and what the layers allow, checked on every C file of ours."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ["base", "storage", "server"]  # includes go to the left only
DOORS = ['"storage/store.h"', '"storage/stores.h"']  # of storage/, for server/
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "strtok", "localtime",
          "gmtime", "ctime", "asctime", "alloca", "system", "popen"]
HEAP = ["malloc", "calloc", "realloc", "strdup", "strndup", "free"]
# Which folder or file alone may see a library's headers.
LIBRARIES = {
    r"<sqlite3\.h>": ["storage/catalog/"],
    r"<microhttpd\.h>": ["server/http/"],
    r"<gnutls/": ["server/http/"],
    r"<libxml/": ["server/xml/"],
    r"<openssl/": ["base/digest/digest.c", "base/digest/hash_lanes.c", "base/digest/reserve.c"],
    r"<jansson\.h>": ["server/auth/", "server/policy/"],
    r"<ini\.h>": ["server/settings/config_file.c"],
    r"<zlib\.h>": ["base/digest/crc.c", "server/s3/delivery/gzip.c", "server/select/unpack.c"],
    r"<bzlib\.h>": ["server/select/unpack.c"],
    r"<curl/": ["server/client/"],
    r"<xxhash\.h>": ["base/digest/checksum.c", "base/digest/hash.c"],
    r"<isa-l": ["base/digest/crc.c"],
}
# What a finding says beside its place: the rule's name and why there is one.
RULES = {
    "spdx": "the first line of a file is its licence",
    "owner": "a file says at its top what it owns",
    "comment": "// is for debugging and does not stay",
    "banned": "base/ has the substitute that has a bound or tells of failure",
    "heap": "memory comes from base/memory.h, where running out can be tested",
    "goto": "CLEANUP does it on every path",
    "secret": "time must not tell how much of a secret was right: str_eq_secret",
    "library": "a library is known to one place, so that it can be replaced there",
    "layer": "includes go to base/, storage/, server/ only downwards",
    "door": "storage/ is entered by its door alone: a second catalog fits behind it",
    "columns": "SELECT * reads what a later schema adds",
    "place": "the tree names no machine and no package host",
}
PLACE_WORDS = re.compile(r"/w" r"ork/|\b(?:deb|registry|proxy|index|repo1?)\.[a-z-]+\.(?:org|io|com)\b")


def strip(text):
    """Without comments and string contents, keeping line numbers."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + " " * (len(m.group(0)) - 2) + '"', text)


def check(path, problems):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    code = strip(text)

    def say(offset, rule, what):
        problems.append(f"{name}:{text.count(chr(10), 0, offset) + 1}: {rule}: {what} ({RULES[rule]})")

    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0 */\n"):
        say(0, "spdx", "another first line")
    if not re.match(r"/\* SPDX.*?\*/\n/\*\n \* ", text):
        say(0, "owner", "no such comment")
    for match in re.finditer(r"(?<![:\w])//", code):
        say(match.start(), "comment", "//")
    for word in BANNED + ([] if name == "base/memory.c" else HEAP):
        for match in re.finditer(rf"(?<![\w.>]){word}\s*\(", code):
            say(match.start(), "heap" if word in HEAP else "banned", word)
    for match in re.finditer(r"\bgoto\b", code):
        say(match.start(), "goto", "goto")
    for match in re.finditer(r"\b(?:memcmp|strcmp)\s*\([^)]*(?:secret|signature)", code):
        say(match.start(), "secret", "a comparison")
    for match in re.finditer(r'^#include\s+([<"][^>"]+[>"])', text, flags=re.M):
        include = match.group(1)
        for pattern, homes in LIBRARIES.items():
            if re.match(pattern, include) and not any(name.startswith(h) for h in homes):
                say(match.start(), "library", f"{include} belongs to {homes[0]}")
        layer = include.strip('"').split("/")[0]
        own = name.split("/")[0]
        if layer in LAYERS and LAYERS.index(layer) > LAYERS.index(own):
            say(match.start(), "layer", f"{own}/ includes {layer}/")
        if layer == "storage" and own == "server" and include not in DOORS:
            say(match.start(), "door", include)
    if re.search(r"SELECT\s+\*", text):
        say(text.index("SELECT"), "columns", "SELECT *")


def main():
    problems = []
    files = [p for layer in LAYERS for p in sorted((ROOT / layer).rglob("*.[ch]"))]
    for path in files:
        check(path, problems)
    for pattern in ("*.md", "docs/**/*.md", "conf/*", "dev", ".ci/run", "tests/**/*.py",
                    "tests/**/*.c", "docker/*", "cmake/*", "CMakeLists.txt"):
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and PLACE_WORDS.search(path.read_text(errors="replace")):
                problems.append(f"{path.relative_to(ROOT)}: place: a machine path or a package host ({RULES['place']})")
    for problem in problems:
        print(problem)
    print(f"check_source: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
