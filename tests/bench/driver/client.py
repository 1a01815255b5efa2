# SPDX-License-Identifier: Apache-2.0
"""Running pail-bench and reading its report."""

import json
import subprocess

from . import processes


class BenchError(Exception):
    """pail-bench could not measure, or got wrong answers."""


class NothingMeasured(BenchError):
    """Not one answer within the time of a leg: the machine had other work."""


class Client:
    def __init__(self, program, machine):
        self.program = program
        self.machine = machine

    def command(self, server, name, *options):
        return [str(self.program), name, f"--endpoint={server.endpoint}", *server.options, *options]

    def run(self, server, name, *options, seconds=None, wrong_is_fine=False, timeout=900, cpus=None):
        """The lines of the report, as dictionaries. Wrong answers raise, unless told otherwise."""
        cpus = cpus or self.machine.client_cpus
        words = self.command(server, name, "--report=json")
        if seconds is not None:
            words.append(f"--seconds={seconds}")
        if server.pids():
            words.append("--pids=" + ",".join(map(str, server.pids())))
        if self.machine.pinned:
            words.append("--cpus=" + ",".join(map(str, cpus)))
        words += options  # last: they may end with a program and its own options
        try:
            status, out, err = processes.run(words, cpus, timeout, env=server.environment())
        except subprocess.TimeoutExpired:
            raise BenchError(f"{name} on {server.name}: not done in {timeout} s") from None
        lines = [json.loads(line) for line in out.splitlines()]
        if status != 0 and not (wrong_is_fine and lines):
            nothing = "nothing was measured" in err and "\n" not in err.strip()
            raise (NothingMeasured if nothing else BenchError)(
                f"{name} on {server.name}: " + (err.strip().replace("\n", "; ") or f"exit {status}"))
        return lines

    def fill(self, server, keys, size, bucket="bench", connections=16, options=()):
        self.run(server, "fill", f"--keys={keys}", f"--size={size}", f"--bucket={bucket}",
                 f"--connections={connections}", *options)  # fmt: skip

    def bucket(self, server, bucket="bench"):
        """Make it, by way of one empty object."""
        self.fill(server, 1, 0, bucket)

    def figures(self, server, name, *options, **arguments):
        """Reports made of single figures: {name: value}."""
        return {line["figure"]: line["value"]
                for line in self.run(server, name, *options, **arguments)}  # fmt: skip
