# SPDX-License-Identifier: Apache-2.0
"""The outbox of a store that was killed, judged by the catalog beside it.

Events from the first on, played to nobody's objects, must give the versions that are there: one more or
one less is an event that is lost, told twice, or of a write that did not happen. What is there is in turn
compared with what was answered, by verify.py.
"""

import contextlib
import shutil
import sqlite3
import tempfile

SUBSCRIBER = b"test"
CREATED = ("ObjectCreated:", "ObjectRemoved:DeleteMarkerCreated")
REMOVED = "ObjectRemoved:Delete"


TOLD = ("<NotificationConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><EventBridgeConfiguration>"
        "</EventBridgeConfiguration></NotificationConfiguration>")  # fmt: skip


def subscribe(directory):
    """Into a store that nobody has open; it has no objects yet. Its buckets have notifications, for which none is told
    anything without."""
    with contextlib.closing(sqlite3.connect(directory / "catalog.db")) as catalog:
        catalog.execute("INSERT INTO document(bucket, kind, id, body) SELECT id, CAST('notification' AS BLOB), x'', "
                        "CAST(? AS BLOB) FROM bucket", (TOLD,))  # fmt: skip
        catalog.execute("INSERT INTO subscriber(name, done) VALUES(?, 0)", (SUBSCRIBER,))
        catalog.commit()


@contextlib.contextmanager
def copied(directory):
    """The catalog, log and all, in a place where looking at it changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for path in directory.glob("catalog.db*"):
            shutil.copy(path, folder)
        with contextlib.closing(sqlite3.connect(f"{folder}/catalog.db")) as catalog:
            yield catalog


def played(events, problems):
    """{(bucket, key, seq): (size, etag)} of what the events have left."""
    versions = {}
    nulls = {}
    for at, (number, name, bucket, key, seq, version_id, size, etag) in enumerate(events, 1):
        name = name.decode()
        if number != at:
            problems.append(f"event {number} stands where {at} should")
            return versions
        if name.startswith(CREATED):
            if version_id in (None, b"null"):  # takes the place of the null version before it
                versions.pop(nulls.get((bucket, key)), None)
                nulls[bucket, key] = (bucket, key, seq)
            versions[bucket, key, seq] = (size, etag)
        elif (bucket, key, seq) not in versions:
            problems.append(f"event {number}, {name} of {key!r}: there is no version {seq}")
        elif name == REMOVED:
            del versions[bucket, key, seq]
    return versions


def judge(catalog):
    """Problems, and how many events there are; None: nobody subscribes."""
    problems = []
    if catalog.execute("SELECT count(*) FROM subscriber").fetchone() == (0,):
        return problems, None
    events = catalog.execute("SELECT id, name, bucket, key, seq, version_id, size, etag FROM event ORDER BY id").fetchall()
    told = played(events, problems)
    there = {
        (bucket, key, seq): (size, etag)
        for bucket, key, seq, size, etag in catalog.execute(
            "SELECT bucket, key, seq, size, etag FROM object UNION ALL"
            " SELECT bucket, key, seq, size, etag FROM version")
    }  # fmt: skip
    for version in sorted(told.keys() | there.keys()):
        if told.get(version) != there.get(version):
            problems.append(f"{version}: the events tell {told.get(version)}, there is {there.get(version)}")
    return problems, len(events)


def check(directory):
    with copied(directory) as catalog:
        return judge(catalog)


def notices(directory):
    """A lost event, one told twice, and one of nothing: whether each is seen."""
    damages = (
        # What nothing has followed.
        "DELETE FROM event WHERE id = (SELECT max(one.id) FROM event one WHERE CAST(one.name AS TEXT) LIKE 'ObjectCreated%'"
        " AND NOT EXISTS (SELECT 1 FROM event later"
        " WHERE later.bucket = one.bucket AND later.key = one.key AND later.id > one.id))",
        "INSERT INTO event SELECT id + (SELECT max(id) FROM event), name, bucket, bucket_name, key, seq, version_id,"
        " size, etag, time_us, request_id, principal, address FROM event WHERE id ="
        # What has been written over since: told again, it would be what is there.
        " (SELECT min(one.id) FROM event one JOIN event later ON later.bucket = one.bucket AND later.key = one.key"
        "   AND later.id > one.id AND later.seq <> one.seq AND CAST(later.name AS TEXT) LIKE 'ObjectCreated%'"
        "  WHERE CAST(one.name AS TEXT) LIKE 'ObjectCreated%' AND CAST(one.bucket_name AS TEXT) = 'plain')",
        "INSERT INTO event(name, bucket, bucket_name, key, seq, size, etag, time_us)"
        " SELECT name, bucket, bucket_name, x'00', seq, size, etag, time_us FROM event WHERE id = 1",
    )  # fmt: skip
    seen = []
    for sql in damages:
        with copied(directory) as catalog:
            catalog.execute(sql)
            seen.append(judge(catalog)[0] != [])
    return seen
