# SPDX-License-Identifier: Apache-2.0
"""What /proc says about a process: for the tests of limits and budgets."""

import pathlib


def status(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.split()[0] if value.split() else ""
    return fields


def rss_mib(pid, field="VmRSS"):
    return int(status(pid)[field]) / 1024


def written(pid):
    """(bytes handed to write calls, write calls, bytes for the disk) so far."""
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["wchar"]), int(fields["syscw"]), int(fields["write_bytes"])


def switches(pid):
    """Voluntary context switches of all threads: each is a wake-up that ended."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total
