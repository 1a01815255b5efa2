# SPDX-License-Identifier: Apache-2.0
"""Writes what base/text/unicode.c includes: which characters are letters, numbers or separators.

The tables are those of the Unicode version which the Python that runs this knows.
"""
import pathlib
import sys
import unicodedata

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "base/text"
TABLES = {"unicode_ranges.inc": ("LNZ", "categories L, N and Z"), "unicode_letters.inc": ("L", "category L")}


def ranges(categories):
    first = None
    for char in range(sys.maxunicode + 2):
        inside = char <= sys.maxunicode and unicodedata.category(chr(char))[0] in categories
        if inside and first is None:
            first = char
        elif not inside and first is not None:
            yield first, char - 1
            first = None


def write(page, categories, what):
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */",
             f"/* Unicode {unicodedata.unidata_version}, {what}: written by "
             "tests/tools/unicode_ranges.py. */"]
    line = ""
    for first, last in ranges(categories):
        cell = f"{{ 0x{first:x}, 0x{last:x} }},"
        if len(line) + len(cell) + 1 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + cell
    page.write_text("\n".join(lines + [line]) + "\n")


def main():
    for name, (categories, what) in TABLES.items():
        write(FOLDER / name, categories, what)


if __name__ == "__main__":
    main()
