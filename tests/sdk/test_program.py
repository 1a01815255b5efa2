# SPDX-License-Identifier: Apache-2.0
"""The program itself: settings, start, what it prints, stop, and the small subcommands."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import platform
import pty
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import boto3
import pytest

from wire import process

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 30

DEV_USER, DEV_PASSWORD = "pailadmin", "pailadmin-secret"

# FIELD, KEY, FLAG, ENV, KIND of every row of settings.def.
SETTINGS = re.findall(
    r'^SETTING\((\w+),\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",\s*(\w+),',
    (ROOT / "server" / "settings" / "settings.def").read_text(), re.MULTILINE)  # fmt: skip

# Three values for each key that tell the sources apart, as `pail config` prints them.
VALUES = {
    "dir": ("file-dir", "environment-dir", "flag-dir"),
    "listen": ("127.0.0.1:1", "127.0.0.1:2,[::1]:2", "127.0.0.1:3"),
    "tls-cert": ("file.pem", "environment.pem", "flag.pem"),
    "tls-key": ("file.key", "environment.key", "flag.key"),
    "region": ("eu-file-1", "eu-environment-1", "eu-flag-1"),
    "strict-region": ("yes", "no", "yes"),
    "sse-c-over-http": ("yes", "no", "yes"),
    "lifecycle-day": ("10", "20", "30"),
    "archive": ("readable", "restore", "readable"),
    "restore-delay": ("11", "21", "31"),
    "domain": ("file.test", "environment.test,two.test", "flag.test"),
    "website-domain": ("file.web", "environment.web,two.web", "flag.web"),
    "cors": ("http://file.test", "http://environment.test,http://*.two.test", "*"),
    "explain-denials": ("yes", "no", "yes"),
    "durability": ("relaxed", "strict", "relaxed"),
    "auth": ("audit", "strict", "open"),
    "new-buckets": ("aws", "acls", "aws"),
    "account-id": ("111122223333", "444455556666", "777788889999"),
    "force-open": ("yes", "no", "yes"),
    "dev": ("yes", "no", "yes"),
    "store": ("a=file", "b=environment,c=variable", "d=flag"),
    "buckets": ("file", "environment,variable", "flag"),
    "port-file": ("file.port", "environment.port", "flag.port"),
    "ready-fd": ("3", "4", "5"),
    "threads": ("1", "2", "3"),
    "connections": ("100", "200", "300"),
    "inline-max": ("1000", "2000", "3000"),
    "read-cache": ("4000", "5000", "6000"),
    "buffered-bodies": ("17000000", "18000000", "19000000"),
    "log-level": ("error", "warn", "debug"),
    "scrub-rate": ("7000", "8000", "9000"),
    "scrub-interval": ("1000", "2000", "3000"),
    "upload-expiry": ("100", "200", "300"),
    "access-log-interval": ("10", "20", "30"),
    "events-max": ("100", "200", "300"),
    "root-user": ("file-user", "environment-user", None),
    "root-from-aws": ("yes", "no", "yes"),
}


def environment(**extra):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("AWS_", "PAIL_", "MINIO_"))}  # fmt: skip
    return {**clean, **extra}


def program():
    found = process.program()
    if found is None or not found.exists():
        pytest.fail("there is no pail to test: build one, or name it in PAIL_PROGRAM", pytrace=False)
    return str(found)


def run(*words, env=None, **arguments):
    """A subcommand that ends by itself."""
    return subprocess.run([program(), *map(str, words)], env=environment(**(env or {})),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT_S, **arguments)  # fmt: skip


def pasted(banner, **known):
    """The AWS_* variables of a shell in another directory, with `known` set before, after the banner."""
    env = {"PATH": os.environ["PATH"], "AWS_SESSION_TOKEN": "of-another-account", **known}
    of_log = re.compile(r"^\d{4}-\d\d-\d\dT.*\n", re.MULTILINE)
    script = of_log.sub("", banner) + "\nenv -0"
    out = subprocess.run(["sh", "-euc", script], env=env, cwd="/", capture_output=True, check=True)
    pairs = (item.split(b"=", 1) for item in out.stdout.split(b"\0") if b"=" in item)
    return {name.decode(): value.decode() for name, value in pairs if name.startswith(b"AWS_")}


class Serving:
    """A pail serve process on a free port: its JSON lines, and what it wrote to stderr."""

    def __init__(self, folder, *options, env=None, listen=("127.0.0.1:0",), lines=1, **arguments):
        self.folder = pathlib.Path(folder)
        self.directory = self.folder / "data"
        self.stderr_path = self.folder / "stderr.log"
        self.clock = process.Clock()
        command = [program(), "serve"]
        for address in listen:
            command += ["--listen", address]
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [*command, *map(str, options), str(self.directory)], env=environment(**self.clock.environment(), **(env or {})),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                pass_fds=[self.clock.theirs.fileno(), *arguments.pop("pass_fds", ())], **arguments)  # fmt: skip
        self.clock.started()
        self.lines = []
        for _ in range(lines):
            line = self.process.stdout.readline()
            assert line.endswith(b"\n"), f"no ready line:\n{self.banner()}"
            self.lines.append(json.loads(line))
        self.url = self.lines[0]["url"]

    def banner(self):
        return self.stderr_path.read_text()

    def exported(self):
        """What a shell knows after the banner was pasted into it."""
        return pasted(self.banner())

    def client(self):
        known = self.exported()
        return boto3.session.Session(
            known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"],
            region_name=known["AWS_DEFAULT_REGION"],
        ).client("s3", endpoint_url=known["AWS_ENDPOINT_URL_S3"])  # fmt: skip

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(TIMEOUT_S)
        self.process.stdout.close()
        assert "Sanitizer" not in self.banner(), self.banner()
        return status


@contextlib.contextmanager
def serving(folder, *options, **arguments):
    server = Serving(folder, *options, **arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
            server.process.stdout.close()


# ---- help, version, usage -----------------------------------------------------------------------


def test_program__the_table_was_read():
    assert len(SETTINGS) >= 20
    keys = {key for _, key, _, _, _ in SETTINGS if key}
    assert keys == set(VALUES) | {"root-password"}


def test_program__help_lists_every_command():
    out = run("--help")
    assert out.returncode == 0
    for command in ("serve", "config", "credentials", "presign", "health", "key", "fsck"):
        assert re.search(rf"^  {command} ", out.stdout, re.MULTILINE)
        page = run(command, "--help")
        assert (page.returncode, page.stderr) == (0, "")
        assert page.stdout.startswith(f"Usage: pail {command}")


def test_program__serve_help_lists_every_setting_and_its_variable():
    text = run("serve", "--help").stdout
    for _, _, flag, variable, _ in SETTINGS:
        assert variable in text
        if flag:
            assert re.search(rf"^  {flag}\b", text, re.MULTILINE), flag
    assert max(map(len, text.splitlines())) <= 80 + 6


def test_program__pail_conf_names_every_setting_with_its_default():
    text = (ROOT / "conf" / "pail.conf").read_text()
    defaults = run("config").stdout
    for _, key, _, _, _ in SETTINGS:
        if not key:
            continue
        assert re.search(rf"^; {key} - .*", text, re.MULTILINE), f"{key} is not explained"
        assert re.search(rf"^;{key} = \S", text, re.MULTILINE), f"{key} has no line"
    # Those whose example is their default.
    for key in ("listen", "region", "strict-region", "durability", "auth", "force-open", "dev",
                "threads", "connections", "log-level", "upload-expiry"):  # fmt: skip
        shown = re.search(rf"^;{key} = (.*)$", text, re.MULTILINE)[1]
        assert re.search(rf"^{key} += {re.escape(shown)} +; default$", defaults, re.MULTILINE), key


def test_program__pail_conf_is_a_settings_file_with_and_without_its_comment_signs(tmp_path):
    conf = ROOT / "conf" / "pail.conf"
    assert run("config", "--config", conf).returncode == 0
    unleashed = tmp_path / "pail.conf"
    unleashed.write_text(re.sub(r"(?m)^;(?=[\w\[])", "", conf.read_text()))
    out = run("config", "--config", unleashed)
    # Only the descriptor of the example is not open here.
    assert "--ready-fd 3" in out.stderr or out.returncode == 0, out.stderr
    assert re.search(rf"^region += us-east-1 +; file {unleashed}:\d+$", out.stdout, re.MULTILINE)
    assert "[user alice]" in out.stdout


def test_program__version_names_the_libraries():
    out = run("--version")
    assert out.returncode == 0
    names = [line.split()[0] for line in out.stdout.splitlines()]
    assert names == ["pail", "libmicrohttpd", "SQLite", "OpenSSL", "libxml2"]
    for line in out.stdout.splitlines():
        assert re.fullmatch(r"\S+ \d+\.\d+(\.\d+)?.*", line), line


@pytest.mark.parametrize("words", [
    [], ["sevre"], ["--unknown"], ["serve"], ["serve", "--unknown", "d"], ["serve", "--list", "x", "d"],
    ["serve", "a", "b"], ["serve", "--listen"], ["serve", "--threads", "x", "d"], ["serve", "-v", "d"],
    ["config", "--unknown"], ["fsck"], ["fsck", "--unknown", "d"], ["fsck", "--json=x", "d"],
    ["health", "a", "b"], ["health", "--unknown"], ["health", "127.0.0.1"], ["presign"],
    ["presign", "b/k"], ["presign", "--unknown", "s3://b/k"], ["presign", "--expires", "0", "s3://b/k"],
    ["presign", "--expires", "604801", "s3://b/k"], ["credentials"], ["credentials", "--unknown", "d"],
])  # fmt: skip
def test_program__what_is_not_understood_is_one_sentence_and_exit_2(words, tmp_path):
    out = run(*words, cwd=tmp_path)
    assert (out.returncode, out.stdout) == (2, "")
    assert re.fullmatch(r"pail: \S.*\nSee 'pail [a-z ]*--help'\.\n", out.stderr), out.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "hint"), [
    (["sevre"], "did you mean 'serve'?"), (["server", "d", "--address", ":9000"], "did you mean 'pail serve DIR'?"),
    (["minio", "server", "d"], "did you mean 'pail serve DIR'?"), (["helth"], "did you mean 'health'?"),
    (["credential", "d"], "did you mean 'credentials'?"), (["./data"], "did you mean 'pail serve [options] DIR'?"),
    (["--listen", ":9000", "d"], "did you mean 'pail serve [options] DIR'?"),
    (["serve", "--address", ":9000", "d"], "here it is --listen ADDR:PORT"),
    (["serve", "--console-address", ":9001", "d"], "there is no console"),
    (["serve", "--lisen", ":9000", "d"], "did you mean '--listen'?"),
    (["serve", "--durabilty=relaxed", "d"], "did you mean '--durability'?"),
    (["serve", "--region-strict", "d"], "unknown option '--region-strict'\n"),
    (["config", "--tls-crt", "x"], "did you mean '--tls-cert'?"),
    (["presign", "--expire", "60", "s3://b/k"], "did you mean '--expires'?"),
    (["health", "--ca-fil", "x"], "did you mean '--ca-file'?"),
])  # fmt: skip
def test_program__a_misspelt_word_is_answered_with_the_nearest_one(words, hint, tmp_path):
    out = run(*words, cwd=tmp_path)
    assert (out.returncode, out.stdout) == (2, "")
    assert hint in out.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("variable", "hint"), [
    ("PAIL_ROOT_PASWORD", "did you mean PAIL_ROOT_PASSWORD?"), ("PAIL_ROOT_USR", "did you mean PAIL_ROOT_USER?"),
    ("PAIL_LISTNE", "did you mean PAIL_LISTEN?"), ("PAIL_DOMAINS", "did you mean PAIL_DOMAIN?"),
    ("PAIL_BUCKET", "did you mean PAIL_BUCKETS?"), ("PAIL_PASSWORD", "did you mean PAIL_ROOT_PASSWORD?"),
    ("PAIL_ADDRESS", "did you mean PAIL_LISTEN?"), ("PAIL_root_user", "PAIL_root_user"),
    ("PAIL_COLOUR_OF_THE_SKY", "no setting has that name"), ("PAIL_", "no setting has that name"),
])  # fmt: skip
def test_program__a_misspelt_variable_stops_the_start(variable, hint, tmp_path):
    for command in ("serve", "config"):
        out = run(command, tmp_path / "data", env={variable: "x"})
        assert (out.returncode, out.stdout) == (2, "")
        assert f"unknown variable {variable}: " in out.stderr and hint in out.stderr
        assert not (tmp_path / "data").exists()
    assert run("config", env={variable: ""}).returncode == 0, "an empty variable counts as not set"


def test_program__variables_of_the_scripts_and_tests_are_no_settings():
    shell = [ROOT / "dev", ROOT / ".ci/run", *(ROOT / "tests" / name for name in ("fault/run", "deep/run", "tools/lanes.sh"))]
    names = {name for path in shell for name in re.findall(r"\$\{?(PAIL_[A-Z_]+)", path.read_text())}
    for path in (ROOT / "tests").rglob("*.py"):
        names |= set(re.findall(r'environ(?:\.get\(|\[|\.pop\()"(PAIL_[A-Z_]+)', path.read_text()))
    names -= {"PAIL_DIR"}  # of ./dev run, and a setting's too
    assert "PAIL_CI_RUN" in names and len(names) > 20
    out = run("config", env=dict.fromkeys(names, "1"))
    assert out.returncode == 0, out.stderr


def test_program__variables_of_a_kubernetes_service_named_pail_are_no_settings():
    env = {"PAIL_SERVICE_HOST": "10.0.0.1", "PAIL_SERVICE_PORT": "9000", "PAIL_SERVICE_PORT_S3": "9000",
           "PAIL_PORT": "tcp://10.0.0.1:9000", "PAIL_PORT_9000_TCP": "tcp://10.0.0.1:9000",
           "PAIL_PORT_9000_TCP_PROTO": "tcp", "PAIL_PORT_9000_TCP_PORT": "9000",
           "PAIL_PORT_9000_TCP_ADDR": "10.0.0.1", "PAIL_DEV_SERVICE_HOST": "10.0.0.2",
           "PAIL_DEV_PORT": "tcp://10.0.0.2:9000"}  # fmt: skip
    assert run("config", env=env).returncode == 0
    out = run("config", env={"PAIL_PORT": "9000"})
    assert out.returncode == 2 and "did you mean PAIL_LISTEN?" in out.stderr


def test_program__misspelt_key_of_the_settings_file_is_answered_with_the_nearest_one(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("[server]\nlisen = 127.0.0.1:0\n")
    out = run("config", "--config", conf)
    assert out.returncode == 2
    assert f"{conf}, line 2: there is no setting 'lisen': did you mean 'listen'?" in out.stderr


def test_program__exit_codes_of_fsck_are_the_same_in_both_helps():
    assert "of fsck: 0 clean, 1 damaged, 2 not checked, 3 the directory is in use" in run("--help").stdout
    page = " ".join(run("fsck", "--help").stdout.split())
    assert re.search(r"0 clean.*, 1 errors were found.*, 2 the check could not run, 3 \S.* in use", page), page


# ---- settings -----------------------------------------------------------------------------------


def shown(key, *words, env=None):
    """Value and origin of a setting in `pail config`."""
    text = run("config", *words, env=env).stdout
    found = re.search(rf"^(?:; )?{key} += (.*?) *; ((?:default|file|environment|flag)\b.*)$", text, re.MULTILINE)
    assert found, text
    return found[1], found[2]


@pytest.mark.parametrize("row", [row for row in SETTINGS if row[1] in VALUES], ids=lambda row: row[1])
def test_program__flag_beats_environment_beats_file_beats_default(row, tmp_path):
    _, key, flag, variable, _ = row
    of_file, of_environment, of_flag = VALUES[key]
    conf = tmp_path / "pail.conf"
    conf.write_text(f"[server]\n{key} = {of_file}\n")

    assert shown(key)[1] == "default"
    assert shown(key, "--config", conf) == (of_file, f"file {conf}:2")
    env = {variable: of_environment, "PAIL_CONFIG": str(conf)}
    assert shown(key, env=env) == (of_environment, f"environment {variable}")
    if flag:
        assert shown(key, f"{flag}={of_flag}", env=env) == (of_flag, f"flag {flag}")
    elif key == "dir":
        assert shown(key, of_flag, env=env) == (of_flag, "flag DIR")


def test_program__config_names_the_file_and_where_its_name_came_from(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("")
    assert shown("config", env={"PAIL_CONFIG": str(conf)}) == (str(conf), "environment PAIL_CONFIG")
    assert shown("config", "--config", conf)[1] == "flag --config"


def test_program__config_shows_no_secret(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("[user bob]\naccess_key = bob-key\nsecret_key = hush-1\nsession_token = hush-2\n")
    out = run("config", "--config", conf, env={"PAIL_ROOT_USER": "u", "PAIL_ROOT_PASSWORD": "hush-3"})
    assert out.returncode == 0
    assert "hush" not in out.stdout + out.stderr
    assert "bob-key" in out.stdout
    assert "environment PAIL_ROOT_PASSWORD" in out.stdout


def test_program__output_of_config_is_a_settings_file(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text(run("config", "--region", "eu-west-9", "--threads", "3").stdout)
    assert shown("region", "--config", conf)[0] == "eu-west-9"
    assert shown("threads", "--config", conf)[0] == "3"


def test_program__unknown_key_names_file_and_line(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("[server]\nregion = a\nlisten_on = b\n")
    for command in ("serve", "config"):
        out = run(command, "--config", conf, tmp_path / "data")
        assert out.returncode == 2
        assert f"{conf}, line 3: there is no setting 'listen_on'" in out.stderr


@pytest.mark.parametrize("options", [
    ["--dev", "--listen", "0.0.0.0:0"],
    ["--dev", "--listen", "127.0.0.1:0", "--listen", "[::]:0"],
    ["--dev", "--force-open", "--listen", "0.0.0.0:0"],
    ["--auth", "open", "--listen", "0.0.0.0:0"],
    ["--auth", "audit", "--listen", "0.0.0.0:0"],
    ["--auth", "open", "--listen", "http://0.0.0.0:0"],
])  # fmt: skip
def test_program__modes_that_let_anyone_in_refuse_other_addresses(options, tmp_path):
    out = run("serve", *options, tmp_path / "data")
    assert out.returncode == 2
    assert "loopback addresses" in out.stderr
    assert not (tmp_path / "data").exists()


def test_program__force_open_serves_everywhere(tmp_path):
    with serving(tmp_path, "--auth", "open", "--force-open", listen=["0.0.0.0:0"]) as server:
        assert server.url.startswith("http://0.0.0.0:")
        assert server.exported()["AWS_ENDPOINT_URL_S3"] == server.url.replace("0.0.0.0", "127.0.0.1")
        assert server.lines[0]["address"] == "0.0.0.0"
        assert f"#   {server.url} - every address of this machine" in server.banner()
        assert "authentication: open" in server.banner()
        assert server.stop() == 0


# ---- start --------------------------------------------------------------------------------------


def test_program__banner_can_be_pasted_and_then_boto3_works(tmp_path):
    with serving(tmp_path) as server:
        known = server.exported()
        assert re.fullmatch(r"[A-Z0-9]{20}", known["AWS_ACCESS_KEY_ID"])
        assert re.fullmatch(r"\S{40}", known["AWS_SECRET_ACCESS_KEY"])
        assert known["AWS_DEFAULT_REGION"] == known["AWS_REGION"] == "us-east-1"
        assert known["AWS_ENDPOINT_URL_S3"] == known["AWS_ENDPOINT_URL_STS"] == server.url
        assert "AWS_ENDPOINT_URL" not in known, "other services' requests would come here"
        assert "AWS_SESSION_TOKEN" not in known
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=b"body")
        assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"body"
        s3.create_multipart_upload(Bucket="bucket", Key="key")
        assert s3.list_multipart_uploads(Bucket="bucket")["Uploads"][0]["Initiator"]["DisplayName"] == "root"
        assert server.stop() == 0


def test_program__no_secret_is_printed_where_it_stays_in_a_log(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("[server]\nroot-user = my-user\nroot-password = hush/secret+\n")
    conf.chmod(0o600)
    sources = {
        "generated": {}, "kept": {},
        "pail": {"env": {"PAIL_ROOT_USER": "my-user", "PAIL_ROOT_PASSWORD": "hush/secret+"}},
        "minio": {"env": {"MINIO_ROOT_USER": "my-user", "MINIO_ROOT_PASSWORD": "hush/secret+"}},
        "file": {"env": {"PAIL_CONFIG": str(conf)}},
        "aws": {"env": {"AWS_ACCESS_KEY_ID": "my-user", "AWS_SECRET_ACCESS_KEY": "hush/secret+",
                        "PAIL_ROOT_FROM_AWS": "yes"}},
    }  # fmt: skip
    for name, arguments in sources.items():
        with serving(tmp_path, **arguments) as server:
            known = server.exported()
            assert known["AWS_SECRET_ACCESS_KEY"] not in server.banner(), name
            if name not in ("generated", "kept"):
                assert (known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]) == ("my-user", "hush/secret+"), name
            server.client().list_buckets()
            assert server.stop() == 0
            assert known["AWS_SECRET_ACCESS_KEY"] not in server.banner(), name


def test_program__secret_is_shown_to_whoever_looks_at_the_terminal(tmp_path):
    secret = "my secret/+'\"$"
    for env in ({}, {}, {"PAIL_ROOT_USER": "my-user", "PAIL_ROOT_PASSWORD": secret}):
        pid, terminal, text = serve_on_terminal(tmp_path, options=[], env=env)
        banner = text[:text.index('{"url"')].replace("\r\n", "\n")
        known = pasted(banner, PATH="/nowhere:/usr/bin:/bin")
        assert "$(" not in banner
        if env:
            assert known["AWS_SECRET_ACCESS_KEY"] == secret
        boto3.session.Session(
            known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"], region_name=known["AWS_REGION"],
        ).client("s3", endpoint_url=known["AWS_ENDPOINT_URL_S3"]).list_buckets()  # fmt: skip
        os.kill(pid, signal.SIGTERM)
        assert os.waitpid(pid, 0) == (pid, 0)
        os.close(terminal)


@pytest.mark.parametrize(("names", "says"), [
    ((), "a new key pair, kept in {dir}/credentials"),
    (("PAIL_ROOT_USER", "PAIL_ROOT_PASSWORD"), "from PAIL_ROOT_USER and PAIL_ROOT_PASSWORD"),
    (("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"), "from MINIO_ROOT_USER and MINIO_ROOT_PASSWORD"),
])  # fmt: skip
def test_program__banner_says_where_the_root_user_came_from(names, says, tmp_path):
    with serving(tmp_path, env=dict(zip(names, ("u", "s")))) as server:
        assert f"# root user: {says.format(dir=server.directory)}\n" in server.banner()
        assert server.stop() == 0
    if not names:
        with serving(tmp_path) as server:
            assert f"# root user: from {server.directory}/credentials\n" in server.banner()
            assert server.stop() == 0


def test_program__keys_of_aws_are_not_taken_unless_asked_for(tmp_path):
    env = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real-secret", "AWS_SESSION_TOKEN": "real-token"}
    with serving(tmp_path, env=env) as server:
        known = server.exported()
        assert known["AWS_ACCESS_KEY_ID"].startswith("PAIL")
        assert (server.directory / "credentials").exists()
        assert "AKIAREAL" not in server.banner() and "real" not in server.banner()
        assert "AWS_ACCESS_KEY_ID of this environment is not the root user's" in server.banner()
        assert server.stop() == 0
    with serving(tmp_path, "--root-from-aws", env=env) as server:
        known = server.exported()
        assert {name: known[name] for name in env} == env
        assert "# root user: from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n" in server.banner()
        boto3.session.Session(*env.values(), region_name="us-east-1").client(
            "s3", endpoint_url=server.url).list_buckets()  # fmt: skip
        assert server.stop() == 0
    out = run("serve", "--root-from-aws", "--listen", "127.0.0.1:0", tmp_path / "data")
    assert out.returncode == 1
    assert "AWS_ACCESS_KEY_ID" in out.stderr


def test_program__credentials_asks_the_server_whose_pair_no_file_holds(tmp_path):
    env = {"PAIL_ROOT_USER": "my-user", "PAIL_ROOT_PASSWORD": "my secret"}
    with serving(tmp_path) as server:
        kept = server.exported()
        assert server.stop() == 0
    with serving(tmp_path, env=env) as server:
        socket_file = server.directory / "root.socket"
        assert stat.S_IMODE(socket_file.stat().st_mode) == 0o600
        for _ in range(3):
            out = run("credentials", server.directory)
            assert out.stdout == "export AWS_ACCESS_KEY_ID=my-user\nexport AWS_SECRET_ACCESS_KEY='my secret'\n"
        server.process.kill()
        server.process.wait()
        # What is left behind answers nobody: the file's pair is in force again.
        assert socket_file.exists()
        assert run("credentials", server.directory, "access-key").stdout == kept["AWS_ACCESS_KEY_ID"] + "\n"
    with serving(tmp_path, env=env) as server:
        assert run("credentials", server.directory, "secret-key").stdout == "my secret\n"
        url = run("presign", "--dir", server.directory, "--endpoint", server.url, "s3://bucket/key").stdout
        assert "X-Amz-Credential=my-user" in url
        assert server.stop() == 0
        assert not socket_file.exists()


def test_program__a_name_with_a_line_feed_adds_no_command_to_the_banner(tmp_path):
    folder = tmp_path / "a\nexport AWS_INJECTED=1\nb"
    folder.mkdir()
    with serving(folder) as server:
        assert "AWS_INJECTED" not in server.exported()
        assert server.stop() == 0


def test_program__key_pair_is_kept_0600_and_survives_a_restart(tmp_path):
    with serving(tmp_path) as server:
        first = server.exported()
        kept = server.directory / "credentials"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        assert server.stop() == 0
    with serving(tmp_path, listen=[server.url.removeprefix("http://")]) as again:
        assert again.exported() == first
        again.client().list_buckets()
        assert again.stop() == 0


def test_program__banner_quotes_what_a_shell_would_read(tmp_path):
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    for _ in range(2):
        with serving(folder, "--region", "eu-west-9") as server:
            server.client().list_buckets()
            assert server.stop() == 0


def test_program__kept_key_pair_is_a_shared_credentials_file(tmp_path):
    with serving(tmp_path, "--buckets", "seed") as server:
        script = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'])"
        out = subprocess.run(
            [sys.executable, "-c", script],
            env=environment(AWS_SHARED_CREDENTIALS_FILE=str(server.directory / "credentials"),
                            AWS_ENDPOINT_URL=server.url, AWS_DEFAULT_REGION="us-east-1"),
            capture_output=True, text=True, timeout=TIMEOUT_S)  # fmt: skip
        assert out.stdout == "seed\n", out.stderr
        assert server.stop() == 0


@pytest.mark.parametrize("names", [
    ("PAIL_ROOT_USER", "PAIL_ROOT_PASSWORD"),
    ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
])  # fmt: skip
def test_program__key_pair_from_the_environment(names, tmp_path):
    env = dict(zip(names, ("my-user", "my secret/+'\"$")))
    with serving(tmp_path, env=env) as server:
        assert env[names[1]] not in server.banner()
        assert not (server.directory / "credentials").exists()
        boto3.session.Session("my-user", env[names[1]], region_name="us-east-1").client(
            "s3", endpoint_url=server.url).list_buckets()  # fmt: skip
        assert server.exported()["AWS_SECRET_ACCESS_KEY"] == env[names[1]]
        assert server.stop() == 0


def test_program__half_a_key_pair_is_refused(tmp_path):
    out = run("serve", "--listen", "127.0.0.1:0", tmp_path / "data", env={"MINIO_ROOT_USER": "u"})
    assert out.returncode == 1
    assert "MINIO_ROOT_PASSWORD" in out.stderr


def test_program__key_pair_from_the_settings_file(tmp_path):
    conf = tmp_path / "my settings.conf"
    conf.write_text("[server]\nroot-user = my-user\nroot-password = my-secret\n")
    conf.chmod(0o600)
    with serving(tmp_path, "--config", conf) as server:
        assert "my-secret" not in server.banner()
        assert server.exported()["AWS_SECRET_ACCESS_KEY"] == "my-secret"
        server.client().list_buckets()
        assert server.stop() == 0


def test_program__users_of_the_settings_file_own_what_they_make(tmp_path):
    conf = tmp_path / "pail.conf"
    conf.write_text("[user bob]\naccess_key = bob-key\nsecret_key = bob-secret\n")
    conf.chmod(0o600)
    with serving(tmp_path, "--config", conf, "--buckets", "of-root") as server:
        bob = boto3.session.Session("bob-key", "bob-secret", region_name="us-east-1").client(
            "s3", endpoint_url=server.url)  # fmt: skip
        bob.create_bucket(Bucket="of-bob")
        listed = bob.list_buckets()
        assert [bucket["Name"] for bucket in listed["Buckets"]] == ["of-bob"]
        bob.create_multipart_upload(Bucket="of-bob", Key="key")
        assert bob.list_multipart_uploads(Bucket="of-bob")["Uploads"][0]["Initiator"]["DisplayName"] == "bob"
        assert server.stop() == 0


def test_program__dev_uses_the_documented_pair_and_keeps_nothing(tmp_path):
    with serving(tmp_path, "--dev", env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}) as server:
        known = server.exported()
        assert (known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]) == (DEV_USER, DEV_PASSWORD)
        server.client().list_buckets()
        assert not (server.directory / "credentials").exists()
        assert server.stop() == 0


def test_program__banner_says_what_is_weaker(tmp_path):
    with serving(tmp_path, "--durability", "relaxed", "--auth", "audit") as server:
        assert "durability: relaxed" in server.banner()
        assert "authentication: audit" in server.banner()
        assert server.stop() == 0


def test_program__banner_of_a_strict_server_has_no_warnings(tmp_path):
    with serving(tmp_path) as server:
        assert "durability" not in server.banner()
        assert "authentication" not in server.banner()
        assert server.stop() == 0


def test_program__one_json_line_per_listener(tmp_path, certificate):
    listen = ["http://127.0.0.1:0", "https://127.0.0.1:0", "[::1]:0", f"unix:{tmp_path}/socket"]
    tls = ["--tls-cert", certificate[0], "--tls-key", certificate[1]]
    with serving(tmp_path, *tls, listen=listen, lines=4) as server:
        urls = [line["url"] for line in server.lines]
        assert [line["tls"] for line in server.lines] == [False, True, True, False]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", urls[0])
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", urls[1])
        assert re.fullmatch(r"https://\[::1\]:\d+", urls[2])
        assert urls[3].endswith(f"unix:{tmp_path}/socket")
        assert all(line["port"] == urllib.parse.urlsplit(line["url"]).port for line in server.lines[:3])
        assert "port" not in server.lines[3]
        for url in (urls[0], urls[1], f"unix:{tmp_path}/socket"):
            assert run("health", url).returncode == 0, url
        assert server.stop() == 0
        assert server.process.stdout.closed


def test_program__a_plain_address_speaks_tls_when_a_certificate_is_given(tmp_path, certificate):
    tls = ["--tls-cert", certificate[0], "--tls-key", certificate[1]]
    with serving(tmp_path, *tls, "--dev") as server:
        assert server.url.startswith("https://")
        s3 = boto3.session.Session(DEV_USER, DEV_PASSWORD, region_name="us-east-1").client(
            "s3", endpoint_url=server.url, verify=str(certificate[0]))  # fmt: skip
        s3.list_buckets()
        assert server.stop() == 0


def issue(folder, *names, subject="/CN=server", ca=None):
    """A certificate for those names, signed by ca (a pair of paths) or by itself: its two paths."""
    folder.mkdir()
    cert, key = folder / "cert.pem", folder / "key.pem"
    extra = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
    signer = ["-CA", ca[0], "-CAkey", ca[1]] if ca else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", subject, "-keyout", key, "-out", cert, *extra, *signer],
        check=True, capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip
    return cert, key


def test_program__banner_trusts_a_certificate_that_vouches_for_itself(tmp_path):
    cert, key = issue(tmp_path / "self", "IP:127.0.0.1")
    words = ["--tls-cert", cert.relative_to(tmp_path), "--tls-key", key.relative_to(tmp_path)]
    with serving(tmp_path, *words, cwd=tmp_path) as server:
        known = server.exported()
        assert known["AWS_CA_BUNDLE"] == str(cert)
        assert known["AWS_ENDPOINT_URL_S3"] == server.url
        script = "import boto3; boto3.client('s3').list_buckets()"
        out = subprocess.run([sys.executable, "-c", script], env={**environment(), **known}, cwd="/",
                             capture_output=True, text=True, timeout=TIMEOUT_S)  # fmt: skip
        assert out.returncode == 0, out.stderr
        assert server.stop() == 0


def test_program__banner_of_a_private_ca_names_the_issuer_unless_the_file_holds_it(tmp_path):
    ca = issue(tmp_path / "ca", subject="/CN=Our Own CA")
    cert, key = issue(tmp_path / "leaf", "IP:127.0.0.1", ca=ca)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(cert.read_bytes() + ca[0].read_bytes())
    with serving(tmp_path, "--tls-cert", cert, "--tls-key", key) as server:
        assert "AWS_CA_BUNDLE" not in server.exported()
        assert "# the certificate was issued by CN=Our Own CA; " in server.banner()
        assert server.stop() == 0
    with serving(tmp_path, "--tls-cert", chain, "--tls-key", key) as server:
        assert server.exported()["AWS_CA_BUNDLE"] == str(chain)
        assert server.stop() == 0


def test_program__banner_uses_a_name_the_certificate_is_for(tmp_path):
    cert, key = issue(tmp_path / "local", "DNS:localhost")
    with serving(tmp_path, "--tls-cert", cert, "--tls-key", key) as server:
        assert server.exported()["AWS_ENDPOINT_URL_S3"] == server.url.replace("127.0.0.1", "localhost")
        assert server.stop() == 0
    cert, key = issue(tmp_path / "other", "DNS:s3.example.com")
    with serving(tmp_path, "--tls-cert", cert, "--tls-key", key) as server:
        assert "# the certificate is not for 127.0.0.1 but for s3.example.com: " in server.banner()
        assert server.stop() == 0


def test_program__sighup_reads_the_certificate_again(tmp_path, certificate):
    import ssl

    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(certificate[0].read_bytes())
    key.write_bytes(certificate[1].read_bytes())
    with serving(tmp_path, "--tls-cert", cert, "--tls-key", key) as server:
        address = ("127.0.0.1", server.lines[0]["port"])
        before = ssl.get_server_certificate(address)
        (tmp_path / "new").mkdir()
        new_cert, new_key = process.make_certificate(tmp_path / "new")
        cert.write_bytes(new_cert.read_bytes())
        key.write_bytes(new_key.read_bytes())
        server.process.send_signal(signal.SIGHUP)
        process.until(lambda: ssl.get_server_certificate(address) != before, server.banner)
        cert.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        process.until(lambda: "stays" in server.banner(), server.banner)
        assert ssl.get_server_certificate(address) != before
        assert server.stop() == 0


def test_program__port_file_holds_the_first_port_when_the_server_answers(tmp_path):
    port_file = tmp_path / "port"
    listen = [f"unix:{tmp_path}/socket", "127.0.0.1:0", "127.0.0.1:0"]
    with serving(tmp_path, "--port-file", port_file, listen=listen, lines=3) as server:
        port = int(port_file.read_text())
        assert port == server.lines[1]["port"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        connection.request("GET", "/")
        assert connection.getresponse().status == 403
        connection.close()
        assert [path.name for path in tmp_path.glob("port*")] == ["port"]
        assert server.stop() == 0


def test_program__port_file_that_can_not_be_written_stops_the_start(tmp_path):
    out = run("serve", "--listen", "127.0.0.1:0", "--port-file", tmp_path / "no" / "port", tmp_path / "data")
    assert (out.returncode, out.stdout) == (1, "")
    assert "port file" in out.stderr


def test_program__ready_fd_gets_one_line_and_is_closed(tmp_path):
    read_end, write_end = os.pipe()
    with serving(tmp_path, "--ready-fd", write_end, pass_fds=[write_end]) as server:
        os.close(write_end)
        with os.fdopen(read_end, "rb") as ready:
            assert ready.read() == b"ready\n"
        assert server.stop() == 0


def test_program__ready_fd_that_is_not_open_is_refused(tmp_path):
    out = run("serve", "--ready-fd", "77", tmp_path / "data")
    assert out.returncode == 2
    assert "--ready-fd 77" in out.stderr


def test_program__buckets_are_there_when_ready_and_at_every_start(tmp_path):
    for _ in range(2):
        with serving(tmp_path, "--buckets", "one,two", "--buckets", "three") as server:
            listed = server.client().list_buckets()["Buckets"]
            assert [bucket["Name"] for bucket in listed] == ["one", "three", "two"]
            assert server.stop() == 0


def test_program__buckets_that_can_not_be_made_stop_the_start(tmp_path):
    out = run("serve", "--listen", "127.0.0.1:0", "--buckets", "fine,Not_Fine", tmp_path / "data")
    assert (out.returncode != 0, out.stdout) == (True, "")
    assert "Not_Fine" in out.stderr

    # Somebody else's is refused too.
    conf = tmp_path / "pail.conf"
    conf.write_text("[user bob]\naccess_key = bob-key\nsecret_key = bob-secret\n")
    with serving(tmp_path, "--config", conf) as server:
        boto3.session.Session("bob-key", "bob-secret", region_name="us-east-1").client(
            "s3", endpoint_url=server.url).create_bucket(Bucket="of-bob")  # fmt: skip
        assert server.stop() == 0
    out = run("serve", "--listen", "127.0.0.1:0", "--buckets", "of-bob", tmp_path / "data")
    assert (out.returncode, out.stdout) == (1, "")
    assert "of-bob" in out.stderr


def test_program__region_of_the_server_is_where_its_buckets_are(tmp_path):
    with serving(tmp_path, "--region", "eu-west-9", "--buckets", "seed") as server:
        assert server.exported()["AWS_DEFAULT_REGION"] == "eu-west-9"
        where = server.client().get_bucket_location(Bucket="seed")
        assert where["LocationConstraint"] == "eu-west-9"
        assert server.stop() == 0


def test_program__port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        out = run("serve", "--listen", address, tmp_path / "data")
    assert (out.returncode, out.stdout) == (1, "")
    assert address in out.stderr and "in use" in out.stderr
    assert not (tmp_path / "data" / "credentials").exists(), "a pair was made and never shown"


def test_program__second_server_on_a_directory_is_refused(tmp_path):
    with serving(tmp_path) as server:
        out = run("serve", "--listen", "127.0.0.1:0", server.directory)
        assert (out.returncode, out.stdout) == (3, "")
        assert re.fullmatch(r"pail: '.*' is in use by another pail.*\n", out.stderr), out.stderr
        server.client().list_buckets()
        assert server.stop() == 0


def test_program__a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "data").write_text("a file")
    out = run("serve", "--listen", "127.0.0.1:0", tmp_path / "data")
    assert (out.returncode, out.stdout) == (1, "")
    assert str(tmp_path / "data") in out.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_program__a_folder_of_another_user_is_named_with_its_owner_and_the_fix():
    def become_65532():
        os.setgid(65532)
        os.setuid(65532)

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        mounted = pathlib.Path(folder)
        mounted.chmod(0o755)
        os.chown(mounted, 1000, 1001)
        for directory in (mounted, mounted / "made-here"):
            out = run("serve", "--listen", "127.0.0.1:0", directory, preexec_fn=become_65532)
            assert (out.returncode, out.stdout) == (1, "")
            assert f"'{mounted}' belongs to user 1000 and pail runs as user 65532: 'chown -R 65532' it" in out.stderr
            assert "docker run --user 1000:1001" in out.stderr


def test_program__a_host_under_no_domain_leaves_a_hint_in_the_log(tmp_path):
    def ask(server, host):
        connection = http.client.HTTPConnection("127.0.0.1", server.lines[0]["port"], timeout=TIMEOUT_S)
        connection.request("GET", "/key", headers={"Host": host})
        reply = connection.getresponse()
        reply.read()
        connection.close()
        return reply.status

    with serving(tmp_path, "--buckets", "bucket") as server:
        for host in ("bucket.pail:9000", "127.0.0.1", "[::1]:9000", "pail:9000", "bucket.localhost"):
            ask(server, host)
        assert server.stop() == 0
        hints = [line for line in server.banner().splitlines() if "under no --domain" in line]
        assert len(hints) == 1 and "host=bucket.pail:9000" in hints[0], server.banner()
    with serving(tmp_path, "--domain", "pail", "--buckets", "bucket") as server:
        assert ask(server, "bucket.pail:9000") == 403
        assert server.stop() == 0
        assert "under no --domain" not in server.banner()


# ---- running and stopping -----------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program__signal_ends_it_with_0_and_leaves_a_clean_store(number, tmp_path):
    with serving(tmp_path, "--buckets", "seed") as server:
        s3 = server.client()
        s3.put_object(Bucket="seed", Key="key", Body=b"x" * 100_000)
        assert server.stop(number) == 0
    assert run("fsck", "--read-data", server.directory).returncode == 0


def test_program__request_in_flight_is_finished_before_the_end(tmp_path):
    with serving(tmp_path, "--dev", "--buckets", "seed") as server:
        s3 = server.client()
        url = s3.generate_presigned_url("put_object", {"Bucket": "seed", "Key": "key"})
        connection = http.client.HTTPConnection("127.0.0.1", server.lines[0]["port"], timeout=TIMEOUT_S)
        connection.putrequest("PUT", url.removeprefix(server.url))
        connection.putheader("Content-Length", "10")
        connection.endheaders(b"12345")
        process.until_read(server.url)
        server.process.send_signal(signal.SIGTERM)
        process.until(lambda: "stopping" in server.banner(), server.banner)
        assert server.process.poll() is None
        connection.send(b"67890")
        assert connection.getresponse().status == 200
        connection.close()
        assert server.process.wait(TIMEOUT_S) == 0
        server.process.stdout.close()
    with serving(tmp_path, "--dev") as server:
        assert server.client().get_object(Bucket="seed", Key="key")["Body"].read() == b"1234567890"
        assert server.stop() == 0


def test_program__second_signal_ends_it_at_once(tmp_path):
    with serving(tmp_path, "--dev", "--buckets", "seed") as server:
        url = server.client().generate_presigned_url("put_object", {"Bucket": "seed", "Key": "key"})
        connection = http.client.HTTPConnection("127.0.0.1", server.lines[0]["port"], timeout=TIMEOUT_S)
        connection.putrequest("PUT", url.removeprefix(server.url))
        connection.putheader("Content-Length", "10")
        connection.endheaders(b"12345")
        process.until_read(server.url)
        server.clock.move("freeze")  # the grace of the first does not end
        server.process.send_signal(signal.SIGTERM)
        process.until(lambda: "stopping" in server.banner(), server.banner)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM
        connection.close()
        server.process.stdout.close()
    assert run("fsck", server.directory).returncode == 0


def serve_on_terminal(folder, *before, options=("--dev",), env=None):
    """pail serve as the foreground program of a terminal of its own: process id, terminal, what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        words = [*before, program(), "serve", *options, "--listen", "127.0.0.1:0", str(folder / "data")]
        os.execvpe(words[0], words, environment(**(env or {})))
    text = b""
    while b'{"url"' not in text or not text.endswith(b"\n"):
        text += os.read(terminal, 10000)
    return pid, terminal, text.decode()


