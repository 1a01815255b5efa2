# SPDX-License-Identifier: Apache-2.0
"""Every process a run starts, so that none outlives it.

(1) What spawn() started is ended by end_all(), whatever happened to the part that started it.
(2) The kernel tells it to end when the run itself is killed.
(3) Each leads a process group; what it starts itself (the server behind a wrapper) is ended and
    measured with it.
"""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
STOP_S = 30

_libc = ctypes.CDLL(None)  # loaded here: between fork and exec is no time to
_running = set()


def _child(cpus):
    def prepare():
        os.setpgid(0, 0)
        os.sched_setaffinity(0, cpus)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return prepare


def spawn(command, cpus, **arguments):
    """A Popen on these processors only."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_child(cpus),
                               **arguments)  # fmt: skip
    _running.add(process)
    return process


def group(leader):
    """The processes of the group that a process leads, zombies left out."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            with open(f"/proc/{entry.name}/stat") as stat:
                state, _, its_group = stat.read().rsplit(")", 1)[1].split()[:3]
        except (OSError, ValueError):
            continue  # it has ended
        if int(its_group) == leader and state != "Z":
            found.append(int(entry.name))
    return found


def _signal(process, how):
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass


def end(process, how=signal.SIGTERM):
    _signal(process, how)
    late = time.monotonic() + STOP_S
    while process.poll() is None or group(process.pid):
        if time.monotonic() > late:
            _signal(process, signal.SIGKILL)
        time.sleep(0.002)
    if process.stdout:
        process.stdout.close()
    _running.discard(process)


def run(command, cpus, timeout, **arguments):
    """(exit status, standard output, standard error) of a program run to its end."""
    process = spawn(command, cpus, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                    **arguments)  # fmt: skip
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        end(process, signal.SIGKILL)
        raise
    _running.discard(process)
    return process.returncode, out, err


def end_all():
    for process in list(_running):
        end(process)
