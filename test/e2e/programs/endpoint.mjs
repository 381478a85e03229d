// A child with nothing of agentctl and of no SDK: reads what it finds in its environment, and asks the lease's endpoint
// by plain HTTP, in the words of each protocol. Each line of its stdin is a question, `["VERB", ...]`; each line that
// it prints is the answer to one, in JSON. `endpoint.mjs once FILE VERB...` writes the answer to one question to FILE,
// and `endpoint.mjs orphan FILE PID VERB...` does when the process PID is its parent no longer.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const { env } = process;
const PROGRAM = fileURLToPath(import.meta.url);
const RESOURCE = "https://management.azure.com";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** What each protocol answers, as `{status, body}`, and of a good answer the token and its end (epoch ms). */
const verbs = {
  aws: async () => {
    const authorization = fs.readFileSync(env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "utf8");
    const answer = await ask(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization } });
    return tell(answer, ({ Token, Expiration }) => [Token, Date.parse(Expiration)]);
  },
  /** All of the session, in the SDK's own words. */
  "aws-keys": async () => {
    const authorization = fs.readFileSync(env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "utf8");
    const { status, body } = await ask(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization } });
    if (status !== 200) return { status, body };
    const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(body);
    return { status, accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
  },
  gcp: async () => {
    const account = JSON.parse(fs.readFileSync(env.GOOGLE_APPLICATION_CREDENTIALS, "utf8"));
    const subject = await ask(account.credential_source.url, { headers: account.credential_source.headers });
    if (subject.status !== 200) return subject;
    const form = {
      grant_type: TOKEN_EXCHANGE,
      audience: account.audience,
      subject_token: subject.body,
      subject_token_type: account.subject_token_type,
      scope: "https://www.googleapis.com/auth/cloud-platform",
    };
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = new URLSearchParams(form).toString();
    const answer = await ask(account.token_url, { method: "POST", headers, body });
    return tell(answer, ({ access_token, expires_in }) => [access_token, Date.now() + expires_in * 1000]);
  },
  azure: async (resource = RESOURCE) => {
    const url = `${env.IDENTITY_ENDPOINT}?${new URLSearchParams({ "api-version": "2019-08-01", resource })}`;
    const answer = await ask(url, { headers: { "x-identity-header": env.IDENTITY_HEADER } });
    return tell(answer, ({ access_token, expires_on }) => [access_token, expires_on * 1000]);
  },
  "azure-terraform": async (resource = RESOURCE) => {
    const url = `${env.ARM_MSI_ENDPOINT}?${new URLSearchParams({ "api-version": "2018-02-01", resource })}`;
    const answer = await ask(url, { headers: { metadata: "true" } });
    return tell(answer, ({ access_token, expires_on }) => [access_token, expires_on * 1000]);
  },
  azd: async (scope = `${RESOURCE}/.default`) => {
    const headers = { authorization: `Bearer ${env.AZD_AUTH_KEY}`, "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify({ scopes: [scope] }) };
    const answer = await ask(`${env.AZD_AUTH_ENDPOINT}/token?api-version=2023-07-12-preview`, request);
    return tell(answer, ({ token, expiresOn }) => [token, Date.parse(expiresOn)]);
  },
  metadata: async () => {
    const url = `http://${env.GCE_METADATA_HOST}/computeMetadata/v1/instance/service-accounts/default/token`;
    const answer = await ask(url, { headers: { "metadata-flavor": "Google" } });
    return tell(answer, ({ access_token, expires_in }) => [access_token, Date.now() + expires_in * 1000]);
  },
  /** The token that gcloud reads. */
  gcloud: async () => ({ status: 200, token: fs.readFileSync(env.CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, "utf8") }),
  /** Any question, in no protocol's words. */
  raw: (url, request) => ask(url, request),
  env: async () => ({ ...env }),
  /** Until when the child was told that its lease lasts. */
  deadline: async () => ({ deadlineAt: Date.parse(env.AGENTCTL_EXPIRES_AT) }),
  /** Asks so many times at once. */
  many: (count, verb, ...rest) => Promise.all(Array.from({ length: count }, () => verbs[verb](...rest))),
  /** Writes the environment down, for another process. */
  dump: async (file) => fs.writeFileSync(file, JSON.stringify(env), { mode: 0o600 }),
  /** What a cloud says to a token, to see that it is good for something. */
  use: async (cloud) => {
    const { token } = await verbs[cloud]();
    const headers = { authorization: `Bearer ${token}` };
    const url = { gcp: `${env.AGENTCTL_SANDBOX_GCS_URL}/storage/v1/b/demo/o/hello.txt?alt=media` }[cloud];
    const arm = `${env.AGENTCTL_SANDBOX_ARM_URL}/subscriptions?api-version=2022-12-01`;
    return (await fetch(url ?? arm, { headers })).status;
  },
  /** Every private file below the lease's directory: its path, mode and text. */
  files: async () => {
    const root = path.dirname(env.AWS_CONFIG_FILE);
    const entries = fs.readdirSync(root, { withFileTypes: true, recursive: true });
    return [root, ...entries.map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))].map((file) => {
      const stat = fs.lstatSync(file);
      const mode = (stat.mode & 0o777).toString(8);
      return { name: path.relative(root, file), mode, text: stat.isFile() ? fs.readFileSync(file, "latin1") : null };
    });
  },
  /** Puts a file in the place of the private directory, so that nothing can be written in it any more. */
  block: async () => {
    const root = path.dirname(env.AWS_CONFIG_FILE);
    fs.renameSync(root, `${root}.moved`);
    fs.writeFileSync(root, "");
  },
  unblock: async () => {
    const root = path.dirname(env.AWS_CONFIG_FILE);
    fs.rmSync(root);
    fs.renameSync(`${root}.moved`, root);
  },
  /** Leaves a process behind whose parent has ended, which asks; it outlives this one where nobody ends it. */
  orphan: async (file, ...question) => {
    const script = '"$0" "$1" orphan "$2" $$ "$3" </dev/null >/dev/null 2>&1 &';
    return spawnSync("sh", ["-c", script, process.execPath, PROGRAM, file, JSON.stringify(question)]).status;
  },
  /** Starts a process of its own that asks. */
  descendant: (file, ...question) => {
    const child = spawn(process.execPath, [PROGRAM, "once", file, JSON.stringify(question)], { stdio: "ignore" });
    return new Promise((resolve) => child.on("close", resolve));
  },
};

function ask(url, { method = "GET", headers = {}, body = "" } = {}) {
  return new Promise((resolve) => {
    const request = http.request(url, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode, body: text }));
    });
    request.on("error", ({ code }) => resolve({ status: 0, body: code }));
    request.end(body);
  });
}

function tell(answer, read) {
  if (answer.status !== 200) return answer;
  const [token, endsAt] = read(JSON.parse(answer.body));
  return token === undefined ? answer : { status: 200, token, endsAt };
}

async function answerTo([verb, ...rest]) {
  const answer = await Promise.resolve(verbs[verb](...rest)).catch((error) => ({ status: -1, body: String(error) }));
  return JSON.stringify(answer ?? null);
}

async function answerInto(file, question) {
  const text = await answerTo(JSON.parse(question));
  fs.writeFileSync(`${file}.tmp`, text);
  fs.renameSync(`${file}.tmp`, file);
}

const [mode, file, ...rest] = process.argv.slice(2);
if (mode === "once") {
  await answerInto(file, rest[0]);
} else if (mode === "orphan") {
  while (process.ppid === Number(rest[0])) await new Promise((resolve) => setTimeout(resolve, 5));
  await answerInto(file, rest[1]);
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${await answerTo(JSON.parse(line))}\n`);
  }
}
