# SPDX-License-Identifier: Apache-2.0
"""The completions of conf/completion: they know every command and option of --help, and no other."""

import pathlib
import re
import subprocess

import pytest

from sdk.test_program import ROOT, run
from wire import process

FOLDER = ROOT / "conf" / "completion"


def test_completion__cmake_installs_it_beside_the_program(tmp_path):
    build = pathlib.Path(process.program()).parent
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path], check=True, capture_output=True)
    for name in ("bin/pail", "etc/pail/pail.conf", "lib/systemd/system/pail.service",
                 "share/bash-completion/completions/pail", "share/zsh/site-functions/_pail",
                 "share/fish/vendor_completions.d/pail.fish"):  # fmt: skip
        assert (tmp_path / name).stat().st_size > 0, name
    out = subprocess.run([tmp_path / "bin" / "pail", "--version"], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("pail ")


def commands():
    found = re.findall(r"^  (\w+) ", run("--help").stdout.split("\n\n")[1], re.MULTILINE)
    assert len(found) >= 6
    return found


def options(command):
    """The options that `pail COMMAND --help` explains; those of serve for config, which takes them."""
    text = run("serve" if command == "config" else command, "--help").stdout
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help"}


def bash(*words):
    """What bash offers for the last of the words, in an empty directory of its own."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pail; printf "%s\\n" "${COMPREPLY[@]}"'
    out = subprocess.run(["bash", "-uc", script, "bash", FOLDER / "pail.bash", *words],
                         capture_output=True, text=True, check=True, cwd=FOLDER)  # fmt: skip
    return set(out.stdout.split())


def test_completion__bash_offers_every_command():
    assert bash("pail", "") == {*commands(), "--help", "--version"}
    assert bash("pail", "s") == {"serve"}


@pytest.mark.parametrize("command", ["serve", "config", "credentials", "presign", "health", "key", "fsck"])
def test_completion__bash_offers_every_option(command):
    assert bash("pail", command, "--") == options(command) | {"--help"}


def test_completion__bash_offers_values_and_files():
    assert bash("pail", "serve", "--durability", "") == {"strict", "relaxed"}
    assert bash("pail", "serve", "--auth", "o") == {"open"}
    assert bash("pail", "credentials", "d", "s") == {"secret-key", "session-token"}
    assert bash("pail", "serve", "--config", "pail.f") == {"pail.fish"}


@pytest.mark.parametrize("command", ["serve", "credentials", "presign", "health", "key", "fsck"])
def test_completion__zsh_and_fish_know_every_option(command):
    of_zsh = (FOLDER / "_pail").read_text()
    of_fish = (FOLDER / "pail.fish").read_text()
    for option in options(command):
        assert re.search(rf"'\*?{option}\[", of_zsh), option
        assert re.search(rf"-n \${command} .*-l {option[2:]} ", of_fish), option


def test_completion__zsh_and_fish_know_no_word_that_pail_does_not():
    known = set().union(*(options(command) for command in commands())) | {"--help", "--version"}
    assert set(re.findall(r"'\*?(--[a-z-]+)", (FOLDER / "_pail").read_text())) == known
    assert {f"--{name}" for name in re.findall(r"^complete .* -l ([a-z-]+)", (FOLDER / "pail.fish").read_text(), re.MULTILINE)} == known
    assert set(re.findall(r"""^        ["'](\w+):""", (FOLDER / "_pail").read_text(), re.MULTILINE)) == set(commands())
    assert set(re.findall(r"subcommand -a (\w+)", (FOLDER / "pail.fish").read_text())) == set(commands())
