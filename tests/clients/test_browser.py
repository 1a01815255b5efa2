# SPDX-License-Identifier: Apache-2.0
"""CORS as a browser sees it: headless Chromium shows a page of another origin, with aws-sdk-js in it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

import contextlib
import functools
import http.server
import json
import os
import queue
import signal
import subprocess
import threading

import pytest


LARGE_BYTES = 11 * 1024 * 1024  # three parts
PAGE_TIMEOUT_S = 60


class Site(http.server.ThreadingHTTPServer):
    """The origin of a folder's pages, which it tells what they find."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_POST(self):
            self.server.told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), functools.partial(self.Handler, directory=folder))
        self.told = queue.Queue()
        self.origin = f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def site(folder):
    with Site(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def browser(program, folder, url):
    """It shows the page until the block ends."""
    command = [program, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
               f"--user-data-dir={folder}/profile", "--remote-debugging-port=0", url]  # fmt: skip
    with open(folder / "browser.log", "wb") as log, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as process:  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def bundle(need, run, js, tmp_path):
    """The page's program with the SDK in it."""
    need("aws-sdk-js")
    out = tmp_path / "page"
    out.mkdir()
    source = js("browser.mjs")
    run(source.parent / "node_modules/.bin/esbuild", source, "--bundle", "--format=iife", f"--outfile={out}/page.js")
    return out


def test_browser__a_page_of_another_origin_uploads_and_reads_back(need, bundle, server, endpoint, cloud, scheme, tmp_path):
    chromium = need("chromium")
    s3, closed = cloud.client(scheme=scheme, signature_version="s3v4"), cloud.new_bucket(hint="closed")
    bucket = cloud.new_bucket(hint="browser")
    user = server.users["root"]
    s3.put_object(Bucket=closed, Key="key", Body=b"not for pages", ACL="public-read")
    with site(bundle) as pages:
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{
            "AllowedOrigins": [pages.origin], "AllowedMethods": ["GET", "PUT", "POST", "DELETE"],
            "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag", "x-amz-checksum-crc32"]}]})  # fmt: skip
        named = {"Bucket": bucket, "Key": "by-url.txt"}
        config = {
            "endpoint": endpoint, "region": "us-east-1", "bucket": bucket, "closed": f"{endpoint}/{closed}/key", "large": LARGE_BYTES,
            "credentials": {"accessKeyId": user.access_key, "secretAccessKey": user.secret_key},
            "put": s3.generate_presigned_url("put_object", Params={**named, "Metadata": {"from": "a page"}}),
            "get": s3.generate_presigned_url("get_object", Params=named),
            "post": s3.generate_presigned_post(bucket, "form.txt", Fields={"success_action_status": "201"},
                                               Conditions=[{"success_action_status": "201"}]),
        }  # fmt: skip
        (bundle / "index.html").write_text(
            f"<!doctype html><body></body><script>globalThis.config = {json.dumps(config)}</script><script src=page.js></script>")
        with browser(chromium, tmp_path, pages.origin):
            told = pages.told.get(timeout=PAGE_TIMEOUT_S).splitlines()
    assert len(told) == 6 and all(line.startswith("ok ") for line in told), "\n".join(told)
    assert s3.head_object(Bucket=bucket, Key="parts.bin")["ContentLength"] == LARGE_BYTES
    assert s3.head_object(**named)["Metadata"] == {"from": "a page"}
