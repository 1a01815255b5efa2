// SPDX-License-Identifier: Apache-2.0
//
// minio-js: checks by name, see check.mjs.
import assert from "node:assert/strict";
import fs from "node:fs";
import { Readable } from "node:stream";
import * as minio from "minio";
import { accessKeyId, digest, endpoint, failure, bytes, fileDigest, main, secretAccessKey, text } from "./check.mjs";

// Without a region it asks ?location first. Its parts are 64 MiB unless it is told otherwise.
const options = {
  endPoint: endpoint.hostname, port: Number(endpoint.port), useSSL: endpoint.protocol === "https:",
  accessKey: accessKeyId, secretKey: secretAccessKey, pathStyle: true,
};
const client = new minio.Client(options);
const clientOfParts = new minio.Client({ ...options, partSize: 5 * 1024 * 1024 });

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

await main({
  async put_get_stat_and_remove(bucket) {
    assert.equal(await client.bucketExists(bucket), true);
    assert.equal(await client.bucketExists("no-such-bucket-of-ours"), false);
    await client.putObject(bucket, "a b+c", "text", 4, { "Content-Type": "text/x", "X-Amz-Meta-A": "b" });
    await client.putObject(bucket, "stream", Readable.from([Buffer.alloc(70000, 7)]), 70000);
    assert.equal(await text(await client.getObject(bucket, "a b+c")), "text");
    const stat = await client.statObject(bucket, "a b+c");
    assert.deepEqual([stat.size, stat.metaData["content-type"], stat.metaData.a], [4, "text/x", "b"]);
    await client.removeObject(bucket, "a b+c");
    assert.equal(await failure(client.getObject(bucket, "a b+c")), "NoSuchKey");
    await client.removeObjects(bucket, ["stream", "absent"]);
    assert.deepEqual(await all(client.listObjectsV2(bucket, "", true)), []);
  },

  async upload_20_mib_and_download(bucket, file) {
    await client.fPutObject(bucket, "large", file);
    assert.equal(digest(await bytes(await client.getObject(bucket, "large"))), fileDigest(file));
    const part = await bytes(await client.getPartialObject(bucket, "large", 5242870, 21));
    assert.deepEqual(part, fs.readFileSync(file).subarray(5242870, 5242891));
    await clientOfParts.fPutObject(bucket, "parts", file);
    assert.match((await client.statObject(bucket, "parts")).etag, /-\d+$/);
    await client.fGetObject(bucket, "parts", "back");
    assert.equal(fileDigest("back"), fileDigest(file));
  },

  async list_2500_keys(bucket) {
    for (const stream of [client.listObjectsV2(bucket, "", true), client.listObjects(bucket, "", true)]) {
      const keys = (await all(stream)).map((item) => item.name);
      assert.equal(keys.length, 2500);
      assert.equal(digest(keys.join("\n")), process.env.KEYS_DIGEST);
    }
    assert.equal((await all(client.listObjectsV2(bucket, "", false))).length, 1);
  },

  async copy_and_tag(bucket) {
    await client.putObject(bucket, "k", "data");
    await client.copyObject(bucket, "copy", `/${bucket}/k`);
    assert.equal(await text(await client.getObject(bucket, "copy")), "data");
    await client.setObjectTagging(bucket, "copy", { x: "y" });
    assert.deepEqual((await client.getObjectTagging(bucket, "copy")).flat(), [{ Key: "x", Value: "y" }]);
    await client.removeObjectTagging(bucket, "copy");
    // S3 answers 204 to this, which the client takes for a failure. What it sent was taken.
    await client.setBucketTagging(bucket, { p: "q" }).catch(() => {});
    assert.deepEqual((await client.getBucketTagging(bucket)).flat(), [{ Key: "p", Value: "q" }]);
  },

  async versions(bucket) {
    await client.setBucketVersioning(bucket, { Status: "Enabled" });
    assert.equal((await client.getBucketVersioning(bucket)).Status, "Enabled");
    const first = await client.putObject(bucket, "k", "1");
    await client.putObject(bucket, "k", "2");
    await client.removeObject(bucket, "k");
    assert.equal(await text(await client.getObject(bucket, "k", { versionId: first.versionId })), "1");
    assert.equal((await all(client.listObjects(bucket, "", true, { IncludeVersion: true }))).length, 3);
  },

  async presigned_urls_and_post(bucket) {
    const put = await client.presignedPutObject(bucket, "signed", 60);
    assert.equal((await fetch(put, { method: "PUT", body: "sent" })).status, 200);
    const get = await client.presignedGetObject(bucket, "signed", 60);
    assert.equal(await (await fetch(get)).text(), "sent");
    const policy = client.newPostPolicy();
    policy.setBucket(bucket);
    policy.setKey("posted");
    policy.setExpires(new Date(Date.now() + 60000));
    policy.setContentLengthRange(1, 100);
    const { postURL, formData } = await client.presignedPostPolicy(policy);
    const data = new FormData();
    for (const [name, value] of Object.entries(formData)) data.append(name, value);
    data.append("file", new Blob(["posted"]), "x");
    assert.equal((await fetch(postURL, { method: "POST", body: data })).status, 204);
    assert.equal(await text(await client.getObject(bucket, "posted")), "posted");
  },
});
