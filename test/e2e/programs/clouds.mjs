// A child with nothing of agentctl: asks the clouds with what it finds in its environment, and prints for each of its
// arguments the status and the first line of the answer.
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";

const { env } = process;
const BLOB_VERSION = { "x-ms-version": "2021-08-06" };

const actions = {
  s3: async (bucket, key) => {
    const { Body } = await new S3Client({ forcePathStyle: true }).send(
      new GetObjectCommand({ Bucket: bucket, Key: key }),
    );
    return `200 ${await Body.transformToString()}`;
  },
  arm: () => ask(`${env.AGENTCTL_SANDBOX_ARM_URL}/subscriptions?api-version=2022-12-01`, env.AZURE_ACCESS_TOKEN),
  blob: (container, name) => askBlob(container, name, env.AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM),
  "blob-by-arm-token": (container, name) => askBlob(container, name, env.AZURE_ACCESS_TOKEN),
  gcs: (bucket, name) =>
    ask(
      `${env.AGENTCTL_SANDBOX_GCS_URL}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`,
      env.GOOGLE_OAUTH_ACCESS_TOKEN,
    ),
  "gcs-put": async (bucket, name) => {
    const url = `${env.AGENTCTL_SANDBOX_GCS_URL}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`;
    return (await ask(url, env.CLOUDSDK_AUTH_ACCESS_TOKEN, { method: "POST", body: "from a test" })).slice(0, 3);
  },
  // Until when each token is good, by itself or by its cloud, in seconds since the epoch.
  "azure-ends": async () => {
    const tokens = [env.AZURE_ACCESS_TOKEN, env.AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM];
    return Math.max(...tokens.map((token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp));
  },
  "gcp-ends": async () => {
    const url = `${env.AGENTCTL_SANDBOX_TOKENINFO_URL}?access_token=${env.GOOGLE_OAUTH_ACCESS_TOKEN}`;
    return (await (await fetch(url)).json()).exp;
  },
};

function askBlob(container, name, token) {
  return ask(`${env.AGENTCTL_SANDBOX_BLOB_URL}/${container}/${name}`, token, { headers: BLOB_VERSION });
}

async function ask(url, token, init = {}) {
  const answer = await fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
  const text = await answer.text();
  return answer.ok ? `${answer.status} ${text}` : String(answer.status);
}

for (const argument of process.argv.slice(2)) {
  const [verb, where = ""] = argument.split(":");
  const [first, ...rest] = where.split("/");
  const result = await actions[verb](first, rest.join("/")).catch((error) => error.name);
  process.stdout.write(`${argument} ${String(result).split("\n")[0]}\n`);
}
