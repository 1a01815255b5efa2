# SPDX-License-Identifier: Apache-2.0
"""docs/clients.md: its table and its snippets.

As a program: page.py FOLDER writes the Go rows, with their snippets in place, for a build there.
"""

import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "clients.md"


def snippets():
    """{row: (language, text)} of every fenced block whose info string names a row."""
    found = re.findall(r"^```(\w+) ([\w-]+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return {row: (language, text) for language, row, text in found}


def table():
    """The rows that the table links to, in its order."""
    return re.findall(r"^\| \[[^]]*\]\(#([\w-]+)\) \|", PAGE.read_text(), re.MULTILINE)


def write_go(folder):
    known = snippets()
    for source in sorted((HERE / "rows" / "go").glob("*")):
        text = source.read_text()
        if source.stem in known:
            text = text.replace("\t//SNIPPET\n", known[source.stem][1])
        (folder / source.name).write_text(text)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    write_go(target)
