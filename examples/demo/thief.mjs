// Keeps the job's keys after the job is done and goes on using them, until they are refused; then it writes down
// what it saw to THIEF_LOG. This is what stealing a credential from a job comes to.
import fs from "node:fs";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";

const PAUSE_MS = 250;
const GIVE_UP_AFTER_MS = 60_000;

// Taken out of the environment once, as a thief would: nothing refreshes them.
const credentials = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};
const s3 = new S3Client({ forcePathStyle: true, credentials });
const log = process.env.THIEF_LOG;
const startedAt = Date.now();
process.send("ready");

let worked = 0;
while (Date.now() - startedAt < GIVE_UP_AFTER_MS) {
  try {
    await s3.send(new GetObjectCommand({ Bucket: "demo", Key: "reports/2026/q3.csv" }));
    worked += 1;
  } catch (error) {
    finish({ worked, refusedAt: new Date().toISOString(), error: error.name, message: error.message });
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
finish({ worked });

function finish(story) {
  fs.writeFileSync(`${log}.tmp`, JSON.stringify(story), { mode: 0o600 });
  fs.renameSync(`${log}.tmp`, log);
  process.exit();
}
