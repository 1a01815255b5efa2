# SPDX-License-Identifier: Apache-2.0
"""After a restart: does the store hold what was answered, and nothing that was not asked?

Each problem is a line. Where a request was in doubt the world is brought up to what is found.
"""

import model
import writer

SAMPLE = 6  # keys nobody touched whose bytes are read as well


class Verifier:
    def __init__(self, connection, world, writers, shared, random):
        self.connection = connection
        self.world = world
        self.doubts = [one.doubt for one in writers if one.doubt is not None]
        self.touched = set().union(*(one.touched for one in writers)) if writers else set()
        self.shared = shared
        self.random = random
        self.problems = []
        self.lost = self.mixed = self.phantoms = 0
        self.settled_new = 0

    def run(self):
        self.buckets()
        self.plain()
        self.histories()
        self.uploads()
        return self.problems

    def problem(self, text):
        self.problems.append(text)

    def get(self, path, query=()):
        return self.connection.request("GET", path, query)

    # ---- buckets

    def buckets(self):
        found = {node.findtext("Name") for node in self.get("/").xml().iter("Bucket")}
        for doubt in self.doubts:
            if doubt.bucket is None:
                continue
            name, exists = doubt.bucket
            if (name in found) == exists:
                self.settled_new += 1
            (self.world.buckets.add if name in found else self.world.buckets.discard)(name)
        for name in self.world.buckets - found:
            self.lost += 1
            self.problem(f"bucket {name} is lost")
        for name in found - self.world.buckets:
            self.phantoms += 1
            self.problem(f"bucket {name} should not be there")

    # ---- objects

    def differs(self, state, path, query=()):
        """Why the object at path is not in that state, or None."""
        reply = self.get(path, query)
        if state is None:
            return None if reply.status == 404 else f"is there ({reply.headers.get(writer.MARK)})"
        if reply.status != 200:
            return f"answers {reply}"
        if reply.headers.get(writer.MARK) != state.mark:
            return f"has the mark {reply.headers.get(writer.MARK)}"
        if reply.etag != state.etag:
            return f"has the ETag {reply.etag}"
        if state.encrypted and "x-amz-server-side-encryption" not in reply.headers:
            return "is not encrypted"
        if reply.body != state.body():
            return f"has other bytes: {self.whose(reply.body, state)}"
        if int(reply.headers.get("x-amz-tagging-count", 0)) != len(state.tags):
            return f"has {reply.headers.get('x-amz-tagging-count', 0)} tags"
        if state.tags:
            found = self.get(path, [*query, ("tagging", "")]).xml()
            tags = [(node.findtext("Key"), node.findtext("Value")) for node in found.iter("Tag")]
            if sorted(tags) != sorted(state.tags):
                return f"has the tags {tags}"
        return None

    @staticmethod
    def whose(body, state):
        expected = state.body()
        if len(body) != len(expected):
            return f"{len(body)} bytes instead of {len(expected)}, beginning {body[:60]!r}"
        at = next(n for n in range(len(body)) if body[n] != expected[n])
        return f"from byte {at} on; it begins {body[:60]!r}"

    def plain(self):
        listing = self.connection.list_objects("plain")
        candidates = {key: [state] for key, state in self.world.plain.items()}
        for key, shared in self.shared.items():
            candidates[key] = shared.allowed()
        for doubt in self.doubts:
            for key, state in doubt.keys.items():
                candidates.setdefault(key, [model.ABSENT]).append(state)
        for key in listing:
            candidates.setdefault(key, [model.ABSENT])
        before = dict(self.world.plain)
        quiet = [key for key in candidates if key not in self.touched and key not in self.shared]
        read = self.touched | set(self.shared) | set(self.random.sample(quiet, min(SAMPLE, len(quiet))))
        for key in sorted(candidates):
            self.plain_key(key, candidates[key], listing.get(key), key in read)
        self.renamed(before)

    def renamed(self, before):
        """Of both keys or of none: what one of them says the other one says too."""
        for doubt in self.doubts:
            if doubt.what != "rename":
                continue
            (target, state), (source, _) = doubt.keys.items()
            right = before.get(target) if source in self.world.plain else state
            if self.world.plain.get(target) != right:
                self.problem(f"rename of {source} to {target}: the one is {self.world.plain.get(source)}, "
                             f"the other {self.world.plain.get(target)}")  # fmt: skip

    def plain_key(self, key, candidates, seen, read):
        fitting = [state for state in candidates
                   if seen == (None if state is None else (state.etag, state.size))]  # fmt: skip
        if not fitting:
            return self.explain(key, candidates, seen)
        found = fitting[0]
        if read or len(candidates) > 1:
            reasons = []
            for found in fitting:
                reason = self.differs(found, f"/plain/{key}")
                if reason is None:
                    break
                reasons.append(reason)
            else:
                self.mixed += 1
                return self.problem(f"{key} {reasons} (listed as {seen}), allowed: {self.names(candidates)}")
        if key not in self.shared and len(candidates) > 1 and found is not candidates[0]:
            self.settled_new += 1
        if found is None:
            self.world.plain.pop(key, None)
        else:
            self.world.plain[key] = found

    def explain(self, key, candidates, seen):
        if seen is None:
            self.lost += 1
            self.problem(f"{key} is lost: {self.names(candidates)}")
        elif candidates == [model.ABSENT]:
            self.phantoms += 1
            self.problem(f"{key} is there and should not be: {seen}")
        else:
            # Another content than the last one answered: an older one came back, or a mixture.
            self.lost += 1
            self.problem(f"{key} is {seen}, allowed: {self.names(candidates)}")

    @staticmethod
    def names(candidates):
        return " or ".join("absent" if state is None else str(state) for state in candidates)

    # ---- versions

    def listed_versions(self):
        found = {}
        for root in self.connection.list_pages("hist", [("versions", "")]):
            for node in root:
                if node.tag not in ("Version", "DeleteMarker"):
                    continue
                seen = None
                if node.tag == "Version":
                    seen = (node.findtext("ETag").strip('"'), int(node.findtext("Size")))
                found.setdefault(node.findtext("Key"), []).append(
                    (node.findtext("VersionId"), seen, node.findtext("IsLatest") == "true"))  # fmt: skip
        return found

    @staticmethod
    def fits(versions, found):
        if len(versions) != len(found):
            return False
        for n, (version, (id, seen, latest)) in enumerate(zip(versions, found)):
            state = version.state
            if version.id not in (None, id) or latest != (n == 0):
                return False
            if seen != (None if state is None else (state.etag, state.size)):
                return False
        return True

    def histories(self):
        listing = self.listed_versions()
        candidates = {key: [versions] for key, versions in self.world.histories.items()}
        for doubt in self.doubts:
            for key, versions in doubt.histories.items():
                candidates.setdefault(key, [()]).append(versions)
        for key in listing:
            candidates.setdefault(key, [()])
        for key in sorted(candidates):
            self.history(key, candidates[key], listing.get(key, []))

    def history(self, key, candidates, found):
        fitting = [n for n, versions in enumerate(candidates) if self.fits(versions, found)]
        if not fitting:
            expected = [[(version.id, str(version.state)) for version in versions] for versions in candidates]
            if len(found) < min(len(versions) for versions in candidates):
                self.lost += 1
            else:
                self.phantoms += 1
            return self.problem(f"versions of {key} are {found}, allowed: {expected}")
        self.settled_new += fitting[0] > 0
        versions = tuple(
            model.Version(id, version.state)
            for version, (id, _, _) in zip(candidates[fitting[0]], found)
        )  # fmt: skip
        self.world.histories[key] = versions
        if key not in self.touched or not versions:
            return None
        # The newest as everybody reads it, and one older by its id.
        checks = [(versions[0].state, [])]
        older = self.random.choice(versions)
        if older.state is not None:
            checks.append((older.state, [("versionId", older.id)]))
        for state, query in checks:
            reason = self.differs(state, f"/hist/{key}", query)
            if reason is not None:
                self.mixed += 1
                self.problem(f"version {query} of {key} {reason}, expected {state}")
        return None

    # ---- uploads

    def uploads(self):
        found = {
            node.findtext("UploadId"): node.findtext("Key")
            for root in self.connection.list_pages("plain", [("uploads", "")])
            for node in root.iter("Upload")
        }  # fmt: skip
        for doubt in self.doubts:
            if doubt.abort is not None and doubt.abort not in found:
                self.settled_new += 1
                del self.world.uploads[doubt.abort]
            if doubt.complete is not None:
                self.completed(doubt, found)
            if doubt.new_upload is not None:
                self.begun(doubt.new_upload, found)
        for id, upload in self.world.uploads.items():
            if id not in found:
                self.lost += 1
                self.problem(f"upload {id} of {upload.key} is lost")
            else:
                self.parts(id, upload)
        for id in set(found) - set(self.world.uploads):
            self.phantoms += 1
            self.problem(f"upload {id} of {found[id]} should not be there")

    def begun(self, key, found):
        """An upload whose id nobody was told: it may be there, and can be aborted."""
        extra = [id for id in found if found[id] == key and id not in self.world.uploads]
        for id in extra[:1]:
            self.settled_new += 1
            reply = self.connection.request("DELETE", f"/plain/{key}", [("uploadId", id)])
            if reply.status != 204:
                self.problem(f"upload {id} of {key} can not be aborted: {reply}")
            del found[id]

    def completed(self, doubt, found):
        """Either the object or the upload is there; asking again gives the object."""
        upload = self.world.uploads.pop(doubt.complete)
        ((key, state),) = doubt.keys.items()
        is_object = self.world.plain.get(key) == state
        if is_object == (doubt.complete in found):
            self.problem(f"{key}: object {is_object} and its upload {doubt.complete in found}")
        found.pop(doubt.complete, None)
        reply = self.connection.request("POST", f"/plain/{key}", [("uploadId", doubt.complete)], None,
                                        writer.complete_xml(upload))  # fmt: skip
        etag = (reply.xml().findtext("ETag") or "").strip('"') if reply.status == 200 else None
        if etag != state.etag:
            self.problem(f"completing {key} again: {reply}, expected {state}")
            return
        reason = self.differs(state, f"/plain/{key}")
        if reason is not None:
            self.mixed += 1
            self.problem(f"{key}, completed again, {reason}, expected {state}")
        self.world.plain[key] = state

    def parts(self, id, upload):
        root = next(self.connection.list_pages(f"plain/{upload.key}", [("uploadId", id)]))
        found = {
            int(node.findtext("PartNumber")): (int(node.findtext("Size")), node.findtext("ETag").strip('"'))
            for node in root.iter("Part")
        }  # fmt: skip
        candidates = [upload.parts]
        for doubt in self.doubts:
            if doubt.part is not None and doubt.part[0] == id:
                candidates.append({**upload.parts, doubt.part[1]: doubt.part[2]})
        for parts in candidates:
            if found == {number: part[1:] for number, part in parts.items()}:
                self.settled_new += parts is not candidates[0]
                self.world.uploads[id] = upload._replace(parts=parts)
                return
        self.lost += 1
        self.problem(f"parts of {upload.key} ({id}) are {found}, allowed: {candidates}")
