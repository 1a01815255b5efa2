# SPDX-License-Identifier: Apache-2.0
"""The seed texts themselves: their Python blocks and table calls, run as they stand.

PAIL_SEEDS names the folder with the texts (default: ../shared/seeds beside the tree). Nothing of the
texts is repeated here: the files they name are prepared, credentials and endpoint come from the
environment, and `...` in the table's calls is filled in.

    https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import boto3
import pytest

from sdk import expect
from wire.process import ROOT

SEEDS = pathlib.Path(os.environ.get("PAIL_SEEDS") or ROOT.parent / "shared" / "seeds")


def text(prefix):
    found = sorted(SEEDS.glob(f"{prefix}_*.txt")) if SEEDS.is_dir() else []
    return found[0].read_text() if found else None


TABLE, TUTORIAL = text("000"), text("001")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TUTORIAL or "", re.M | re.S)


def table_calls():
    """(row, column, code) of every call in the Client and Resource columns."""
    calls, columns = [], []
    for line in (TABLE or "").splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
            continue
        for column, cell in zip(columns[1:], cells[1:]):
            for code in re.findall(r"`([^`]+)`", cell):
                if "Client" in column or "Resource" in column:
                    calls.append((cells[0], "client" if "Client" in column else "resource", code))
    return [call for call in calls if re.match(r"(s3|boto3|client)\b", call[2].replace("s3 = ", ""))]


pytestmark = pytest.mark.skipif(
    TABLE is None or TUTORIAL is None, reason=f"the seed texts are not at {SEEDS} (PAIL_SEEDS)")


def environment(server, scheme):
    user = server.users["root"]
    settings = {
        "AWS_ACCESS_KEY_ID": user.access_key,
        "AWS_SECRET_ACCESS_KEY": user.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.tls_url if scheme == "https" else server.url,
        "AWS_MAX_ATTEMPTS": "1",
    }
    if scheme == "https":
        settings["AWS_CA_BUNDLE"] = str(server.certificate[0])
    return settings


# ---- the tutorial ---------------------------------------------------------------------------------

RUNNER = """
import json, os, sys, traceback
import wire.process  # from now on the host of a second store is found
names, results = {"__name__": "__main__"}, []
for block in json.load(open("blocks.json")):
    try:
        exec(compile(block, "<block>", "exec"), names)
        results.append(None)
    except BaseException:
        results.append(traceback.format_exc())
calls = {}
if "safe_upload" in names and "safe_download" in names:
    up, down = names["safe_upload"], names["safe_download"]
    calls["upload"] = up("local-data.csv", "my-data-bucket", "safe/key")
    calls["upload of a missing file"] = up("absent.csv", "my-data-bucket", "safe/key")
    calls["download"] = down("my-data-bucket", "safe/key", "safe-back.csv")
    calls["download of a missing key"] = down("my-data-bucket", "safe/absent", "safe-back2.csv")
