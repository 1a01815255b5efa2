# SPDX-License-Identifier: Apache-2.0
"""How a rate changes with connections, processors and the number of keys.

The points of one curve are measured in turn on one server, up and down and up again, so that all of
them have the same weather. Figures {name: [samples]}, as in driver/system.py.
"""

import statistics
import time

from .rows import READ_KEYS, WRITE_RATE
from .scale import KIB
from .servers import Pail

CURVES = (("get", "tmpfs"), ("put", "tmpfs"), ("put", "disk"))
MANY_STEP = 1000000  # objects filled at once: their requests must fit into memory
MANY_SECONDS = 1200  # no step of the fill is begun after that


def moved(points):
    """By how much the samples of one point differ, of that point where they differ most."""
    return max(max(samples) / min(samples) - 1 if min(samples) else 1 for samples in points)


class Scaling:
    def __init__(self, program, machine, client, scale):
        self.program = program
        self.machine = machine
        self.client = client
        self.scale = scale
        self.first = 0  # number of the next new object

    def parts(self):
        return {"connections": self.connections, "two-cpus": self.two_cpus,
                "list-many": self.list_many}  # fmt: skip

    def _leg(self, server, command, connections, seconds, **arguments):
        options = [f"--connections={connections}", f"--keys={READ_KEYS[KIB]}"]
        if command == "put":
            requests = int((1.2 * seconds + 0.1) * WRITE_RATE[KIB])
            self.first += READ_KEYS[KIB] + requests
            options += [f"--first={self.first}", f"--requests={requests}"]
        return self.client.run(server, command, *options, f"--warmup={seconds / 5}", seconds=seconds,
                               **arguments)[0]  # fmt: skip

    # ---- 16 to 1,024 connections -------------------------------------------------------------------

    def connections(self):
        """Worst over best: of the medians, of the best turns, and by CPU time for an answer."""
        figures = {}
        for command, medium in CURVES:
            if self.scale.name == "quick" and (command, medium) == ("put", "tmpfs"):
                continue
            server = Pail(self.program, self.machine.folder(medium, "connections"),
                          self.machine.server_cpus)  # fmt: skip
            self.client.fill(server, READ_KEYS[KIB], KIB, connections=64)
            lines = {level: [] for level in self.scale.levels}
            for turn in range(max(2, self.scale.repeats)):
                for level in self.scale.levels[:: 1 if turn % 2 == 0 else -1]:
                    lines[level].append(self._leg(server, command, level, self.scale.figure_s))
            server.forget()
            figures |= self._curve(f"connections_{command}_{medium}", lines)
        return figures

    @staticmethod
    def _curve(name, lines):
        figures = {}
        for level, found in lines.items():
            for what in ("per_s", "server_cpu_us", "client_busy"):
                figures[f"{name}_c{level}_{what}"] = [line[what] for line in found]
        rates = [statistics.median(figures[f"{name}_c{level}_per_s"]) for level in lines]
        costs = [statistics.median(figures[f"{name}_c{level}_server_cpu_us"]) for level in lines]
        figures[f"{name}_moved"] = [moved(figures[f"{name}_c{level}_per_s"] for level in lines)]
        peaks = [max(figures[f"{name}_c{level}_per_s"]) for level in lines]
        figures[f"{name}_peak_ratio"] = [min(peaks) / max(peaks)]
        figures[f"{name}_worst_of_best"] = [min(rates) / max(rates)]
        figures[f"{name}_cpu_ratio"] = [min(costs) / max(costs)]
        return figures

    # ---- two processors ----------------------------------------------------------------------------

    def two_cpus(self):
        """Two for the server and two others for the client; with fewer than four the client shares
        the server's, and only CPU time for an answer says something."""
        cpus = self.machine.cpus
        apart = len(cpus) >= 4
        if len(cpus) < 2 or (self.scale.name == "quick" and not apart):
            return {}
        clients = cpus[2:4] if apart else cpus[:2]
        figures = {"two_cpus_apart": [int(apart)]}
        lines = {}
        for _ in range(max(2, self.scale.repeats)):
            for count in (1, 2):
                server = Pail(self.program, self.machine.folder("tmpfs", "two-cpus"), cpus[:count])
                self.client.fill(server, READ_KEYS[KIB], KIB, connections=64)
                for command in ("get", "put"):
                    lines.setdefault((command, count), []).append(
                        self._leg(server, command, 128, self.scale.figure_s, cpus=clients))
                server.forget()
        for command in ("get", "put"):
            one, two = lines[command, 1], lines[command, 2]
            name = f"two_cpus_{command}"
            figures[f"{name}_ratio"] = [b["per_s"] / a["per_s"] for a, b in zip(one, two)]
            figures[f"{name}_cpu_ratio"] = [2 * a["server_cpu_us"] / b["server_cpu_us"]
                                            for a, b in zip(one, two)]  # fmt: skip
            figures[f"{name}_client_busy"] = [line["client_busy"] for line in two]
        return figures

    # ---- ten times as many keys --------------------------------------------------------------------

    def list_many(self):
        """LIST of 1,000 at a random start: a store of `many` over one of `objects`. The fill alone
        is not durable; what is measured is served as always."""
        scale = self.scale
        if scale.many == 0:
            return {}
        began = time.monotonic()
        servers = {count: Pail(self.program, self.machine.folder("disk", f"list-{count}"),
                               self.machine.server_cpus, options=["--durability=relaxed"])
                   for count in (scale.objects, scale.many)}  # fmt: skip
        filled = {}
        for count, server in servers.items():
            filled[count] = self._fill(server, count, began)
            server.stop()
            server.flags.remove("--durability=relaxed")
            server.start()
        figures = {"list_many_objects": [filled[scale.many]],
                   "list_many_fill_s": [time.monotonic() - began]}  # fmt: skip
        samples = {count: [] for count in servers}
        for turn in range(2 * max(2, scale.repeats)):
            for count in list(servers)[:: 1 if turn % 2 == 0 else -1]:
                samples[count].append(self.client.run(
                    servers[count], "list-random", "--size=64", f"--keys={filled[count]}",
                    "--connections=4", f"--warmup={scale.warmup}", seconds=scale.figure_s)[0])
        for server in servers.values():
            server.forget()
        few, many = samples[scale.objects], samples[scale.many]
        figures["list_many_moved"] = [moved([line["per_s"] for line in lines] for lines in (few, many))]
        figures["list_many_ratio"] = [b["per_s"] / a["per_s"] for a, b in zip(few, many)]
        figures["list_many_cpu_ratio"] = [a["server_cpu_us"] / b["server_cpu_us"]
                                          for a, b in zip(few, many)]  # fmt: skip
        return figures

    def _fill(self, server, count, began):
        """How many of `count` there are when the time is over."""
        self.client.bucket(server)
        done = 0
        while done < count and time.monotonic() - began < MANY_SECONDS:
            step = min(MANY_STEP, count - done)
            self.client.run(server, "put", "--size=64", f"--first={done}", f"--requests={step}",
                            "--connections=128", "--payload=unsigned", seconds=0)  # fmt: skip
            done += step
        return done