def test_program__the_end_of_its_terminal_ends_it(tmp_path):
    pid, terminal, _ = serve_on_terminal(tmp_path)
    os.close(terminal)
    found = []

    def ended():
        found[:] = os.waitpid(pid, os.WNOHANG)
        return found[0] != 0

    process.until(ended, lambda: os.kill(pid, signal.SIGKILL))
    assert found == [pid, 0]


def test_program__nohup_outlives_its_terminal(tmp_path):
    pid, terminal, text = serve_on_terminal(tmp_path, "sh", "-c", "trap '' HUP; exec \"$@\"", "sh")
    url = json.loads(text[text.index('{"url"'):].splitlines()[0])["url"]
    os.close(terminal)
    # Field 7: its terminal, which the kernel takes away when it has sent the signal.
    process.until(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4] == "0")
    assert run("health", url).returncode == 0
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0) == (pid, 0)


def test_program__a_closed_stdout_harms_nothing(tmp_path):
    with serving(tmp_path) as server:
        server.process.stdout.close()
        server.client().list_buckets()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT_S) == 0


def test_program__files_are_the_users_own_whatever_the_umask(tmp_path):
    with serving(tmp_path, "--buckets", "seed", preexec_fn=lambda: os.umask(0)) as server:
        server.client().put_object(Bucket="seed", Key="key", Body=b"x" * 200_000)
        assert server.stop() == 0
    open_to_others = [path for path in [server.directory, *server.directory.rglob("*")]
                      if stat.S_IMODE(path.stat().st_mode) & 0o077]  # fmt: skip
    assert open_to_others == []


