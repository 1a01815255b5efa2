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


def check_decisions(problems):
    numbers = {}
    for page in sorted((ROOT / "docs/decisions").glob("*.md")):
        if not page.read_text().startswith(f"# {page.name[:4]}: "):
            problems.append(f"{page.relative_to(ROOT)}: its title does not begin with its number")
        if numbers.setdefault(page.name[:4], page.name) != page.name:
            problems.append(f"{page.relative_to(ROOT)}: {numbers[page.name[:4]]} has that number")


def main():
    problems = []
    check_decisions(problems)
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
