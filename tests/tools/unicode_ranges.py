# SPDX-License-Identifier: Apache-2.0
"""Writes base/text/unicode_ranges.inc: which characters are letters, numbers or separators.

The table is that of the Unicode version which the Python that runs this knows.
"""
import pathlib
import sys
import unicodedata

PAGE = pathlib.Path(__file__).resolve().parents[2] / "base/text/unicode_ranges.inc"


def ranges():
    first = None
    for char in range(sys.maxunicode + 2):
        inside = char <= sys.maxunicode and unicodedata.category(chr(char))[0] in "LNZ"
        if inside and first is None:
            first = char
        elif not inside and first is not None:
            yield first, char - 1
            first = None


def main():
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */",
             f"/* Unicode {unicodedata.unidata_version}, categories L, N and Z: written by "
             "tests/tools/unicode_ranges.py. */"]
    line = ""
    for first, last in ranges():
        cell = f"{{ 0x{first:x}, 0x{last:x} }},"
        if len(line) + len(cell) + 1 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + cell
    PAGE.write_text("\n".join(lines + [line]) + "\n")


if __name__ == "__main__":
    main()
