const { BUCKET, KEY, LARGE_KEY, SMALL, LARGE, OUT } = process.env;
client.partSize = 5 * 1024 * 1024;
await client.fPutObject(BUCKET, KEY, SMALL);
await client.fPutObject(BUCKET, LARGE_KEY, LARGE);
for await (const item of client.listObjectsV2(BUCKET, "", true)) console.log(`listed ${item.name}`);
await client.fGetObject(BUCKET, KEY, `${OUT}/small`);
await client.fGetObject(BUCKET, LARGE_KEY, `${OUT}/large`);
console.log(`url ${await client.presignedGetObject(BUCKET, KEY)}`);
process.exit(0);
