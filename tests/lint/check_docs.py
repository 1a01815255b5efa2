#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documentation against the code: generated pages, links between files, commands named, what tests prove."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Tests of pail as a program: no page of AWS speaks of that.
OF_THE_PROGRAM = {"test_completion.py", "test_program.py", "test_rootfs.py"}


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


def check_cited(problems):
    """Each file of tests over the wire names the pages of AWS whose statements it proves."""
    for path in [*ROOT.glob("tests/sdk/test_*.py"), *ROOT.glob("tests/wire/test_*.py")]:
        if (path.name in OF_THE_PROGRAM) == ("https://docs.aws.amazon.com/" in path.read_text()):
            problems.append(f"{path.relative_to(ROOT)}: names the page of AWS that it proves, or is of the program")


def main():
    problems = []
    check_cited(problems)
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