json.dump({"results": results, "calls": calls, "url": names.get("url")}, open("results.json", "w"))
"""

outcomes = {}


@pytest.fixture
def tutorial(server, cloud, scheme, tmp_path_factory):
    """All blocks, run once per scheme in one process and one namespace, in order."""
    if scheme not in outcomes:
        folder = tmp_path_factory.mktemp(f"tutorial-{scheme}")
        s3 = cloud.client()
        for name in ("my-data-bucket", "my-website-bucket"):
            s3.create_bucket(Bucket=name)
        for number in range(3):
            s3.put_object(Bucket="my-data-bucket", Key=f"reports/2026/{number}.csv", Body=b"row")
        s3.put_object(Bucket="my-data-bucket", Key="reports/2026/", Body=b"")
        s3.put_object(Bucket="my-data-bucket", Key="reports/confidential.pdf", Body=b"%PDF")
        (folder / "local-data.csv").write_text("a,b\n1,2\n")
        (folder / "report.html").write_text("<p>monthly</p>")
        expect.write_noise(folder / "large-file.zip", 12 * 1024 * 1024)
        expect.write_noise(folder / "huge-dataset.parquet", 120 * 1024 * 1024)
        (folder / "blocks.json").write_text(json.dumps(BLOCKS))
        result = subprocess.run(
            [sys.executable, "-c", RUNNER], cwd=folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=200,
            env={**os.environ, **environment(server, scheme), "PYTHONPATH": str(ROOT / "tests")})  # fmt: skip
        assert result.returncode == 0, result.stderr[-4000:]
        outcome = json.loads((folder / "results.json").read_text())
        outcomes[scheme] = {**outcome, "output": result.stdout, "folder": folder}
    return outcomes[scheme]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_seed_text_tutorial__block(tutorial, number):
    assert tutorial["results"][number] is None, (
        f"{BLOCKS[number]}\n{tutorial['results'][number]}")


def test_seed_text_tutorial__what_it_left_behind(tutorial, cloud):
    folder, s3 = tutorial["folder"], cloud.client()
    assert len(BLOCKS) >= 14
    assert (folder / "downloaded-data.csv").read_text() == "a,b\n1,2\n"
    assert expect.file_digest(folder / "local-dataset.parquet") == expect.file_digest(
        folder / "huge-dataset.parquet")
    assert len(list((folder / "downloaded-reports").rglob("*.csv"))) == 3
    assert "large-file.zip: 100.0%" in tutorial["output"]
    head = s3.head_object(Bucket="my-website-bucket", Key="reports/monthly.html")
    assert head["ServerSideEncryption"] == "aws:kms"


def test_seed_text_tutorial__its_functions(tutorial):
    assert tutorial["calls"] == {
        "upload": True, "upload of a missing file": False,
        "download": True, "download of a missing key": False,
    }  # fmt: skip
    assert "Object not found: safe/absent" in tutorial["output"]


def test_seed_text_tutorial__its_presigned_url(tutorial, server, scheme):
    import ssl

    context = ssl.create_default_context(cafile=server.certificate[0]) if scheme == "https" else None
    assert expect.fetch(tutorial["url"], context=context)[::2] == (200, b"%PDF")


# ---- the table ------------------------------------------------------------------------------------

FILLED = {
    "CopySource=...": "CopySource={'Bucket': 'bucket', 'Key': 'file'}",
    "Delete={...}": "Delete={'Objects': [{'Key': 'file'}]}",
    "Tagging={...}": "Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]}",
    "put_object_acl()": "put_object_acl(Bucket='bucket', Key='file', ACL='public-read')",
    "put_bucket_versioning(...)":
        "put_bucket_versioning(Bucket='bucket', VersioningConfiguration={'Status': 'Enabled'})",
    "get_bucket_versioning(...)": "get_bucket_versioning(Bucket='bucket')",
    "get_bucket_tagging(...)": "get_bucket_tagging(Bucket='bucket')",
    "put_bucket_tagging(...)":
        "put_bucket_tagging(Bucket='bucket', Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]})",
    "generate_presigned_url()":
        "generate_presigned_url('get_object', Params={'Bucket': 'bucket', 'Key': 'file'})",
    "generate_presigned_post()": "generate_presigned_post(Bucket='bucket', Key='file')",
}  # fmt: skip


def start_over(s3, code):
    """The buckets and objects the table speaks of, as its reader would have them."""
    names = {"my-bucket", "bucket", "dest", "name"}
    for name in names & {item["Name"] for item in s3.list_buckets()["Buckets"]}:
        versions = s3.list_object_versions(Bucket=name)
        for item in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
            s3.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
        s3.delete_bucket(Bucket=name)
    for name in names - ({"name"} if "create_bucket" in code else set()):
        s3.create_bucket(Bucket=name)
    for name, key in (("my-bucket", "folder/file"), ("bucket", "key"), ("bucket", "file")):
        s3.put_object(Bucket=name, Key=key, Body=b"data", Metadata={"k": "v"})
    s3.put_bucket_tagging(Bucket="bucket", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})


@pytest.mark.parametrize("row,column,code", table_calls())
def test_seed_text_table__call(server, cloud, scheme, monkeypatch, tmp_path, row, column, code):
    for name, value in environment(server, scheme).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local.txt").write_text("local")
    start_over(cloud.client(), code)
    session = boto3.session.Session()
    s3 = session.client("s3") if column == "client" else session.resource("s3")
    for placeholder, value in FILLED.items():
        code = code.replace(placeholder, value)
    if code.startswith("s3 = "):
        names = {"boto3": boto3}
        exec(code, names)
        assert names["s3"].meta is not None
        return
    names = {"s3": s3, "client": s3, "boto3": boto3, "bucket": "bucket", "key": "key"}
    result = eval(code, names)
    if hasattr(result, "pages"):
        assert list(result) is not None
    elif isinstance(result, dict) and "ResponseMetadata" in result:
        assert result["ResponseMetadata"]["HTTPStatusCode"] // 100 == 2


def test_seed_text_table__calls_were_found():
    assert len(table_calls()) >= 40, table_calls()
