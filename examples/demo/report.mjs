// The job: an ordinary program with the AWS SDK, which knows nothing of agentctl. It finds its credentials where every
// SDK looks. Before it ends it leaves a thief behind, a process that keeps the same keys.
import { spawn } from "node:child_process";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });

const figures = await read("demo", "reports/2026/q3.csv");
say("read  s3://demo/reports/2026/q3.csv", `${figures.split("\n").length - 1} lines`);
await s3.send(new PutObjectCommand({ Bucket: "demo", Key: "reports/summary.txt", Body: `Summary\n${figures}` }));
say(
  "wrote s3://demo/reports/summary.txt",
  `read back: ${JSON.stringify((await read("demo", "reports/summary.txt")).slice(0, 7))}`,
);

for (const [bucket, key] of [
  ["demo", "hello.txt"],
  ["other", "private.txt"],
]) {
  try {
    await read(bucket, key);
    say(`read  s3://${bucket}/${key}`, "which the policy does not allow!");
    process.exitCode = 1;
  } catch (error) {
    say(`read  s3://${bucket}/${key}`, `${error.name}: refused, ${reasonOf(error)}`);
  }
}

const thief = spawn(process.execPath, [new URL("thief.mjs", import.meta.url).pathname], {
  detached: true,
  stdio: ["ignore", "ignore", "ignore", "ipc"],
});
await new Promise((resolve) => thief.once("message", resolve));
thief.disconnect();
thief.unref();
say("done", "");

async function read(Bucket, Key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Body.transformToString();
}

function reasonOf(error) {
  return /because (.*)$/.exec(error.message)?.[1] ?? error.message;
}

function say(what, result) {
  process.stdout.write(`  report.mjs  ${what.padEnd(36)} ${result}\n`);
}
