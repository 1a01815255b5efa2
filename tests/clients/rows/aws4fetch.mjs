import fs from "node:fs";

const { BUCKET, KEY, LARGE_KEY, SMALL, LARGE, OUT } = process.env;
const at = (key) => `${endpoint}/${BUCKET}/${key.split("/").map(encodeURIComponent).join("/")}`;
const ask = async (...words) => {
  const reply = await aws.fetch(...words);
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  return reply;
};
await ask(at(KEY), { method: "PUT", body: fs.readFileSync(SMALL) });
await ask(at(LARGE_KEY), { method: "PUT", body: fs.readFileSync(LARGE) });
const list = await (await ask(`${endpoint}/${BUCKET}?list-type=2`)).text();
for (const [, key] of list.matchAll(/<Key>([^<]*)/g)) console.log(`listed ${key}`);
for (const [key, name] of [[KEY, "small"], [LARGE_KEY, "large"]])
  fs.writeFileSync(`${OUT}/${name}`, Buffer.from(await (await ask(at(key))).arrayBuffer()));
const signed = await aws.sign(at(KEY), { aws: { signQuery: true } });
console.log(`url ${signed.url}`);
