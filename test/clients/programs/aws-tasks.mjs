// The AWS SDK for JavaScript with nothing of agentctl: does what its arguments say and prints a line for each.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const s3 = new S3Client({});
const sts = new STSClient({});

const tasks = {
  whoami: async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn,
  put: async (Bucket, Key, Body) => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    return "ok";
  },
  get: async (Bucket, Key) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString(),
  keys: async (Bucket) =>
    (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents.map((item) => item.Key).join(" "),
  /** Reads until it fails. */
  repeat: async (Bucket, Key) => {
    for (;;) {
      await tasks.get(Bucket, Key);
      await sleep(200);
    }
  },
  wait: async (...path) => {
    while (!fs.existsSync(path.slice(0, 2).join("/"))) await sleep(50);
    return "ok";
  },
};

for (const task of process.argv.slice(2)) {
  const [, verb, target, text] = /^(\w+):?([^=]*)=?(.*)$/.exec(task);
  const [bucket, ...key] = target.split("/");
  const result = await tasks[verb](bucket, key.join("/"), text).catch((error) => `! ${error.name}: ${error.message}`);
  process.stdout.write(`${verb}: ${result.trim().replace(/\s+/g, " ")}\n`);
}
