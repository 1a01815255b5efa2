# SPDX-License-Identifier: Apache-2.0
"""The operations that have a budget. Each is made ready, called some times to reach its steady state,
and counted over some more calls.
"""

import os

from budget.measure import Counted

KIB = 1024
MIB = 1024 * KIB
PARTS = 64
PAGE = 1000
BUCKET = "budget"
DOCUMENTED = "documented"  # has documents, and is asked the same
LOAD = 6400

# name: (calls before, calls counted, operations of a call)
OPERATIONS = {
    "GET-1k": (50, 200, 1),
    "GET-256k": (20, 50, 1),
    "HEAD": (50, 200, 1),
    "PUT-1k": (50, 200, 1),
    "PUT-1k-c64": (1, 1, LOAD),
    "PUT-256k": (20, 50, 1),
    "DELETE": (50, 200, 1),
    "LIST-1000": (5, 20, 1),
    "DeleteObjects-1000": (2, 10, 1),
    "Complete-64": (2, 8, 1),
    "GET-1k-documents": (50, 200, 1),
    "HEAD-documents": (50, 200, 1),
    "PUT-1k-documents": (50, 200, 1),
    "LIST-documents": (20, 50, 1),
}


DOCUMENTS = {
    "ownershipControls": b"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>",
    "publicAccessBlock": b"<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>",
}


def ask(counted, method, path, query=(), headers=None, body=b"", **options):
    reply = counted.connection.request(method, path, query, headers, body, **options)
    assert reply.ok, f"{method} {path}: {reply}"
    return reply


def bench_key(number):
    """As tests/bench/key.h has it."""
    return f"{number * 2654435761 & 0xFFFFFFFF:08x}"


class Operations:
    def __init__(self, counted: Counted):
        self.counted = counted
        self.made = 0
        ask(counted, "PUT", f"/{BUCKET}")
        ask(counted, "PUT", f"/{BUCKET}/1k", body=os.urandom(KIB))
        ask(counted, "PUT", f"/{BUCKET}/256k", body=os.urandom(256 * KIB))
        ask(counted, "PUT", f"/{DOCUMENTED}")
        ask(counted, "PUT", f"/{DOCUMENTED}/1k", body=os.urandom(KIB))
        for kind, document in DOCUMENTS.items():
            ask(counted, "PUT", f"/{DOCUMENTED}", [(kind, "")], body=document)

    def measure(self, name):
        """Counts of one operation, by name."""
        warm, times, each = OPERATIONS[name]
        work = getattr(self, name.replace("-", "_"))(warm + times)
        for i in range(warm):
            work(i)
        found = self.counted.count(lambda i: work(warm + i), times)
        return {counter: value / each for counter, value in found.items()}

    def _fresh(self, bucket=BUCKET):
        self.made += 1
        return f"/{bucket}/new-{self.made:06}"

    # ---- each returns work(i), for `count` calls ---------------------------------------------------

    def GET_1k(self, count):
        return lambda i: ask(self.counted, "GET", f"/{BUCKET}/1k")

    def GET_256k(self, count):
        return lambda i: ask(self.counted, "GET", f"/{BUCKET}/256k")

    def HEAD(self, count):
        return lambda i: ask(self.counted, "HEAD", f"/{BUCKET}/1k")

    def _put(self, count, size, bucket=BUCKET):
        bodies = [os.urandom(size) for _ in range(count)]
        return lambda i: ask(self.counted, "PUT", self._fresh(bucket), body=bodies[i], signed_payload=True)

    def PUT_1k(self, count):
        return self._put(count, KIB)

    def GET_1k_documents(self, count):
        return lambda i: ask(self.counted, "GET", f"/{DOCUMENTED}/1k")

    def HEAD_documents(self, count):
        return lambda i: ask(self.counted, "HEAD", f"/{DOCUMENTED}/1k")

    def PUT_1k_documents(self, count):
        return self._put(count, KIB, DOCUMENTED)

    def LIST_documents(self, count):
        return lambda i: ask(self.counted, "GET", f"/{DOCUMENTED}", [("list-type", "2"), ("max-keys", "1")])

    def PUT_256k(self, count):
        return self._put(count, 256 * KIB)

    def DELETE(self, count):
        keys = [self._fresh() for _ in range(count)]
        for key in keys:
            ask(self.counted, "PUT", key, body=os.urandom(KIB))
        return lambda i: ask(self.counted, "DELETE", keys[i])

    def LIST_1000(self, count):
        self.counted.load("fill", "--bucket=listed", f"--keys={PAGE + 500}", "--size=64", "--connections=32")

        def work(i):
            reply = ask(self.counted, "GET", "/listed", [("list-type", "2")])
            assert reply.body.count(b"<Key>") == PAGE

        return work

    def DeleteObjects_1000(self, count):
        self.counted.load("fill", "--bucket=deleted", f"--keys={PAGE * count}", "--connections=32")

        def work(i):
            items = [(bench_key(n), None) for n in range(PAGE * i, PAGE * (i + 1))]
            reply = self.counted.connection.delete_objects("deleted", items)
            assert reply.ok and reply.body.count(b"<Deleted>") == PAGE, reply

        return work

    def Complete_64(self, count):
        """Of parts that are copies: what is in them does not matter to Complete."""
        ask(self.counted, "PUT", f"/{BUCKET}/part", body=os.urandom(5 * MIB))
        documents = [self._upload() for _ in range(count)]

        def work(i):
            path, query, document = documents[i]
            assert b"<ETag>" in ask(self.counted, "POST", path, query, body=document).body

        return work

    def _upload(self):
        path = self._fresh()
        upload = ask(self.counted, "POST", path, [("uploads", "")]).xml().findtext("UploadId")
        rows = ""
        for number in range(1, PARTS + 1):
            etag = ask(self.counted, "PUT", path, [("partNumber", str(number)), ("uploadId", upload)],
                       {"x-amz-copy-source": f"/{BUCKET}/part"}).xml().findtext("ETag")  # fmt: skip
            rows += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        return path, [("uploadId", upload)], document

    def PUT_1k_c64(self, count):
        """A call is LOAD of them, on 64 connections."""
        def work(i):
            self.counted.load("put", f"--bucket={BUCKET}", f"--first={LOAD * i}", f"--requests={LOAD}",
                              "--connections=64", "--seconds=0")  # fmt: skip

        return work
