// SPDX-License-Identifier: Apache-2.0
// A page of another origin: uploads by presigned URL, by form and in parts, and reads back. It is bundled
// for a browser; what it found it tells its own origin. See tests/clients/test_browser.py.
import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const { endpoint, region, credentials, bucket, closed, put, get, post, large } = globalThis.config;
const told = [];

function check(what, good) {
  told.push(`${good ? "ok" : "NOT"} ${what}`);
}

async function text(url) {
  const response = await fetch(url);
  return [response.status, await response.text(), response.headers.get("etag")];
}

async function run() {
  const sent = await fetch(put, { method: "PUT", body: "by url", headers: { "x-amz-meta-from": "a page" } });
  check("presigned PUT", sent.status === 200 && sent.headers.get("etag") !== null);
  const [status, body, etag] = await text(get);
  check("presigned GET", status === 200 && body === "by url" && etag === sent.headers.get("etag"));

  const form = new FormData();
  for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
  form.append("file", new Blob(["by form"]), "form.txt");
  const posted = await fetch(post.url, { method: "POST", body: form });
  check("form", posted.status === 201 && (await posted.text()).includes("<Key>form.txt</Key>"));

  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const bytes = new Uint8Array(large).fill(7);
  const parts = { Bucket: bucket, Key: "parts.bin", Body: new Blob([bytes]) };
  const done = await new Upload({ client: s3, params: parts, partSize: 5 * 1024 * 1024 }).done();
  check("aws-sdk-js multipart", /^"[0-9a-f]{32}-3"$/.test(done.ETag));

  const missing = await fetch(get.replace("by-url.txt", "none.txt"));
  check("a refusal can be read", missing.status === 403 && (await missing.text()).includes("<Code>"));
  const outcome = await fetch(closed).then(() => "read", (error) => error.name);
  check("a bucket without rules can not", outcome === "TypeError");
}

run().catch((error) => told.push(`NOT ${error.stack ?? error}`)).finally(() => {
  fetch("/told", { method: "POST", body: told.join("\n") });
});