# The calls in which a thread may sleep, and which argument says how long (-1 and NULL: until it is woken).
SLEEPS = {
    "x86_64": {"232": 4, "281": 4, "202": 4, "128": 3, "45": None, "47": None, "288": None},
    "aarch64": {"22": 4, "98": 4, "137": 3, "207": None, "212": None, "242": None},
}.get(platform.machine())


@pytest.mark.skipif(not SLEEPS, reason="the numbers of system calls are not known here")
def test_program__nothing_wakes_up_while_idle(tmp_path):
    """Every thread sleeps in a call that has no timeout."""

    def timed(task):
        words = (task / "syscall").read_text().split()
        if words[0] not in SLEEPS:
            return f"{(task / 'comm').read_text().strip()} is in {words[0]}"
        at = SLEEPS[words[0]]
        if at is None or int(words[at], 16) in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
            return None
        return f"{(task / 'comm').read_text().strip()} sleeps in {words[0]} for {words[at]}"

    def waking():
        found = map(timed, pathlib.Path(f"/proc/{server.process.pid}/task").iterdir())
        return [words for words in found if words]

    with serving(tmp_path, "--buckets", "seed", "--scrub-rate", "0") as server:
        assert run("health", server.url).returncode == 0
        # The last checkpoint, the walk over what a crash may have left, the deadline of the connection.
        server.clock.advance(120)
        server.clock.advance(120)
        process.until(lambda: not waking(), waking)
        server.clock.advance(24 * 3600)
        process.until(lambda: not waking(), waking)
        assert server.stop() == 0


