# SPDX-License-Identifier: Apache-2.0
"""What makes the figures worth anything: that the work was done. Any failure here fails the run."""

import secrets
import signal
import subprocess
import time

from . import processes
from .client import BenchError


def _load_begun(server, put):
    """Signing comes first: wait until the server has had work for a while."""
    before = server.cpu_s()
    end = time.monotonic() + 60
    while server.cpu_s() - before < 0.1:
        if put.poll() is not None or time.monotonic() > end:
            raise BenchError("the load that was to be killed did not begin")
        time.sleep(0.02)


class Honesty:
    def __init__(self, make, machine, client, loss_is_fine=False):
        self.make = make  # a server over a folder
        self.loss_is_fine = loss_is_fine  # of a peer it is a figure, of pail the end of the run
        self.machine = machine
        self.client = client

    def probe(self):
        """A server that does not look at signatures, or answers wrong bytes, is not measured."""
        with self.make(self.machine.folder("tmpfs", "probe"), self.machine.server_cpus) as server:
            return {f"probe_{name}": [value] for name, value in self.probe_of(server).items()}

    def probe_of(self, server, **arguments):
        """In a bucket of its own: some servers refuse to make one twice."""
        return self.client.figures(server, "probe", f"--bucket=probe-{secrets.token_hex(5)}",
                                   **arguments)  # fmt: skip

    def survival(self, seconds):
        """A put is killed in the middle; afterwards every object acknowledged must be there."""
        server = self.make(self.machine.folder("disk", "survival"), self.machine.server_cpus)
        acked = server.folder / "acked"
        self.client.bucket(server)
        put = processes.spawn(
            self.client.command(server, "put", f"--acked={acked}", "--connections=64",
                                "--requests=200000", "--first=1", f"--seconds={seconds + 60}"),
            self.machine.client_cpus, env=server.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)  # fmt: skip
        _load_begun(server, put)
        time.sleep(seconds)
        if put.poll() is not None:
            raise BenchError("the load was over before it was killed")
        server.stop(signal.SIGKILL)
        put.wait(120)
        processes.end(put)
        server.start()
        count = len(acked.read_text().split())
        if count == 0:
            raise BenchError("nothing was acknowledged before the kill: it proves nothing")
        found = self.client.run(server, "get", f"--acked={acked}", "--verify=1", seconds=0,
                                wrong_is_fine=self.loss_is_fine)[0]  # fmt: skip
        server.forget()
        return {"survival_acknowledged": [count], "survival_lost_or_wrong": [found["errors"]]}
