// SPDX-License-Identifier: Apache-2.0
//
// What both JavaScript programs share: the account, the arguments, and running one check by name.
//
//   ENDPOINT=... AWS_ACCESS_KEY_ID=... node aws.mjs CHECK BUCKET [FILE]
import crypto from "node:crypto";
import fs from "node:fs";

export const endpoint = new URL(process.env.ENDPOINT);
export const accessKeyId = process.env.AWS_ACCESS_KEY_ID;
export const secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY;

export async function bytes(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const text = async (stream) => (await bytes(stream)).toString();
export const digest = (data) => crypto.createHash("sha256").update(data).digest("hex");
export const fileDigest = (path) => digest(fs.readFileSync(path));

// The name of the error a call fails with.
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error.code && typeof error.code === "string" ? error.code : error.name;
  }
  throw new Error("was accepted");
}

export async function main(checks) {
  const [name, bucket, file] = process.argv.slice(2);
  await checks[name](bucket, file);
  console.log("ok");
  // minio-js leaves answers to DELETE unread, and node would wait for their connections to end.
  process.exit(0);
}
