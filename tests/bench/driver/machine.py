# SPDX-License-Identifier: Apache-2.0
"""This machine: its processors, its places to write, and what a result must say about it."""

import os
import pathlib
import platform
import shutil
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
MARGIN_BYTES = 2 << 30  # left free on every medium


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def said(*command):
    """What a command prints, in one line; "" when it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join((done.stdout + done.stderr).split()) if done.returncode == 0 else ""


def mount_of(path):
    """'ext4 rw,relatime' of the file system that holds a path."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, point, kind, options = line.split()[:4]
        inside = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, f"{kind} {options}")
    return best[1]


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


class Machine:
    """Where server and client run. Pinned: the server's processors and the client's are apart."""

    def __init__(self, tmpfs, disk, pinned=True):
        self.cpus = sorted(os.sched_getaffinity(0))
        self.pinned = pinned and len(self.cpus) > 1
        self.server_cpus = self.cpus[:1] if self.pinned else self.cpus
        self.client_cpus = self.cpus[-1:] if self.pinned else self.cpus
        self.media = {"tmpfs": pathlib.Path(tmpfs) / f"pail-bench-{os.getpid()}",
                      "disk": pathlib.Path(disk) / f"pail-bench-{os.getpid()}"}  # fmt: skip
        self.made = 0
        for folder in self.media.values():
            folder.mkdir(parents=True)

    def folder(self, medium, name):
        """A new folder of that medium."""
        self.made += 1
        folder = self.media[medium] / f"{self.made}-{name}"
        folder.mkdir()
        return folder

    def room_bytes(self, medium):
        return max(0, shutil.disk_usage(self.media[medium]).free - MARGIN_BYTES)

    def remove(self):
        for folder in self.media.values():
            shutil.rmtree(folder, ignore_errors=True)

    def facts(self, program):
        head = said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
        changed = said("git", "-C", str(ROOT), "status", "--porcelain", "-uno")
        return {
            "pail": said(str(program), "--version"),
            "commit": head + (" with changes" if changed else "") if head else "unknown",
            "nginx": said("nginx", "-v"),
            "cpu": f"{len(self.cpus)} of {cpu_model()}",
            "kernel": platform.release(),
            "memory_kib": pathlib.Path("/proc/meminfo").read_text().split()[1],
            "tmpfs": mount_of(self.media["tmpfs"]),
            "disk": mount_of(self.media["disk"]),
            "pinned": (f"server on {self.server_cpus}, client on {self.client_cpus}"
                       if self.pinned else "no"),
        }  # fmt: skip
