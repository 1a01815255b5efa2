#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documentation against the code: generated pages, links between files, commands named."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check_links(problems):
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                problems.append(f"{page.relative_to(ROOT)}: link to missing {target}")


def check_dev_commands(problems):
    helped = (ROOT / "dev").read_text()
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for verb in set(re.findall(r"\./dev ([a-z]+)", page.read_text())):
            if not re.search(rf"\b{verb}\b", helped):
                problems.append(f"{page.relative_to(ROOT)}: ./dev {verb} does not exist")


def main():
    problems = []
    check_links(problems)
    check_dev_commands(problems)
    stale = subprocess.run([sys.executable, ROOT / "tests/tools/coverage.py", "--check"],
                           capture_output=True, text=True, check=False)
    if stale.returncode != 0:
        problems.append(stale.stdout.strip())
    for problem in problems:
        print(problem)
    print(f"check_docs: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
