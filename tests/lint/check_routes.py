#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""routes.def: no shadowed row, no row without action, a test per live row."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))
import routes as table  # noqa: E402


def shadows(earlier, later):
    """The earlier row matches whenever the later one does."""
    if (earlier.method, earlier.resource) != (later.method, later.resource):
        return False
    for condition in earlier.conditions:
        name = condition.split("=")[0]
        if condition not in later.conditions and not (
                condition == name and any(c.split("=")[0] == name for c in later.conditions)):
            return False
    return True


# Conditions of a row that are no selector of selectors.def: parameters beside one, and sub-resources
# that S3 reads as the plain operation.
NO_SELECTOR = {"list-type", "select-type", "id", "partNumber", "annotationName", "renameObject", "session"}


def selector_problems(rows):
    selectors = table.selectors()
    names = [(s.resource, s.name) for s in selectors]
    if names != sorted(names):
        yield "selectors.def: not by resource and name: a refusal lists them in that order"
    for row in rows:
        for condition in row.conditions:
            if not condition.startswith("@") and condition.split("=")[0] not in NO_SELECTOR and (
                    (row.resource, condition) not in names):
                yield f"{row.name}: {condition} is not in selectors.def"
    for operation, _ in table.refused_parameters():
        if operation not in {row.name for row in rows}:
            yield f"selectors.def: {operation} is no operation"


def action_problems(row):
    if not re.fullmatch(r"s3(express)?:\w+", row.action):
        yield f"{row.name}: no IAM action: {row.action or 'NONE'}"
    # Those of object lock are one for both.
    if row.version_action and row.version_action != row.action and not re.fullmatch(r"s3:\w*Version\w*", row.version_action):
        yield f"{row.name}: {row.version_action} is no action on a version"
    if row.kind == "R" and row.resource == "OBJECT" and (
            ("versionId" in row.params.split()) != bool(row.version_action)):
        yield f"{row.name}: versionId and VERSION_ACTION go together"


# Parameters of an operation, not sub-resources: V2 leaves them unsigned by design.
UNSIGNED_IN_V2 = {"list-type", "id"}


def signed_in_v2():
    source = (ROOT / "server/auth/sigv2.c").read_text()
    table_text = source[source.index("sub_resources[] = {"):]
    return set(re.findall(r'"([^"]+)"', table_text[:table_text.index("};")])) | UNSIGNED_IN_V2


def tested_names():
    text = ""
    for path in sorted(ROOT.glob("tests/sdk/*.py")) + sorted(ROOT.glob("tests/wire/*.py")):
        text += path.read_text()
    return set(re.findall(r"def test_(\w+?)__", text))


def main():
    rows = table.load()
    problems = []
    seen = set()
    for i, row in enumerate(rows):
        if row.name in seen:
            problems.append(f"{row.name}: two rows of that name")
        seen.add(row.name)
        problems += action_problems(row)
        for earlier in rows[:i]:
            if shadows(earlier, row):
                problems.append(f"{row.name}: can never match, {earlier.name} stands before it")
    problems += selector_problems(rows)
    tested = tested_names()
    for row in rows:
        if row.kind == "R" and row.name not in tested:
            problems.append(f"{row.name}: live, but no test is named test_{row.name}__...")
    named = {c.split("=")[0] for r in rows for c in r.conditions if not c.startswith("@")}
    for name in sorted(named - signed_in_v2()):
        problems.append(f"{name}: selects a row but is not signed in V2 (server/auth/sigv2.c)")
    for problem in problems:
        print("routes.def:", problem)
    print(f"check_routes: {len(rows)} rows, {sum(r.kind == 'R' for r in rows)} live, "
          f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
