# SPDX-License-Identifier: Apache-2.0
"""Running pail-bench and reading its report."""

import json
import os
import subprocess


class BenchError(Exception):
    """pail-bench could not measure, or got wrong answers."""


class Client:
    def __init__(self, program, machine):
        self.program = program
        self.machine = machine

    def run(self, server, command, *options, seconds=None, wrong_is_fine=False, timeout=900):
        """The lines of the report, as dictionaries. Wrong answers raise, unless told otherwise."""
        words = [str(self.program), command, "--report=json", f"--endpoint={server.endpoint}",
                 *server.options]  # fmt: skip
        if seconds is not None:
            words.append(f"--seconds={seconds}")
        if server.pids():
            words.append("--pids=" + ",".join(map(str, server.pids())))
        if self.machine.pinned:
            words.append("--cpus=" + ",".join(map(str, self.machine.client_cpus)))
        words += options  # last: they may end with a program and its own options
        done = subprocess.run(
            words, env=server.environment(), capture_output=True, text=True, check=False,
            timeout=timeout,
            preexec_fn=lambda: os.sched_setaffinity(0, self.machine.client_cpus))  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 and not wrong_is_fine:
            raise BenchError(f"{command} on {server.name}: "
                             + (done.stderr.strip().replace("\n", "; ") or f"exit {done.returncode}"))
        return lines

    def fill(self, server, keys, size, bucket="bench", connections=16, options=()):
        self.run(server, "fill", f"--keys={keys}", f"--size={size}", f"--bucket={bucket}",
                 f"--connections={connections}", *options)  # fmt: skip

    def figures(self, server, command, *options, **arguments):
        """Reports made of single figures: {name: value}."""
        return {line["figure"]: line["value"]
                for line in self.run(server, command, *options, **arguments)}  # fmt: skip
