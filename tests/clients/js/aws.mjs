// SPDX-License-Identifier: Apache-2.0
//
// aws-sdk-js v3: checks by name, see check.mjs.
import assert from "node:assert/strict";
import fs from "node:fs";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, GetObjectTaggingCommand,
  HeadObjectCommand, ListObjectsCommand, ListObjectVersionsCommand, PutBucketVersioningCommand, PutObjectCommand,
  PutObjectTaggingCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { accessKeyId, bytes, digest, endpoint, failure, fileDigest, main, secretAccessKey, text } from "./check.mjs";

const s3 = new S3Client({
  endpoint: endpoint.href, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey },
});
const send = (Command, input) => s3.send(new Command(input));

await main({
  async put_string_empty_and_stream(Bucket, file) {
    await send(PutObjectCommand, { Bucket, Key: "string", Body: "text", ContentType: "text/x", Metadata: { a: "b" } });
    await send(PutObjectCommand, { Bucket, Key: "empty", Body: "" });
    // Streams are sent with a trailer, over http too: one of known length, and 20 MiB of a file at once.
    await send(PutObjectCommand, { Bucket, Key: "stream", Body: Readable.from([Buffer.alloc(70000, 7)]), ContentLength: 70000 });
    await send(PutObjectCommand, { Bucket, Key: "file", Body: fs.createReadStream(file) });
    const got = await send(GetObjectCommand, { Bucket, Key: "string" });
    assert.equal(await text(got.Body), "text");
    assert.deepEqual([got.ContentType, got.Metadata], ["text/x", { a: "b" }]);
    assert.ok(got.LastModified instanceof Date);
    assert.equal((await send(HeadObjectCommand, { Bucket, Key: "empty" })).ContentLength, 0);
    const stream = await send(GetObjectCommand, { Bucket, Key: "stream" });
    assert.equal(stream.ContentEncoding, undefined);
    assert.deepEqual(await bytes(stream.Body), Buffer.alloc(70000, 7));
    assert.equal(digest(await bytes((await send(GetObjectCommand, { Bucket, Key: "file" })).Body)), fileDigest(file));
  },

  async upload_20_mib_and_download(Bucket, file) {
    const upload = new Upload({ client: s3, params: { Bucket, Key: "large", Body: fs.createReadStream(file) } });
    const done = await upload.done();
    assert.match(done.ETag, /-5"$/);
    assert.match(done.ChecksumCRC32, /-5$/);
    const whole = await send(GetObjectCommand, { Bucket, Key: "large" });
    assert.equal(digest(await bytes(whole.Body)), fileDigest(file));
    const part = await send(GetObjectCommand, { Bucket, Key: "large", Range: "bytes=5242870-5242890" });
    assert.match(part.ContentRange, /^bytes 5242870-5242890\/\d+$/);
    assert.deepEqual(await bytes(part.Body), fs.readFileSync(file).subarray(5242870, 5242891));
  },

  async list_2500_keys(Bucket) {
    const keys = [];
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket })) keys.push(...page.Contents.map((item) => item.Key));
    assert.equal(keys.length, 2500);
    assert.equal(digest(keys.join("\n")), process.env.KEYS_DIGEST);
    assert.equal((await send(ListObjectsCommand, { Bucket, Prefix: "many/00" })).Contents.length, 100);
  },

  async copy_tag_and_delete(Bucket) {
    await send(PutObjectCommand, { Bucket, Key: "a b+c", Body: "data", Tagging: "x=y" });
    await send(CopyObjectCommand, { Bucket, Key: "copy", CopySource: `${Bucket}/a%20b%2Bc` });
    assert.equal(await text((await send(GetObjectCommand, { Bucket, Key: "copy" })).Body), "data");
    await send(PutObjectTaggingCommand, { Bucket, Key: "copy", Tagging: { TagSet: [{ Key: "k", Value: "v" }] } });
    assert.deepEqual((await send(GetObjectTaggingCommand, { Bucket, Key: "copy" })).TagSet, [{ Key: "k", Value: "v" }]);
    await send(DeleteObjectCommand, { Bucket, Key: "copy" });
    const deleted = await send(DeleteObjectsCommand, { Bucket, Delete: { Objects: [{ Key: "a b+c" }, { Key: "absent" }] } });
    assert.equal(deleted.Deleted.length, 2);
    assert.equal(await failure(send(GetObjectCommand, { Bucket, Key: "a b+c" })), "NoSuchKey");
  },

  async versions(Bucket) {
    await send(PutBucketVersioningCommand, { Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const first = await send(PutObjectCommand, { Bucket, Key: "k", Body: "1" });
    await send(PutObjectCommand, { Bucket, Key: "k", Body: "2" });
    const gone = await send(DeleteObjectCommand, { Bucket, Key: "k" });
    assert.equal(gone.DeleteMarker, true);
    const old = await send(GetObjectCommand, { Bucket, Key: "k", VersionId: first.VersionId });
    assert.equal(await text(old.Body), "1");
    const listed = await send(ListObjectVersionsCommand, { Bucket });
    assert.deepEqual([listed.Versions.length, listed.DeleteMarkers.length], [2, 1]);
  },

  async conditions_and_errors(Bucket) {
    await send(PutObjectCommand, { Bucket, Key: "once", Body: "1", IfNoneMatch: "*" });
    assert.equal(await failure(send(PutObjectCommand, { Bucket, Key: "once", Body: "2", IfNoneMatch: "*" })), "PreconditionFailed");
    assert.equal(await failure(send(GetObjectCommand, { Bucket, Key: "absent" })), "NoSuchKey");
    assert.equal(await failure(send(HeadObjectCommand, { Bucket, Key: "absent" })), "NotFound");
    assert.equal(await failure(send(PutObjectCommand, { Bucket: "no-such-bucket-of-ours", Key: "k", Body: "1" })), "NoSuchBucket");
  },

  async presigned_get_and_put(Bucket) {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "signed", Metadata: { a: "b" } }), { expiresIn: 60 });
    // The URL carries the checksum of nothing; the body is not empty, and accepted all the same.
    assert.equal(new URL(put).searchParams.get("x-amz-checksum-crc32"), "AAAAAA==");
    const sent = await fetch(put, { method: "PUT", body: "sent by fetch" });
    assert.equal(sent.status, 200, await sent.text());
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "signed" }), { expiresIn: 60 });
    assert.equal(await (await fetch(get)).text(), "sent by fetch");
    assert.deepEqual((await send(HeadObjectCommand, { Bucket, Key: "signed" })).Metadata, { a: "b" });
    assert.equal((await fetch(get.replace("signed", "other"))).status, 403);
  },

  async presigned_post(Bucket) {
    const post = await createPresignedPost(s3, {
      Bucket, Key: "posted/${filename}", Expires: 60,
      Conditions: [["content-length-range", 1, 100], ["starts-with", "$Content-Type", "text/"]],
      Fields: { success_action_status: "201" },
    });
    const form = (body) => {
      const data = new FormData();
      for (const [name, value] of Object.entries(post.fields)) data.append(name, value);
      data.append("Content-Type", "text/plain");
      data.append("file", new Blob([body]), "name.txt");
      return fetch(post.url, { method: "POST", body: data });
    };
    const good = await form("posted");
    assert.equal(good.status, 201);
    assert.match(await good.text(), /<Key>posted\/name.txt<\/Key>/);
    assert.equal(await text((await send(GetObjectCommand, { Bucket, Key: "posted/name.txt" })).Body), "posted");
    assert.match(await (await form("x".repeat(101))).text(), /<Code>EntityTooLarge<\/Code>/);
  },
});
