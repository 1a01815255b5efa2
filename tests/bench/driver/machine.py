# SPDX-License-Identifier: Apache-2.0
"""This machine: its processors, its places to write, and what a result must say about it."""

import os
import pathlib
import platform
import resource
import shutil
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
MARGIN_BYTES = 2 << 30  # left free on every medium
OPEN_FILES = 131072


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nginx_path():
    """Debian has it where only root looks; None: there is none."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


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


def _remove_abandoned(parent):
    """Folders of runs that were killed."""
    for folder in parent.glob("pail-bench-*"):
        pid = folder.name.removeprefix("pail-bench-")
        if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _allow_files():
    """Descriptors for a thousand connections, and for nginx to keep every file open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, OPEN_FILES), max(hard, OPEN_FILES)))
    except (OSError, ValueError):  # only root may have more
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Machine:
    """Where server and client run. Pinned: the server's processors and the client's are apart."""

    def __init__(self, tmpfs, disk, pinned=True):
        _allow_files()
        self.cpus = sorted(os.sched_getaffinity(0))
        self.pinned = pinned and len(self.cpus) > 1
        self.server_cpus = self.cpus[:1] if self.pinned else self.cpus
        self.client_cpus = self.cpus[-1:] if self.pinned else self.cpus
        self.media = {"tmpfs": pathlib.Path(tmpfs) / f"pail-bench-{os.getpid()}",
                      "disk": pathlib.Path(disk) / f"pail-bench-{os.getpid()}"}  # fmt: skip
        self.made = 0
        for folder in self.media.values():
            _remove_abandoned(folder.parent)
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
            "nginx": said(nginx_path(), "-v").removeprefix("nginx version: ") if nginx_path()
            else "not installed",
            "cpu": f"{len(self.cpus)} of {cpu_model()}",
            "kernel": platform.release(),
            "memory_kib": pathlib.Path("/proc/meminfo").read_text().split()[1],
            "tmpfs": mount_of(self.media["tmpfs"]),
            "disk": mount_of(self.media["disk"]),
            "pinned": (f"server on {self.server_cpus}, client on {self.client_cpus}"
                       if self.pinned else "no"),
        }  # fmt: skip
