#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What style.md bans and what the layers allow, checked on every C file of ours."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ["base", "storage", "server"]  # includes go to the left only
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "strtok", "localtime",
          "gmtime", "ctime", "asctime", "alloca", "system", "popen"]
HEAP = ["malloc", "calloc", "realloc", "strdup", "strndup", "free"]
# Which folder or file alone may see a library's headers.
LIBRARIES = {
    r"<sqlite3\.h>": ["storage/catalog/"],
    r"<microhttpd\.h>": ["server/http/"],
    r"<gnutls/": ["server/http/"],
    r"<libxml/": ["server/xml/"],
    r"<openssl/": ["base/digest/digest.c", "base/digest/hash_lanes.c"],
    r"<jansson\.h>": ["server/auth/"],
    r"<ini\.h>": ["server/settings/config_file.c"],
    r"<zlib\.h>": ["base/digest/checksum.c"],
    r"<xxhash\.h>": ["base/digest/checksum.c", "base/digest/hash.c"],
    r"<isa-l": ["base/digest/checksum.c"],
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

    def say(offset, what):
        problems.append(f"{name}:{text.count(chr(10), 0, offset) + 1}: {what}")

    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0 */\n"):
        say(0, "first line is not the SPDX line")
    if not re.match(r"/\* SPDX.*?\*/\n/\*\n \* ", text):
        say(0, "no comment saying what the file owns")
    for match in re.finditer(r"(?<![:\w])//", code):
        say(match.start(), "// comment")
    for word in BANNED + ([] if name.startswith("base/") else HEAP):
        for match in re.finditer(rf"(?<![\w.>]){word}\s*\(", code):
            say(match.start(), f"{word} is banned")
    for match in re.finditer(r"\bgoto\b", code):
        say(match.start(), "goto: use CLEANUP")
    for match in re.finditer(r"\b(?:memcmp|strcmp)\s*\([^)]*(?:secret|signature)", code):
        say(match.start(), "secrets are compared with str_eq_secret")
    for match in re.finditer(r'^#include\s+([<"][^>"]+[>"])', text, flags=re.M):
        include = match.group(1)
        for pattern, homes in LIBRARIES.items():
            if re.match(pattern, include) and not any(name.startswith(h) for h in homes):
                say(match.start(), f"{include} belongs to {homes[0]} alone")
        layer = include.strip('"').split("/")[0]
        own = name.split("/")[0]
        if layer in LAYERS and LAYERS.index(layer) > LAYERS.index(own):
            say(match.start(), f"{own}/ may not include {layer}/")
        if layer == "storage" and own == "server" and include != '"storage/store.h"':
            say(match.start(), "the only door to storage/ is storage/store.h")
    if re.search(r"SELECT\s+\*", text):
        say(text.index("SELECT"), "SELECT * in SQL")


def main():
    problems = []
    files = [p for layer in LAYERS for p in sorted((ROOT / layer).rglob("*.[ch]"))]
    for path in files:
        check(path, problems)
    for pattern in ("*.md", "docs/**/*.md", "conf/*", "dev", ".ci/run", "tests/**/*.py",
                    "tests/**/*.c", "docker/*", "cmake/*", "CMakeLists.txt"):
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and PLACE_WORDS.search(path.read_text(errors="replace")):
                problems.append(f"{path.relative_to(ROOT)}: names a machine path or a package host")
    for problem in problems:
        print(problem)
    print(f"check_source: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
