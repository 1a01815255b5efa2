# SPDX-License-Identifier: Apache-2.0
"""Every process a run starts, so that none outlives it.

(1) What spawn() started is ended by end_all(), whatever happened to the part that started it.
(2) The kernel tells it to end when the run itself is killed.
"""

import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
STOP_S = 30

_libc = ctypes.CDLL(None)  # loaded here: between fork and exec is no time to
_running = set()


def _child(cpus):
    def prepare():
        os.sched_setaffinity(0, cpus)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return prepare


def spawn(command, cpus, **arguments):
    """A Popen on these processors only."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_child(cpus),
                               **arguments)  # fmt: skip
    _running.add(process)
    return process


def end(process, how=signal.SIGTERM):
    process.send_signal(how)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
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
