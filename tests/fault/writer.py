# SPDX-License-Identifier: Apache-2.0
"""One of the writers that load the server while it is killed.

(1) Everything it does follows from its seed; only where it is cut off does not.
(2) Keys under "w<index>/" are its own; keys under "shared/" are everybody's.
(3) An answer is checked when it comes. When none comes, `doubt` says what was asked.
"""

import os
import random
import traceback

import model
import s3

INLINE = 64 * 1024
PART_MIN = 5 * 1024 * 1024
OWN_KEYS = 8
MULTIPART_KEYS = 2
HISTORY_KEYS = 3
HISTORY_MAX = 10
SHARED_KEYS = 5
COMMON_CONTENTS = 3

TAG = "x-amz-tagging"
MARK = "x-amz-meta-mark"
ENCRYPT = {"x-amz-server-side-encryption": "AES256"}

OPERATIONS = {
    "put_small": 26, "put_large": 9, "put_common": 4, "put_encrypted": 6, "put_shared": 9,
    "delete_shared": 2, "delete": 5, "delete_many": 4, "copy": 5, "rename": 6, "tag": 5, "put_history": 9,
    "delete_history": 3, "delete_version": 4, "delete_many_history": 1, "multipart": 10,
    "bucket": 2, "get": 6,
}  # fmt: skip


class Unexpected(Exception):
    """An answer that no crash explains."""


def tagging_xml(tags):
    rows = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags)
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


def complete_xml(upload):
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>\"{part[2]}\"</ETag></Part>"
        for number, part in sorted(upload.parts.items())
    )  # fmt: skip
    return f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()


def completed_state(upload):
    """The object that completing makes."""
    parts = [part for _, part in sorted(upload.parts.items())]
    digest = model.md5(b"".join(bytes.fromhex(part[2]) for part in parts))
    return model.State(
        tuple((label, size) for label, size, _ in parts), f"{digest}-{len(parts)}", upload.mark)  # fmt: skip


