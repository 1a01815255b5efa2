# SPDX-License-Identifier: Apache-2.0
"""What the client tests share besides fixtures."""

import hashlib
import os
import pathlib
import re
import ssl

from sdk import expect
from wire import process

OUT = process.ROOT / "build" / "clients"
HERE = process.ROOT / "tests" / "clients"

# Three pages; every tenth name needs care in URLs and in listings.
MANY = [f"many/{n:04}" + (" a+b&ü%.txt" if n % 10 == 0 else "") for n in range(2500)]
KEYS_DIGEST = hashlib.sha256("\n".join(MANY).encode()).hexdigest()
TREE_FILES = 1500
LARGE_BYTES = 20 * 1024 * 1024 + 333


def release_program():
    """The release program, which users run; what process.program() says when there is none."""
    named = os.environ.get("PAIL_RELEASE_PROGRAM")
    path = pathlib.Path(named) if named else process.ROOT / "build" / "release" / "pail"
    return path if path.exists() else process.program()


class Server(process.Server):
    """The release program on free ports."""

    def command(self):
        return [str(release_program()), *super().command()[1:]]


class Client:
    """A line of build/clients/found: a client's program and version, or the reason it is missing."""

    def __init__(self, line):
        state, self.name, *rest = line.split("\t")
        self.program = self.version = self.reason = None
        if state == "have":
            self.program, self.version = rest
        else:
            self.reason = rest[0]


def checks(source, pattern):
    """The names of the checks in a program of ours, which runs one of them by its name."""
    names = re.findall(pattern, (HERE / source).read_text(), re.M)
    assert names, source
    return names


def fetch(url, server, **arguments):
    """A plain GET (or else) of a URL a client made: (status, body)."""
    context = ssl.create_default_context(cafile=server.certificate[0]) if url.startswith("https:") else None
    status, _, body = expect.fetch(url, context=context, **arguments)
    return status, body


def content(folder):
    """{relative name: bytes} of every file below the folder."""
    folder = pathlib.Path(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
