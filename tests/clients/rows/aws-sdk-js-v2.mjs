import fs from "node:fs";

const { BUCKET: Bucket, KEY: Key, LARGE_KEY, SMALL, LARGE, OUT } = process.env;
await s3.putObject({ Bucket, Key, Body: fs.readFileSync(SMALL) }).promise();
await s3.upload({ Bucket, Key: LARGE_KEY, Body: fs.createReadStream(LARGE) }).promise();
for (const item of (await s3.listObjectsV2({ Bucket }).promise()).Contents) console.log(`listed ${item.Key}`);
for (const [key, name] of [[Key, "small"], [LARGE_KEY, "large"]])
  fs.writeFileSync(`${OUT}/${name}`, (await s3.getObject({ Bucket, Key: key }).promise()).Body);
console.log(`url ${s3.getSignedUrl("getObject", { Bucket, Key })}`);
