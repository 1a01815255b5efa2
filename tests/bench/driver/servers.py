# SPDX-License-Identifier: Apache-2.0
"""The servers of a run: pail, nginx as the limit, and any other S3 server, started by somebody else
or by a command that is given.

(1) Each says where it is (endpoint), who may ask (environment for pail-bench), which processes it
    has (pids, for CPU time and memory) and how pail-bench must talk to it (options).
(2) pail and nginx are started with the processors they are told to use and no others.
"""

import json
import os
import pathlib
import resource
import secrets
import shlex
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import machine, processes

READY_S = 20
OUR_VARIABLES = {"PAIL_PROGRAM", "PAIL_BENCH_SPENT_S"}  # of the run, which a peer need not know


class Server:
    name = ""
    folder = None  # of its own, that goes with it
    options = ()  # for pail-bench
    process = None
    endpoint = "http://127.0.0.1:9"
    access_key = ""
    secret_key = ""

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if name not in OUR_VARIABLES}
        return {**kept, "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key}  # fmt: skip

    def pids(self):
        return processes.group(self.process.pid) if self.process else []

    def _spawn(self, command, folder, cpus, **arguments):
        with open(folder / "log", "ab") as log:
            self.process = processes.spawn(command, cpus, stderr=log, **arguments)

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            processes.end(self.process, how)
        self.process = None

    def cpu_s(self):
        """CPU time of all its processes so far."""
        ticks = 0
        for pid in self.pids():
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def status_mib(self, field):
        """VmRSS or VmHWM, of all its processes together."""
        found = [int(line.split()[1]) for pid in self.pids()
                 for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                 if line.startswith(field + ":")]  # fmt: skip
        if not found:
            raise KeyError(field)
        return sum(found) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def forget(self):
        """End it, with all it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Pail(Server):
    """pail serve over a folder; durable, as it is by default."""

    name = "pail"

    def __init__(self, program, folder, cpus, threads=None, options=()):
        self.program = program
        self.folder = folder
        self.cpus = cpus
        self.flags = [f"--threads={threads or len(cpus)}", "--log-level=warn", *options]
        self.access_key = "pailbench"
        self.secret_key = secrets.token_hex(16)
        self.start()

    def command(self, port=0):
        return [str(self.program), "serve", f"--listen=127.0.0.1:{port}", *self.flags,
                str(self.folder / "data")]  # fmt: skip

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PAIL_", "MINIO_"))}
        return {**kept, "PAIL_ROOT_USER": self.access_key, "PAIL_ROOT_PASSWORD": self.secret_key,
                "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key}  # fmt: skip

    def start(self):
        self._spawn(self.command(), self.folder, self.cpus, stdout=subprocess.PIPE, text=True,
                    env=self.environment())  # fmt: skip
        for line in self.process.stdout:
            if line.startswith("{"):
                self.endpoint = json.loads(line)["url"]
                return
        raise RuntimeError(f"pail did not start: see {self.folder / 'log'}")


OPEN_FILES_MAX = 120000  # that nginx keeps open: as many as any row has keys, if it may

NGINX_CONF = """
daemon off;
{user}worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    open_file_cache max={cached} inactive=600s;
    open_file_cache_valid 600s;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder}/data;
        location / {{
            dav_methods PUT DELETE;
            create_full_put_path on;
        }}
        location /ok/ {{
            return 200;
        }}
    }}
}}
"""


class Nginx(Server):
    """Static files, WebDAV PUT and `return 200`: what plain HTTP costs here. Neither signs, hashes
    nor syncs."""

    name = "nginx"
    options = ("--auth=none", "--etag=any")

    def __init__(self, folder, cpus):
        self.folder = folder
        port = machine.free_port()
        user = "user root;\n" if os.geteuid() == 0 else ""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        (folder / "data").mkdir()
        (folder / "nginx.conf").write_text(NGINX_CONF.format(
            folder=folder, port=port, user=user, files=files,
            cached=min(OPEN_FILES_MAX, files - 6000)))  # fmt: skip
        self.endpoint = f"http://127.0.0.1:{port}"
        self._spawn([machine.nginx_path(), "-e", f"{folder}/error.log", "-p", str(folder), "-c",
                     str(folder / "nginx.conf")], folder, cpus)  # fmt: skip
        end = time.monotonic() + READY_S
        while not self.pids():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx did not start: see {folder}/error.log")
            time.sleep(0.02)

    def pids(self):
        """The worker: its master does nothing."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
                return [int(pid) for pid in children.read().split()]
        except OSError:
            return []


class Other(Server):
    """An S3 server started by somebody else; its keys are those of the environment."""

    def __init__(self, url, pids):
        self.name = "peer"
        self.endpoint = url.rstrip("/")
        self.given_pids = pids
        self.access_key = os.environ.get("AWS_ACCESS_KEY_ID", "")
        self.secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY", "")

    def pids(self):
        return self.given_pids


class Command(Server):
    """An S3 server started by a command that holds {port} and {dir}; {access_key} and {secret_key}
    too, where they are not in the environment. Each one has a store of its own."""

    name = "peer"

    def __init__(self, template, folder, cpus):
        self.template = shlex.split(template)
        self.folder = folder
        self.cpus = cpus
        self.access_key = os.environ.get("AWS_ACCESS_KEY_ID") or "benchbench"
        self.secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY") or "bench-secret-0123456789"
        (folder / "data").mkdir()
        self.start()

    def command(self, port=0):
        port = port or machine.free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        names = {"port": port, "dir": self.folder / "data", "access_key": self.access_key,
                 "secret_key": self.secret_key}  # fmt: skip
        return [word.format(**names) for word in self.template]

    def start(self):
        self._spawn(self.command(), self.folder, self.cpus, stdout=subprocess.DEVNULL,
                    env=self.environment())  # fmt: skip
        end = time.monotonic() + READY_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                log = self.folder / "log"
                raise RuntimeError(f"'{' '.join(self.template)}' did not start: see {log}")
            time.sleep(0.02)

    def _answers(self):
        """Anything but "not yet": who is anonymous is refused by a server that is up."""
        try:
            with urllib.request.urlopen(self.endpoint, timeout=READY_S):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return error.code != 503
        except OSError:
            return False