class Writer:
    def __init__(self, index, seed, cycle, world, shared, log_fd):
        self.index = index
        self.name = f"{seed:x}.{cycle}.{index}"
        self.random = random.Random(f"{seed}/{cycle}/{index}")
        self.world = world
        self.shared = shared
        self.log_fd = log_fd
        self.number = 0
        self.answered = 0
        self.doubt = None
        self.problem = None
        self.touched = set()

    # ---- running

    def run(self, port):
        names = list(OPERATIONS)
        weights = list(OPERATIONS.values())
        try:
            with s3.Connection(port) as self.connection:
                while True:
                    name = self.random.choices(names, weights)[0]
                    self.doubt = None
                    getattr(self, name)()
        except s3.Broken:
            pass
        except Unexpected as problem:
            self.problem = str(problem)
            self.doubt = None
        except Exception:  # a thread's failure would go unseen
            self.problem = traceback.format_exc()

    def ask(self, doubt, method, path, query=(), headers=None, body=b"", want=(200,), **options):
        """One request; returns its reply, else nobody knows. Other answers are unexpected."""
        self.doubt = doubt
        reply = self.connection.request(method, path, query, headers, body, **options)
        self.doubt = None
        if reply.status not in want:
            raise Unexpected(f"{self.name} {method} {path} {dict(query)}: {reply}")
        self.answered += 1
        os.write(self.log_fd, f"{self.name}.{self.number} {method} {path} {dict(query)} "
                              f"{reply.status} {reply.etag}\n".encode())  # fmt: skip
        return reply

    def label(self):
        self.number += 1
        return f"{self.name}.{self.number}"

    def own_key(self):
        return f"w{self.index}/{self.random.randrange(OWN_KEYS)} ä"

    def existing_key(self):
        """One of our own keys that is there, or None."""
        keys = [key for key in (f"w{self.index}/{n} ä" for n in range(OWN_KEYS)) if key in self.world.plain]
        return self.random.choice(keys) if keys else None

    def set_plain(self, key, state):
        if state is None:
            self.world.plain.pop(key, None)
        else:
            self.world.plain[key] = state

    # ---- objects

    def put(self, key, state, data, headers=None):
        self.touched.add(key)
        headers = {MARK: state.mark, **(headers or {})}
        if state.tags:
            headers[TAG] = "&".join(f"{name}={value}" for name, value in state.tags)
        reply = self.ask(model.Doubt("put", {key: state}), "PUT", f"/plain/{key}", (), headers, data,
                         signed_payload=self.random.random() < 0.3)  # fmt: skip
        self.set_plain(key, state)
        if reply.etag != state.etag:
            raise Unexpected(f"ETag of {key}: {reply.etag}, not {state.etag}")

    def put_sized(self, size, headers=None, **other):
        label = self.label()
        data = model.content(label, size)
        if self.random.random() < 0.2:
            other["tags"] = (("by", label),)
        self.put(self.own_key(), model.state_of(label, size, data, **other), data, headers)

    def put_small(self):
        # Half of them tiny, the rest up to what still lies in the catalog.
        limit = self.random.choice((200, 4096, 20000, INLINE))
        self.put_sized(self.random.randrange(limit + 1))

    def put_large(self):
        self.put_sized(self.random.randrange(INLINE + 1, 160 * 1024))

    def put_encrypted(self):
        self.put_sized(self.random.choice((0, 100, 70000, 140000)), ENCRYPT, encrypted=True)

    def put_common(self):
        """Bytes that other writers store as well: one blob, many owners, come and gone."""
        label = f"common {self.random.randrange(COMMON_CONTENTS)}"
        size = INLINE + 1000 * (1 + len(label))
        data = model.content(label, size)
        state = model.State(((label, size),), model.md5(data), self.label())
        self.put(self.own_key(), state, data)

    def put_shared(self):
        key = f"shared/{self.random.randrange(SHARED_KEYS)}"
        label = self.label()
        size = self.random.choice((50, 3000, INLINE + 5))
        data = model.content(label, size)
        state = model.state_of(label, size, data)
        operation = self.shared[key].begin(state)
        self.ask(None, "PUT", f"/plain/{key}", (), {MARK: label}, data)
        self.shared[key].end(operation)

    def delete_shared(self):
        key = f"shared/{self.random.randrange(SHARED_KEYS)}"
        operation = self.shared[key].begin(model.ABSENT)
        self.ask(None, "DELETE", f"/plain/{key}", want=(204,))
        self.shared[key].end(operation)

    def delete(self):
        key = self.own_key()
        self.touched.add(key)
        self.ask(model.Doubt("delete", {key: None}), "DELETE", f"/plain/{key}", want=(204,))
        self.set_plain(key, None)

    def delete_many(self):
        keys = sorted({self.own_key() for _ in range(self.random.randrange(1, 4))})
        self.touched.update(keys)
        self.doubt = model.Doubt("delete many", dict.fromkeys(keys))
        self.delete_asked("plain", [(key, None) for key in keys])
        for key in keys:
            self.set_plain(key, None)

    def delete_asked(self, bucket, items):
        doubt = self.doubt
        reply = self.connection.delete_objects(bucket, items)
        self.doubt = None
        deleted = {node.findtext("Key"): node for node in reply.xml().iter("Deleted")} if reply.ok else {}
        if set(deleted) != {key for key, _ in items}:
            raise Unexpected(f"{self.name} {doubt.what} {items}: {reply}")
        self.answered += 1
        os.write(self.log_fd, f"{self.name}.{self.number} DELETE {bucket} {items} 200\n".encode())
        return deleted

    def copy(self):
        source = self.existing_key()
        target = self.own_key()
        if source is None or source == target:
            return
        headers = {"x-amz-copy-source": s3.quote(f"/plain/{source}")}
        before = self.world.plain[source]
        # One piece, whatever the source was: its ETag is the MD5 of the bytes.
        state = before._replace(etag=model.md5(before.body()), encrypted=self.random.random() < 0.3)
        if state.encrypted:
            headers |= ENCRYPT
        self.touched.add(target)
        reply = self.ask(model.Doubt("copy", {target: state}), "PUT", f"/plain/{target}", (), headers)
        self.set_plain(target, state)
        etag = (reply.xml().findtext("ETag") or "").strip('"')
        if etag != state.etag:
            raise Unexpected(f"copy of {source} to {target}: ETag {etag}, not {state.etag}")

    def rename(self):
        source = self.existing_key()
        target = self.own_key()
        if source is None or source == target:
            return
        state = self.world.plain[source]
        headers = {"x-amz-rename-source": s3.quote(source), "x-amz-client-token": self.label()}
        self.touched.update((source, target))
        self.ask(model.Doubt("rename", {target: state, source: model.ABSENT}), "PUT", f"/plain/{target}",
                 [("renameObject", "")], headers)  # fmt: skip
        self.set_plain(target, state)
        self.set_plain(source, None)

    def tag(self):
        key = self.existing_key()
        if key is None:
            return
        state = self.world.plain[key]._replace(tags=(("by", self.label()), ("n", "1")))
        self.touched.add(key)
        self.ask(model.Doubt("tag", {key: state}), "PUT", f"/plain/{key}", [("tagging", "")], None,
                 tagging_xml(state.tags))  # fmt: skip
        self.set_plain(key, state)

    def get(self):
        """What was answered is there at once."""
        key = self.own_key()
        state = self.world.plain.get(key)
        reply = self.ask(None, "GET", f"/plain/{key}", want=(200, 404))
        if (reply.status == 404) != (state is None):
            raise Unexpected(f"GET {key}: {reply.status}, expected {state}")
        if state is not None and (reply.headers.get(MARK) != state.mark or reply.body != state.body()):
            raise Unexpected(f"GET {key}: not the bytes just written, {reply.headers.get(MARK)} for {state}")

    # ---- versions

    def put_history(self):
        key = f"w{self.index}/v{self.random.randrange(HISTORY_KEYS)}"
        before = self.world.histories.get(key, ())
        if len(before) >= HISTORY_MAX:
            return self.delete_version()
        label = self.label()
        size = self.random.choice((0, 10, 5000, INLINE + 1000))
        data = model.content(label, size)
        state = model.state_of(label, size, data)
        after = (model.Version(None, state), *before)
        self.touched.add(key)
        reply = self.ask(model.Doubt("put version", histories={key: after}), "PUT", f"/hist/{key}", (),
                         {MARK: label}, data)  # fmt: skip
        version = reply.headers.get("x-amz-version-id")
        if not version or version == "null":
            raise Unexpected(f"a version of {key} without an id: {reply.headers}")
        self.world.histories[key] = (model.Version(version, state), *before)

    def delete_history(self):
        key = f"w{self.index}/v{self.random.randrange(HISTORY_KEYS)}"
        before = self.world.histories.get(key, ())
        if len(before) >= HISTORY_MAX:
            return self.delete_version()
        after = (model.Version(None, None), *before)
        self.touched.add(key)
        reply = self.ask(model.Doubt("delete marker", histories={key: after}), "DELETE", f"/hist/{key}",
                         want=(204,))  # fmt: skip
        version = reply.headers.get("x-amz-version-id")
        if not version:
            raise Unexpected(f"a delete marker of {key} without an id: {reply.headers}")
        self.world.histories[key] = (model.Version(version, None), *before)

    def delete_version(self):
        keys = [key for key, versions in list(self.world.histories.items())
                if versions and key.startswith(f"w{self.index}/")]  # fmt: skip
        if not keys:
            return
        key = self.random.choice(sorted(keys))
        before = self.world.histories[key]
        gone = self.random.choice(before)
        after = tuple(version for version in before if version.id != gone.id)
        self.touched.add(key)
        self.ask(model.Doubt("delete version", histories={key: after}), "DELETE", f"/hist/{key}",
                 [("versionId", gone.id)], want=(204,))  # fmt: skip
        self.world.histories[key] = after

    def delete_many_history(self):
        keys = [f"w{self.index}/v{n}" for n in range(2)]
        before = {key: self.world.histories.get(key, ()) for key in keys}
        if any(len(versions) >= HISTORY_MAX for versions in before.values()):
            return self.delete_version()
        self.touched.update(keys)
        after = {key: (model.Version(None, None), *before[key]) for key in keys}
        self.doubt = model.Doubt("delete many versions", histories=after)
        deleted = self.delete_asked("hist", [(key, None) for key in keys])
        for key in keys:
            version = deleted[key].findtext("DeleteMarkerVersionId")
            self.world.histories[key] = (model.Version(version, None), *before[key])

    # ---- multipart

    def multipart(self):
        """One step of one upload: begin, a part, end."""
        key = f"w{self.index}/m{self.random.randrange(MULTIPART_KEYS)}"
        open_ids = [id for id, upload in list(self.world.uploads.items()) if upload.key == key]
        if not open_ids:
            return self.upload_begin(key)
        upload = self.world.uploads[open_ids[0]]
        if not upload.parts or self.random.random() < 0.15:
            return self.upload_part(open_ids[0], upload)
        if self.random.random() < 0.15:
            return self.upload_abort(open_ids[0], upload)
        if 1 not in upload.parts or (2 in upload.parts and upload.parts[1][1] < PART_MIN):
            return self.upload_part(open_ids[0], upload)
        return self.upload_complete(open_ids[0], upload)

    def upload_begin(self, key):
        mark = self.label()
        reply = self.ask(model.Doubt("begin upload", new_upload=key), "POST", f"/plain/{key}",
                         [("uploads", "")], {MARK: mark})  # fmt: skip
        self.world.uploads[reply.xml().findtext("UploadId")] = model.Upload(key, mark, {})

    def upload_part(self, id, upload):
        # Two parts are rare: the first of them has to be large.
        big = self.random.random() < 0.02
        number = 2 if 1 in upload.parts and upload.parts[1][1] >= PART_MIN else 1
        size = PART_MIN if big and number == 1 else self.random.randrange(1, 120 * 1024)
        label = self.label()
        data = model.content(label, size)
        part = (label, size, model.md5(data))
        reply = self.ask(model.Doubt("part", part=(id, number, part)), "PUT", f"/plain/{upload.key}",
                         [("partNumber", str(number)), ("uploadId", id)], None, data)  # fmt: skip
        if reply.etag != part[2]:
            raise Unexpected(f"ETag of a part of {upload.key}: {reply.etag}, not {part[2]}")
        self.world.uploads[id] = upload._replace(parts={**upload.parts, number: part})

    def upload_complete(self, id, upload):
        state = completed_state(upload)
        self.touched.add(upload.key)
        doubt = model.Doubt("complete", {upload.key: state}, complete=id)
        reply = self.ask(doubt, "POST", f"/plain/{upload.key}", [("uploadId", id)], None,
                         complete_xml(upload))  # fmt: skip
        etag = (reply.xml().findtext("ETag") or "").strip('"')
        if etag != state.etag:
            raise Unexpected(f"complete of {upload.key}: ETag {etag}, not {state.etag}: {reply}")
        self.set_plain(upload.key, state)
        del self.world.uploads[id]

    def upload_abort(self, id, upload):
        self.ask(model.Doubt("abort", abort=id), "DELETE", f"/plain/{upload.key}", [("uploadId", id)],
                 want=(204,))  # fmt: skip
        del self.world.uploads[id]

    # ---- buckets

    def bucket(self):
        name = f"tmp-{self.index}"
        exists = name in self.world.buckets
        self.ask(model.Doubt("bucket", bucket=(name, not exists)), "DELETE" if exists else "PUT",
                 f"/{name}", want=(204,) if exists else (200,))  # fmt: skip
        if exists:
            self.world.buckets.discard(name)
        else:
            self.world.buckets.add(name)