# ---- the small subcommands ----------------------------------------------------------------------


def test_program__health_tells_a_server_from_nothing(tmp_path):
    with serving(tmp_path, listen=["127.0.0.1:0", f"unix:{tmp_path}/socket"], lines=2) as server:
        for url in (server.url, server.url + "/", f"unix:{tmp_path}/socket"):
            out = run("health", url)
            assert (out.returncode, out.stderr) == (0, ""), url
            assert out.stdout == f"{url}: healthy\n"
        assert server.stop() == 0
    out = run("health", server.url)
    assert (out.returncode, out.stdout) == (1, "")
    assert server.url in out.stderr


@pytest.mark.parametrize(("status", "healthy"), [
    (200, True), (204, True), (301, False), (403, False), (404, False), (500, False), (503, False),
])  # fmt: skip
def test_program__only_success_is_healthy(status, healthy):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert run("health", f"http://127.0.0.1:{server.server_port}").returncode == (0 if healthy else 1)
        server.shutdown()


def test_program__health_refuses_what_is_not_http():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(b"220 mail.example.com ESMTP\r\n")
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        out = run("health", f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert out.returncode == 1
    assert "not HTTP" in out.stderr


def test_program__presigned_url_works_and_expires(tmp_path):
    with serving(tmp_path, "--buckets", "seed") as server:
        s3 = server.client()
        key = "a folder/käse+%.txt"
        env = {name: value for name, value in server.exported().items()}
        put = run("presign", "--method", "PUT", f"s3://seed/{key}", env=env)
        assert put.returncode == 0, put.stderr

        def ask(method, url, body=None):
            connection = http.client.HTTPConnection("127.0.0.1", server.lines[0]["port"], timeout=TIMEOUT_S)
            connection.request(method, url.strip().removeprefix(server.url), body)
            reply = connection.getresponse()
            content = reply.read()
            connection.close()
            return reply.status, content

        assert ask("PUT", put.stdout, b"content")[0] == 200
        assert s3.get_object(Bucket="seed", Key=key)["Body"].read() == b"content"

        get = run("presign", "--expires", "1m", "--endpoint", server.url, "--dir", server.directory, f"s3://seed/{key}")
        assert "X-Amz-Expires=60" in get.stdout
        assert ask("GET", get.stdout) == (200, b"content")
        assert ask("GET", get.stdout.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[0] == 403
        assert ask("DELETE", get.stdout)[0] == 403

        secret = tmp_path / "secret"
        secret.write_text(env["AWS_SECRET_ACCESS_KEY"] + "\n")
        listing = run("presign", "--endpoint", server.url, "--access-key", env["AWS_ACCESS_KEY_ID"],
                      "--secret-key-file", secret, "s3://seed")  # fmt: skip
        assert ask("GET", listing.stdout)[0] == 200

        with server.clock.later(55):
            assert ask("GET", get.stdout) == (200, b"content")
        with server.clock.later(62):
            assert ask("GET", get.stdout)[0] == 403
        assert server.stop() == 0


def test_program__presigned_url_names_a_version(tmp_path):
    with serving(tmp_path, "--buckets", "seed") as server:
        s3 = server.client()
        s3.put_bucket_versioning(Bucket="seed", VersioningConfiguration={"Status": "Enabled"})
        first = s3.put_object(Bucket="seed", Key="key", Body=b"one")["VersionId"]
        s3.put_object(Bucket="seed", Key="key", Body=b"two")
        out = run("presign", "--version-id", first, "s3://seed/key", env=server.exported())
        connection = http.client.HTTPConnection("127.0.0.1", server.lines[0]["port"], timeout=TIMEOUT_S)
        connection.request("GET", out.stdout.strip().removeprefix(server.url))
        assert connection.getresponse().read() == b"one"
        connection.close()
        assert server.stop() == 0


def test_program__presign_without_a_key_pair_says_what_to_do():
    out = run("presign", "s3://bucket/key")
    assert (out.returncode, out.stdout) == (1, "")
    assert "AWS_ACCESS_KEY_ID" in out.stderr


def test_program__credentials_prints_the_kept_pair(tmp_path):
    with serving(tmp_path) as server:
        known = server.exported()
        assert server.stop() == 0
    access, secret = known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]
    assert run("credentials", server.directory).stdout == (
        f"export AWS_ACCESS_KEY_ID={access}\nexport AWS_SECRET_ACCESS_KEY={secret}\n")  # fmt: skip
    assert run("credentials", server.directory, "access-key").stdout == access + "\n"
    assert run("credentials", server.directory, "secret-key").stdout == secret + "\n"
    assert run("credentials", server.directory, "colour").returncode == 2
    assert run("credentials", tmp_path).returncode == 1


def schema_back_to(version):
    """SQL that undoes the migrations after that version, newest first."""
    undo = {
        9: "DROP TABLE renamed; DROP TABLE annotation; DROP TABLE backlog;" + "".join(f"ALTER TABLE {table} DROP COLUMN {column};" for table in ("object", "version")
                                           for column in ("replication", "restore_us", "restored_us")),
        8: "".join(f"ALTER TABLE {table} DROP COLUMN {column};" for table in ("object", "version", "upload")
                   for column in ("lock_mode", "retain_us", "legal_hold")),
        7: "ALTER TABLE upload DROP COLUMN initiator;",
        6: "DROP TABLE event; DROP TABLE subscriber;",
        5: "DROP INDEX blob_damaged;"
           "ALTER TABLE inline_body DROP COLUMN damaged_us; ALTER TABLE inline_body DROP COLUMN sum;"
           "ALTER TABLE blob DROP COLUMN damaged_us; ALTER TABLE blob DROP COLUMN sum;",
        4: "",
        3: "ALTER TABLE bucket DROP COLUMN changed;",
        2: "DROP INDEX blob_pack; ALTER TABLE blob DROP COLUMN pack; ALTER TABLE blob DROP COLUMN at;",
    }
    return "".join(undo[step] for step in sorted(undo, reverse=True) if step > version) + (
        f"PRAGMA user_version = {version};")  # fmt: skip


def test_program__a_store_of_the_first_schema_is_migrated(tmp_path):
    bodies = {"small": b"s", "middle": os.urandom(200_000), "large": os.urandom(5 << 20)}
    with serving(tmp_path, "--buckets", "seed") as server:
        for key in ("small", "large"):
            server.client().put_object(Bucket="seed", Key=key, Body=bodies[key])
        assert server.stop() == 0
    with contextlib.closing(sqlite3.connect(server.directory / "catalog.db")) as catalog:
        catalog.executescript(schema_back_to(1))
    out = run("fsck", server.directory)
    assert out.returncode == 2
    assert "schema 1" in out.stderr
    with serving(tmp_path) as server:
        server.client().put_object(Bucket="seed", Key="middle", Body=bodies["middle"])
        for key, body in bodies.items():
            assert server.client().get_object(Bucket="seed", Key=key)["Body"].read() == body
        assert server.stop() == 0
    assert run("fsck", "--read-data", server.directory).returncode == 0


def test_program__parts_of_no_object_that_earlier_programs_left_are_removed(tmp_path):
    """An upload of a whole multipart object as a part left rows behind: some beside open parts."""
    part = os.urandom(5 << 20)
    with serving(tmp_path, "--buckets", "seed") as server:
        s3 = server.client()
        upload = s3.create_multipart_upload(Bucket="seed", Key="a")["UploadId"]
        etags = [s3.upload_part(Bucket="seed", Key="a", UploadId=upload, PartNumber=n, Body=body)["ETag"]
                 for n, body in ((1, part), (2, b"end"))]  # fmt: skip
        s3.complete_multipart_upload(Bucket="seed", Key="a", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]})  # fmt: skip
        upload = s3.create_multipart_upload(Bucket="seed", Key="b")["UploadId"]
        etag = s3.upload_part_copy(Bucket="seed", Key="b", UploadId=upload, PartNumber=1,
                                   CopySource={"Bucket": "seed", "Key": "a"})["CopyPartResult"]["ETag"]  # fmt: skip
        assert server.stop() == 0
    with contextlib.closing(sqlite3.connect(server.directory / "catalog.db")) as catalog:
        catalog.executescript(
            "INSERT INTO manifest_part SELECT 77777, number, size, etag, checksum FROM manifest_part;"
            "INSERT INTO manifest_part SELECT (SELECT body_id FROM part), number, size, etag, checksum"
            "  FROM manifest_part WHERE manifest != 77777;")
        assert catalog.execute("SELECT count(*) FROM manifest_part").fetchone() == (6,)
        assert "parts of manifest 77777 belong to no object" in run("fsck", server.directory).stdout
        catalog.executescript(schema_back_to(3))
    with serving(tmp_path) as server:
        s3 = server.client()
        s3.complete_multipart_upload(Bucket="seed", Key="b", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": etag}]})  # fmt: skip
        assert s3.get_object(Bucket="seed", Key="b")["Body"].read() == part + b"end"
        assert s3.get_object_attributes(Bucket="seed", Key="b", ObjectAttributes=["ObjectParts"])[
            "ObjectParts"]["TotalPartsCount"] == 1  # fmt: skip
        assert server.stop() == 0
    assert run("fsck", "--read-data", server.directory).returncode == 0


def test_program__fsck_tells_clean_from_damaged_from_not_run(tmp_path):
    with serving(tmp_path, "--buckets", "seed") as server:
        server.client().put_object(Bucket="seed", Key="key", Body=os.urandom(200_000))
        out = run("fsck", server.directory)
        assert (out.returncode, out.stdout) == (3, "")
        assert "in use" in out.stderr
        assert server.stop() == 0

    assert run("fsck", server.directory).returncode == 0
    out = run("fsck", "--json", "--read-data", server.directory)
    report = json.loads(out.stdout)
    assert out.returncode == 0
    assert (report["errors"], report["findings"], report["buckets"], report["versions"]) == (0, [], 1, 1)

    blob = server.directory / "packs/00000001"
    blob.chmod(0o600)
    content = bytearray(blob.read_bytes())
    content[1000] ^= 1
    blob.write_bytes(content)
    out = run("fsck", "--json", "--read-data", server.directory)
    report = json.loads(out.stdout)
    assert out.returncode == 1
    assert report["errors"] >= 1 and len(report["findings"]) >= 1

    assert run("fsck", tmp_path / "nothing").returncode == 2
