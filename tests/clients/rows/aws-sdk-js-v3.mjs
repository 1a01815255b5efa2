import fs from "node:fs";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const { BUCKET: Bucket, KEY: Key, LARGE_KEY, SMALL, LARGE, OUT } = process.env;
await s3.send(new PutObjectCommand({ Bucket, Key, Body: fs.readFileSync(SMALL) }));
await new Upload({ client: s3, params: { Bucket, Key: LARGE_KEY, Body: fs.createReadStream(LARGE) } }).done();
for (const item of (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents) console.log(`listed ${item.Key}`);
for (const [key, name] of [[Key, "small"], [LARGE_KEY, "large"]]) {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
  fs.writeFileSync(`${OUT}/${name}`, await got.Body.transformToByteArray());
}
console.log(`url ${await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }))}`);
