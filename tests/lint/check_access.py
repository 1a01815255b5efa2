#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One access decision: defined in one file, asked from one other, never beside it."""
import re
import sys

from check_source import ROOT, strip

RULES = {
    "decision": "what decides who may is one function, so that a new kind of rule is one more voter there",
    "asker": "who asks, from where and for what is filled in at one place, so that no question lacks a part",
    "reason": "a refusal that is not made here tells the log no reason",
    "caller": "what depends on who the caller is is a question to the access decision",
    "row": "what is special of one operation is a column of routes.def, not a comparison with its function",
}
DECISION = "server/auth/access.c"
ASKER = "server/s3/may.c"
# (rule, pattern, files that may have it)
PATTERNS = [
    ("decision", r"\baccess_decide\s*\(", {DECISION, "server/auth/access.h", ASKER}),
    ("decision", r"\baccess_count\s*\(", {DECISION, "server/auth/access.h"}),
    ("decision", r"\bacl_gives\s*\(", {DECISION, "server/auth/acl.c", "server/auth/acl.h"}),
    # An entry of DeleteObjects that is refused refuses no request.
    ("reason", r"\bS3_AccessDenied\b", {ASKER, "server/s3/refuse.c", "server/s3/ops/delete_objects.c"}),
    # Elsewhere it is named, not judged: as the owner of what it writes, to the token service, in the record.
    ("caller", r"\bauth\.user\b", {ASKER, "server/s3/op.c", "server/s3/dispatch.c", "server/s3/record.c",
                                      "server/s3/delivery/log_facts.c"}),
    ("row", r"(?:->|\.)\s*run\s*[=!]=|[=!]=\s*op_[A-Z]\w+", set()),
]


def functions_that_decide(code):
    return len(re.findall(r"^struct access_verdict access_decide\([^;{]*\)\s*\{", code, re.M))


def main():
    problems = []
    defined = 0
    calls = 0
    files = sorted((ROOT / "server").rglob("*.[ch]"))
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        code = strip(path.read_text())
        defined += functions_that_decide(code)
        if name == ASKER:
            calls = len(re.findall(PATTERNS[0][1], code))
        for rule, pattern, homes in PATTERNS:
            if name in homes or (rule in ("reason", "caller") and not name.startswith("server/s3/")):
                continue
            for match in re.finditer(pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: {rule}: {match.group(0).strip()} ({RULES[rule]})")
    if defined != 1:
        problems.append(f"{DECISION}: decision: access_decide is defined {defined} times ({RULES['decision']})")
    if calls != 1:
        problems.append(f"{ASKER}: asker: access_decide is called {calls} times ({RULES['asker']})")
    for problem in problems:
        print(problem)
    print(f"check_access: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
