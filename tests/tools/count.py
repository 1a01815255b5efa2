# SPDX-License-Identifier: Apache-2.0
"""Sum test reports: count.py FOLDER... prints "N passed, N failed, N skipped", alone on a line.

Reads every JUnit file (*.xml: ctest and pytest) and every tally (*.tally: lines "pass|fail|skip
NAME") below the folders. Names what failed and was skipped before the line. Exits 1 if anything
failed, 2 if a report cannot be read.
"""

import pathlib
import sys
import xml.etree.ElementTree as ET


def junit_results(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        outcome, reason = "pass", ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome, reason = "fail", child.get("message") or ""
                break
            if child.tag == "skipped":
                outcome, reason = "skip", child.get("message") or ""
        if case.get("status") in ("notrun", "disabled") and outcome == "pass":
            outcome = "skip"
        yield outcome, name, reason


def tally_results(path):
    for line in path.read_text().splitlines():
        outcome, _, name = line.partition(" ")
        if outcome not in ("pass", "fail", "skip"):
            raise ValueError(f"not a result: {line!r}")
        yield outcome, name, ""


def main(folders):
    counts = {"pass": 0, "fail": 0, "skip": 0}
    notable = []
    for folder in map(pathlib.Path, folders):
        for path in sorted([*folder.rglob("*.xml"), *folder.rglob("*.tally")]):
            read = junit_results if path.suffix == ".xml" else tally_results
            try:
                results = list(read(path))
            except (ET.ParseError, ValueError, OSError) as error:
                print(f"{path}: {error}", file=sys.stderr)
                return 2
            for outcome, name, reason in results:
                counts[outcome] += 1
                if outcome != "pass":
                    notable.append((outcome, name, reason.splitlines()[0] if reason else ""))

    for outcome, name, reason in sorted(notable, key=lambda item: item[0], reverse=True):
        print(f"{'FAILED ' if outcome == 'fail' else 'skipped'} {name}{': ' if reason else ''}{reason}")
    print(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
    return 1 if counts["fail"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
