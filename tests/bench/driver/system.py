# SPDX-License-Identifier: Apache-2.0
"""What is measured without a pair: limits of the machine, start, memory, bytes on disk, dedup and
multipart.

Every function returns figures {name: [samples]}; a name says its unit. Each has a name of its own
for --rows.
"""

import os
import signal
import time

from . import machine as machines
from .scale import KIB, MIB


class System:
    def __init__(self, make, machine, client, limits, scale):
        self.make = make  # a server over a folder
        self.machine = machine
        self.client = client
        self.limits = limits
        self.scale = scale

    def parts(self):
        return {"limits": self.all_limits, "start": self.start, "memory": self.memory,
                "disk-bytes": self.disk_bytes, "dedup": self.dedup,
                "multipart": self.multipart}  # fmt: skip

    def peer_parts(self):
        """What can be measured of another server in the same way."""
        return {"start": self.start, "memory": self.memory, "disk-bytes": self.disk_bytes}

    def _server(self, medium, name, cpus=None):
        return self.make(self.machine.folder(medium, name), cpus or self.machine.server_cpus)

    def all_limits(self):
        figures = self.limits.measure(None, self.scale.figure_s)
        figures |= self.limits.measure("sqlite_delete_64", self.scale.figure_s)
        return {f"limit_{name}": [value] for name, value in figures.items()}

    # ---- start -----------------------------------------------------------------------------------

    def _starts(self, server, times, figures, name):
        """Some starts of a stopped pail over its folder, from exec to a signed 200. On any processor:
        it is pail-bench's child, and would share one with the loop that asks whether it is ready."""
        port = machines.free_port()
        server.endpoint = f"http://127.0.0.1:{port}"
        for _ in range(times):
            found = self.client.figures(server, "start", "--", *server.command(port),
                                        cpus=self.machine.cpus)  # fmt: skip
            figures.setdefault(f"start_{name}_ms", []).append(found["start_to_ready"])
            figures.setdefault(f"start_{name}_cpu_ms", []).append(found["start_cpu"])

    def start(self):
        figures = {"start_objects": [self.scale.objects]}
        server = self._server("disk", "start")
        server.stop()
        self._starts(server, self.scale.starts, figures, "empty")
        server.start()
        self.client.fill(server, self.scale.objects, 64, connections=64)
        server.stop()
        self._starts(server, self.scale.starts, figures, "filled")
        for kill in range(self.scale.repeats):
            server.start()
            self.client.run(server, "put", f"--first={(kill + 1) * self.scale.objects}",
                            "--connections=64", "--requests=50000", seconds=1)  # fmt: skip
            server.stop(signal.SIGKILL)
            # The first start after the kill is the one that recovers.
            self._starts(server, 1, figures, "after_kill")
        server.forget()
        return figures

    # ---- memory ----------------------------------------------------------------------------------

    def memory(self):
        """With the threads pail takes by itself."""
        scale = self.scale
        figures = {"big_object_mib": [scale.big / MIB]}
        server = self._server("tmpfs", "memory", cpus=self.machine.cpus)
        time.sleep(1 if scale.name == "quick" else 10)
        figures["rss_idle_mib"] = [server.status_mib("VmRSS")]
        self.client.fill(server, 1000, KIB)
        for name, command, options in (("idle", "get", ["--rate=256"]), ("busy_get", "get", []),
                                       ("busy_put", "put", ["--requests=100000"])):  # fmt: skip
            line = self.client.run(server, command, "--connections=256", *options,
                                   seconds=2 * scale.figure_s)[0]  # fmt: skip
            figures[f"rss_256_{name}_mib"] = [line["server_rss_kib"] / 1024]
        server.forget()

        server = self._server("tmpfs", "memory-big", cpus=self.machine.cpus)
        self.client.fill(server, 1, scale.big, connections=1)
        figures["peak_big_put_mib"] = [server.status_mib("VmHWM")]
        server.stop()
        server.start()
        self.client.run(server, "get", "--keys=1", f"--size={scale.big}", "--connections=1", "--once",
                        seconds=0)  # fmt: skip
        figures["peak_big_get_mib"] = [server.status_mib("VmHWM")]
        server.forget()
        return figures

    # ---- bytes on disk ---------------------------------------------------------------------------

    @staticmethod
    def _used(server):
        """Bytes allocated under the store, names of folders included."""
        total = 0
        for path, _, files in os.walk(server.folder / "data"):
            total += sum(os.lstat(os.path.join(path, name)).st_blocks * 512 for name in [*files, "."])
        return total

    def disk_bytes(self):
        """Running: the log of the catalog, whose size does not grow with the objects, counts too."""
        count = self.scale.disk_objects
        figures = {"disk_objects": [count]}
        sizes = [(KIB, "1k")] if self.scale.name == "quick" else [(KIB, "1k"), (16 * KIB, "16k")]
        for size, name in sizes:
            server = self._server("disk", f"bytes-{name}")
            empty = self._used(server)
            self.client.fill(server, count, size, connections=64)
            figures[f"disk_bytes_per_{name}_running"] = [(self._used(server) - empty) / count]
            server.stop()
            figures[f"disk_bytes_per_{name}"] = [self._used(server) / count]
            server.start()
            self.client.run(server, "delete-many", f"--keys={count}", "--connections=1", seconds=0)
            server.stop()
            figures[f"disk_bytes_per_{name}_deleted"] = [self._used(server) / count]
            server.forget()
        return figures

    def dedup(self):
        copies = self.scale.copies
        server = self._server("disk", "dedup")
        self.client.fill(server, 1, 10 * MIB, options=["--same"])
        server.stop()
        one = self._used(server)
        server.start()
        self.client.fill(server, copies, 10 * MIB, connections=4, options=["--same"])
        self.client.run(server, "get", f"--keys={copies}", f"--size={10 * MIB}", "--same", "--once",
                        "--verify=1", "--connections=1", seconds=0)  # fmt: skip
        server.stop()
        figures = {"dedup_copies": [copies], "dedup_stored_of_one": [self._used(server) / one]}
        server.forget()
        return figures

    # ---- one large object in parts ---------------------------------------------------------------

    def multipart(self):
        """64 parts, 4 at a time, on one processor and on two; what limits it right before each."""
        figures = {"multipart_part_mib": [self.scale.part / MIB]}
        for count in (1, 2):
            cpus = self.machine.server_cpus[:1] if count == 1 else self.machine.cpus[:2]
            if len(cpus) < count:
                continue
            for _ in range(self.scale.repeats):
                for name, value in self._upload(cpus).items():
                    figures.setdefault(f"multipart_{name}_{count}cpu", []).append(value)
        return figures

    def _upload(self, cpus):
        size = self.scale.part
        md5 = self.limits.measure("md5", self.scale.figure_s / 2)["md5"] * 1000
        disk = self.limits.measure("stream_write_sync", 0, options=[f"--size={64 * size}"])
        server = self._server("disk", "multipart", cpus=cpus)
        steps = {line["operation"]: line
                 for line in self.client.run(server, "multipart", f"--size={size}", "--parts=64",
                                             "--connections=4")}  # fmt: skip
        server.forget()
        rate = steps["multipart-parts"]["mb_per_s"]
        limit = min(len(cpus) * md5, disk["stream_write_sync"])
        return {"put_mb_per_s": rate, "put_of_limit": rate / limit,
                "client_busy": steps["multipart-parts"]["client_busy"],
                "complete_ms": steps["multipart-complete"]["p50_us"] / 1000,
                "get_mb_per_s": steps["multipart-get"]["mb_per_s"],
                "ranges_mb_per_s": steps["multipart-ranges"]["mb_per_s"]}  # fmt: skip
