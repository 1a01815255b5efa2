# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/ that show a program: it runs as it stands there, with the credentials the banner shows.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from wire import process

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
SETTINGS = re.compile(r"^```ini\n(.*?)^```$", re.M | re.S)
PORT = "8123"  # where a page's program listens; any free one does
PROGRAMS = {page.name: "\n".join(BLOCK.findall(page.read_text())) for page in sorted(DOCS.glob("*.md")) if page.name != "clients.md"}
SHOWING = [name for name, program in PROGRAMS.items() if program]


def test_pages__that_show_a_program_were_found():
    assert {"access-logs.md", "cors.md", "encryption.md", "inventory.md", "notifications.md", "policies.md", "website.md"} <= set(SHOWING)


@pytest.mark.skipif(bool(process.STORE), reason="the pages speak of the first store")
@pytest.mark.parametrize("page", SHOWING)
def test_page__runs_as_it_stands(tmp_path, page):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = "\n".join(SETTINGS.findall((DOCS / page).read_text())).replace(PORT, port)
    server = process.Server(tmp_path, "--access-log-interval", "1s", configuration=process.settings() + "\n" + settings)
    root = server.users["root"]
    environment = {**os.environ, "AWS_ENDPOINT_URL_S3": server.url, "AWS_DEFAULT_REGION": "us-east-1",
                   "AWS_ACCESS_KEY_ID": root.access_key, "AWS_SECRET_ACCESS_KEY": root.secret_key}  # fmt: skip
    try:
        subprocess.run([sys.executable, "-c", PROGRAMS[page].replace(PORT, port)], env=environment, check=True, timeout=60)
    finally:
        server.stop()
