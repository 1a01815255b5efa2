#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/s3-coverage.md from routes.def; --check says whether it is up to date."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import routes as table  # noqa: E402

PAGE = table.ROOT / "docs/s3-coverage.md"
WORDS = {"R": "works", "RD": "answers \"not configured\"", "RN": "501 NotImplemented"}


def wire(row):
    where = {"SERVICE": "/", "BUCKET": "/bucket", "OBJECT": "/bucket/key",
             "TAGS": "/v20180820/tags/ARN"}[row.resource]
    query = "&".join(c for c in row.selector.split("&") if c and not c.startswith("@"))
    header = " + ".join(c[1:] for c in row.selector.split("&") if c.startswith("@"))
    return f"`{row.method} {where}{'?' + query if query else ''}`" + (
        f" with `{header}`" if header else "")


def page():
    rows = table.load()
    count = {kind: sum(r.kind == kind for r in rows) for kind in WORDS}
    lines = ["# Operations", "",
             "Generated from `server/s3/routes.def` by `tests/tools/coverage.py`; do not edit.", "",
             f"{count['R']} operations work, {count['RD']} reads answer S3's \"not configured\", "
             f"{count['RN']} answer 501 NotImplemented (after authentication).", "",
             "| Operation | Request | IAM action | State |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda r: ("R RD RN".split().index(r.kind), r.name)):
        actions = ", ".join(f"`{a}`" for a in (row.action, row.version_action) if a)
        lines.append(f"| {row.name} | {wire(row)} | {actions} | {WORDS[row.kind]} |")
    return "\n".join(lines) + "\n"


def main():
    if "--check" in sys.argv:
        fresh = PAGE.exists() and PAGE.read_text() == page()
        print("docs/s3-coverage.md is", "up to date" if fresh else
              "stale: run tests/tools/coverage.py")
        return 0 if fresh else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
