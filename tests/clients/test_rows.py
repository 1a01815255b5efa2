# SPDX-License-Identifier: Apache-2.0
"""Every row of docs/clients.md: its snippet, as it stands there, and what it must then be able to do.

A row's program is the snippet followed by rows/ROW.*: it stores two files, one of them in parts,
lists, loads both again, and says "listed KEY" and "url URL" of what it saw and signed.
"""

import hashlib
import os
import pathlib
import re
import sys
import urllib.parse

import pytest

from clients import kit, page
from sdk import expect

KEY, LARGE_KEY = "folder/a b+c.txt", "large.bin"
LARGE_BYTES = 12 * 1024 * 1024

SNIPPETS = page.snippets()
OLD_PYTHON = os.environ.get("PAIL_PYTHON_OLD")

# Rows that share what follows the snippet, and those whose key or form is another.
BODIES = {"boto3-old": "boto3", "aws-cli-v1": "aws-cli", "aws-cli-v2": "aws-cli"}
OWN_FORM = {"polars", "deltalake", "duckdb", "restic", "duplicity"}  # files of their own making
NO_LISTING = {"smart-open", "django-storages", "s4cmd", "libs3"}
NO_PARTS = {"curl", "libs3", "aws4fetch", "perl", "libcloud"}

PYTHON_BEFORE = """
import os
BUCKET, KEY, LARGE_KEY, SMALL, LARGE, OUT = (
    os.environ[name] for name in ("BUCKET", "KEY", "LARGE_KEY", "SMALL", "LARGE", "OUT"))
listed = lambda key: print("listed", key)
presigned = lambda url: print("url", url)
"""


@pytest.fixture
def scheme():
    """The other scheme is the matrix's; here it is the options that count."""
    return "http"


@pytest.fixture
def files(tmp_path):
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_bytes(b"hello\n")
    expect.write_noise(large, LARGE_BYTES)
    return small, large


@pytest.fixture
def variables(environment, server, bucket, files, tmp_path):
    """What the banner exports, and what a row works with."""
    (tmp_path / "out").mkdir()
    environment |= {
        "AWS_ENDPOINT_URL_S3": server.url, "AWS_ENDPOINT_URL_STS": server.url, "BUCKET": bucket, "KEY": KEY,
        "URL_KEY": urllib.parse.quote(KEY), "LARGE_KEY": LARGE_KEY, "SMALL": str(files[0]), "LARGE": str(files[1]),
        "OUT": str(tmp_path / "out"),
    }  # fmt: skip
    return environment


def source(row):
    found = list((kit.HERE / "rows").glob(BODIES.get(row, row) + ".*"))
    assert len(found) == 1, (row, found)
    return found[0].read_text()


def install_duckdb_extension(python, run):
    """What INSTALL httpfs does, from a package instead of the network."""
    run(python, "-c", """
import duckdb, duckdb_extension_httpfs, pathlib, shutil
version, platform = duckdb.sql("SELECT library_version FROM pragma_version()").fetchone()[0], \\
    duckdb.sql("PRAGMA platform").fetchone()[0]
into = pathlib.Path.home() / ".duckdb" / "extensions" / version / platform
into.mkdir(parents=True)
found, = pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
shutil.copy(found, into)
""")


def program_python(row, need, run, tmp_path):
    """boto3 itself is the one that all tests use, and the old one beside it."""
    own = {"boto3": sys.executable, "boto3-old": OLD_PYTHON}
    python = own[row] if row in own else need("rows-python")
    if not python or not pathlib.Path(python).exists():
        pytest.skip(f"{row}: ./dev makes no build/venv-old here")
    if row == "duckdb":
        install_duckdb_extension(python, run)
    (tmp_path / "row.py").write_text(PYTHON_BEFORE + SNIPPETS[row][1] + source(row))
    return run(python, "row.py")


def program_sh(row, need, run, tmp_path):
    program = pathlib.Path(need(row))
    (tmp_path / "bin").mkdir()
    name = {"aws-cli-v1": "aws", "aws-cli-v2": "aws", "libs3": "s3"}.get(row, row)
    (tmp_path / "bin" / name).symlink_to(program)
    (tmp_path / "row.sh").write_text(
        f'set -euo pipefail\nPATH={tmp_path}/bin:$PATH\n' + SNIPPETS[row][1] + source(row))
    return run("bash", "row.sh")


def program_js(row, need, run, tmp_path):
    node = need("rows-js")
    path = kit.OUT / "rows-js" / f"{row}.mjs"
    path.write_text(SNIPPETS[row][1] + source(row))
    return run(node, path)


def program_go(row, need, run, tmp_path):
    return run(need("rows-go"), row)


def program_java(row, need, run, tmp_path):
    text = (kit.HERE / "rows" / "java" / f"{row}.java").read_text()
    (tmp_path / "Row.java").write_text(text.replace("        //SNIPPET\n", SNIPPETS[row][1]))
    return run(need("rows-java"), "-cp", kit.OUT / "rows-java" / "*", "Row.java")


def program_ruby(row, need, run, tmp_path):
    (tmp_path / "row.rb").write_text(SNIPPETS[row][1] + source(row))
    return run(need("ruby"), "row.rb")


def program_perl(row, need, run, tmp_path):
    (tmp_path / "row.pl").write_text("use strict; use warnings;\n" + SNIPPETS[row][1] + source(row))
    return run(need("perl"), "row.pl")


RUN = {"python": program_python, "sh": program_sh, "js": program_js, "go": program_go, "java": program_java, "ruby": program_ruby,
       "perl": program_perl}  # fmt: skip


def test_clients_page__table_and_snippets_name_the_same_clients():
    assert page.table() == list(SNIPPETS)
    assert len(SNIPPETS) >= 30


@pytest.mark.parametrize("row", list(SNIPPETS))
def test_clients_page__row(row, need, run, s3, server, bucket, files, variables, tmp_path):
    said = RUN[SNIPPETS[row][0]](row, need, run, tmp_path)
    urls = re.findall(r"^url (\S+)$", said, re.MULTILINE)
    if row not in OWN_FORM:
        small, large = files
        assert expect.body_of(s3, bucket, KEY) == small.read_bytes()
        assert hashlib.sha256(expect.body_of(s3, bucket, LARGE_KEY)).hexdigest() == expect.file_digest(large)
        parts = "-" in s3.head_object(Bucket=bucket, Key=LARGE_KEY)["ETag"]
        assert parts is (row not in NO_PARTS), "in parts" if parts else "not in parts"
    if row not in OWN_FORM | NO_LISTING:
        assert sorted(re.findall(r"^listed (.*)$", said, re.MULTILINE)) == [KEY, LARGE_KEY]
    if row not in {"polars", "deltalake", "duckdb"}:
        for back, path in (("small", files[0]), ("large", files[1])):
            assert expect.file_digest(tmp_path / "out" / back) == expect.file_digest(path), back
    for url in urls:
        assert kit.fetch(url, server) == (200, files[0].read_bytes())

