// The job: an ordinary program, which knows nothing of agentctl. The AWS SDK finds its credentials where every SDK looks;
// Azure and Google Cloud are spoken to by their REST APIs with the tokens from the environment. Before it ends
// it leaves a thief behind, a process that keeps the same AWS keys.
import { spawn } from "node:child_process";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const { AGENTCTL_SANDBOX_BLOB_URL: blobUrl, AGENTCTL_SANDBOX_GCS_URL: gcsUrl } = process.env;
const azure = { authorization: `Bearer ${process.env.AZURE_ACCESS_TOKEN}`, "x-ms-version": "2021-08-06" };
const google = { authorization: `Bearer ${process.env.GOOGLE_OAUTH_ACCESS_TOKEN}` };
const s3 = new S3Client({ forcePathStyle: true });

const figures = await readS3("demo", "reports/2026/q3.csv");
say("AWS", "read  s3://demo/reports/2026/q3.csv", `${figures.trim().split("\n").length} lines`);
const summary = `Summary\n${figures}`;
await s3.send(new PutObjectCommand({ Bucket: "demo", Key: "reports/summary.txt", Body: summary }));
say("AWS", "wrote s3://demo/reports/summary.txt", same(await readS3("demo", "reports/summary.txt")));
await expectRefusal("AWS", "read  s3://demo/hello.txt", () => readS3("demo", "hello.txt"));

await writeBlob("demo", "reports/summary.txt");
say("Azure", "wrote blob demo/reports/summary.txt", same(await readBlob("demo", "reports/summary.txt")));
await expectRefusal("Azure", "read  blob other/private.txt", () => readBlob("other", "private.txt"));

await writeGcs("demo", "reports/summary.txt");
say("Google", "wrote gs://demo/reports/summary.txt", same(await readGcs("demo", "reports/summary.txt")));
await expectRefusal("Google", "read  gs://demo/hello.txt", () => readGcs("demo", "hello.txt"));

const thief = spawn(process.execPath, [new URL("thief.mjs", import.meta.url).pathname], {
  detached: true,
  stdio: ["ignore", "ignore", "ignore", "ipc"],
});
await new Promise((resolve) => thief.once("message", resolve));
thief.disconnect();
thief.unref();

async function readS3(Bucket, Key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Body.transformToString();
}

async function writeBlob(container, name) {
  const headers = { ...azure, "x-ms-blob-type": "BlockBlob" };
  await ask(`${blobUrl}/${container}/${name}`, { method: "PUT", headers, body: summary });
}

function readBlob(container, name) {
  return ask(`${blobUrl}/${container}/${name}`, { headers: azure });
}

async function writeGcs(bucket, name) {
  const query = `uploadType=media&name=${encodeURIComponent(name)}`;
  await ask(`${gcsUrl}/upload/storage/v1/b/${bucket}/o?${query}`, { method: "POST", headers: google, body: summary });
}

function readGcs(bucket, name) {
  return ask(`${gcsUrl}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`, { headers: google });
}

async function ask(url, init) {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (answer.ok) return text;
  const code = answer.headers.get("x-ms-error-code") ?? /"reason": ?"(\w+)"/.exec(text)?.[1] ?? "";
  throw Object.assign(new Error(`${answer.status} ${code}`), { name: "refused" });
}

async function expectRefusal(cloud, what, attempt) {
  try {
    await attempt();
    say(cloud, what, "which it may not!");
    process.exitCode = 1;
  } catch (error) {
    say(cloud, what, `${error.name}: ${/because (.*)$/.exec(error.message)?.[1] ?? error.message}`);
  }
}

function same(text) {
  return text === summary ? "and read it back" : "but read back something else!";
}

function say(cloud, what, result) {
  process.stdout.write(`  report.mjs  ${cloud.padEnd(7)} ${what.padEnd(36)} ${result}\n`);
}
