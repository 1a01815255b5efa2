# SPDX-License-Identifier: Apache-2.0
"""What the store must hold, kept outside of it.

(1) Content is made from a label alone, so that any byte says who wrote it, and nothing has to be
    kept to compare it.
(2) A key that only one writer touches has one state, and at most one more that is in doubt: the
    request whose answer never came.
(3) A key that all writers touch has a history: its final state must be left by an operation that no
    answered one followed entirely.
"""

import hashlib
import time
import typing

LABEL_HEAD = 96  # room for the label at the beginning of a content


def content(label, size):
    """size bytes of label: its text, then a stream keyed by it."""
    head = label.encode().ljust(LABEL_HEAD, b".")[:LABEL_HEAD]
    if size <= len(head):
        return head[:size]
    return head + hashlib.shake_128(label.encode()).digest(size - len(head))


def md5(data):
    return hashlib.md5(data).hexdigest()


class State(typing.NamedTuple):
    """An object as a client sees it."""

    pieces: tuple  # of (label, size): one, or one for each part
    etag: str
    mark: str  # x-amz-meta-mark
    tags: tuple = ()
    encrypted: bool = False

    @property
    def size(self):
        return sum(size for _, size in self.pieces)

    def body(self):
        return b"".join(content(label, size) for label, size in self.pieces)

    def __str__(self):
        return f"{self.mark} ({self.size} bytes, {self.etag}, tags {dict(self.tags)})"


ABSENT = None


def state_of(label, size, data, **other):
    return State(((label, size),), md5(data), label, **other)


class Version(typing.NamedTuple):
    """One entry of a key's history. id None: not known, the answer never came."""

    id: typing.Optional[str]
    state: typing.Optional[State]  # None: a delete marker


class Upload(typing.NamedTuple):
    key: str
    mark: str
    parts: dict  # number -> (label, size, md5)


class Doubt(typing.NamedTuple):
    """What one unanswered request may have done."""

    what: str
    keys: dict = {}  # key -> State or ABSENT
    histories: dict = {}  # key -> tuple of Version
    new_upload: typing.Optional[str] = None  # key of an upload that may exist
    part: typing.Optional[tuple] = None  # (upload id, number, label, size, md5)
    complete: typing.Optional[str] = None  # upload id; keys has its object
    abort: typing.Optional[str] = None  # upload id
    bucket: typing.Optional[tuple] = None  # (name, exists)


class World:
    """Everything answered so far on one directory."""

    def __init__(self):
        self.plain = {}  # key -> State; absent keys are not in it
        self.histories = {}  # key -> tuple of Version, newest first
        self.uploads = {}  # id -> Upload
        self.done = {}  # id -> (key, etag) of completed uploads of this run
        self.buckets = set()


class Shared:
    """The history of one key that every writer writes, during one run of the server."""

    def __init__(self, before):
        self.operations = [(0.0, 0.0, before)]  # (begun, answered or inf, state after it)

    def begin(self, state):
        self.operations.append([time.monotonic(), float("inf"), state])
        return self.operations[-1]

    @staticmethod
    def end(operation):
        operation[1] = time.monotonic()

    def allowed(self):
        """The states that may be found: of operations no answered one came entirely after."""
        last_begun = max(begun for begun, answered, _ in self.operations if answered < float("inf"))
        return [state for _, answered, state in self.operations if answered >= last_begun]
