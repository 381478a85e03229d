import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, openStage, type Stage } from "../e2e/agentctl.js";
import { AWS_CLIENTS } from "./aws-clients.js";
import { AMBIENT_KEY, type MetadataServer, startMetadataServer } from "./metadata-server.js";
import { CLIENT_PATH, program, runBare, skipWithout, writeFiles } from "./tools.js";

/** One way in which a machine hands a credential to whoever runs on it. */
interface Trap {
  readonly name: string;
  /** botocore's name for the provider that finds it. */
  readonly method: string;
  /** Files below the home, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the variables are, given that home, the metadata server's address, and a token that STS takes. */
  readonly env?: (given: { home: string; url: string }) => Readonly<Record<string, string>>;
}

const ini = (section: string): string =>
  `[${section}]\naws_access_key_id = ${AMBIENT_KEY}\naws_secret_access_key = ambient\n`;
const PROCESS_ANSWER = JSON.stringify({ Version: 1, AccessKeyId: AMBIENT_KEY, SecretAccessKey: "ambient" });

const TRAPS: readonly Trap[] = [
  {
    name: "keys in variables",
    method: "env",
    env: () => ({
      AWS_ACCESS_KEY_ID: AMBIENT_KEY,
      AWS_SECRET_ACCESS_KEY: "ambient",
      AWS_SECURITY_TOKEN: "ambient",
      AWS_CREDENTIAL_EXPIRATION: "2099-01-01T00:00:00Z",
    }),
  },
  { name: "~/.aws/credentials", method: "shared-credentials-file", files: { ".aws/credentials": ini("default") } },
  {
    name: "AWS_PROFILE and ~/.aws/config",
    method: "config-file",
    files: { ".aws/config": ini("profile mine") },
    env: () => ({ AWS_PROFILE: "mine", AWS_DEFAULT_PROFILE: "mine" }),
  },
  {
    name: "a credential process",
    method: "custom-process",
    files: {
      ".aws/config": `[default]\ncredential_process = sh -c 'cat "$HOME/process.json"'\n`,
      "process.json": PROCESS_ANSWER,
    },
  },
  {
    name: "AWS_SHARED_CREDENTIALS_FILE",
    method: "shared-credentials-file",
    files: { elsewhere: ini("default") },
    env: ({ home }) => ({ AWS_SHARED_CREDENTIALS_FILE: `${home}/elsewhere` }),
  },
  {
    name: "AWS_CREDENTIAL_FILE",
    method: "ec2-credentials-file",
    files: { ec2: `AWSAccessKeyId=${AMBIENT_KEY}\nAWSSecretKey=ambient\n` },
    env: ({ home }) => ({ AWS_CREDENTIAL_FILE: `${home}/ec2` }),
  },
  { name: "~/.boto", method: "boto-config", files: { ".boto": ini("Credentials") } },
  {
    name: "BOTO_CONFIG",
    method: "boto-config",
    files: { "boto.cfg": ini("Credentials") },
    env: ({ home }) => ({ BOTO_CONFIG: `${home}/boto.cfg` }),
  },
  {
    name: "a container's credentials",
    method: "container-role",
    env: ({ url }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "ambient",
    }),
  },
  {
    name: "the machine's metadata",
    method: "iam-role",
    env: ({ url }) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, AWS_EC2_METADATA_DISABLED: "false" }),
  },
  {
    name: "a web identity",
    method: "assume-role-with-web-identity",
    env: ({ home }) => ({
      AWS_WEB_IDENTITY_TOKEN_FILE: `${home}/web-identity-token`,
      AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/agentctl-demo",
      AWS_ROLE_SESSION_NAME: "ambient",
    }),
  },
];

let stage: Stage;
let metadata: MetadataServer;
beforeAll(async () => {
  [stage, metadata] = await Promise.all([openStage(), startMetadataServer()]);
  stage.writeConfig(DEMO_PROFILE);
});
afterAll(() => Promise.all([stage.close(), metadata.close()]));

/** The environment of a machine with these traps, and a home of its own. */
async function setTraps(name: string, traps: readonly Trap[]): Promise<Record<string, string>> {
  const home = path.join(stage.dir, "homes", name.replace(/\W+/g, "-"));
  const files: Record<string, string> = { "web-identity-token": await stage.sandbox.mintToken() };
  for (const trap of traps) {
    for (const [file, text] of Object.entries(trap.files ?? {})) files[file] = `${files[file] ?? ""}${text}`;
  }
  const given = { home: writeFiles(home, files), url: metadata.url };
  return Object.assign({ HOME: home }, ...traps.map((trap) => trap.env?.(given) ?? {}));
}

/** Takes the lease's own keys away, as a script might that means to be somebody else. */
const WITHOUT_KEYS = [
  "env",
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"].flatMap(
    (name) => ["-u", name],
  ),
];

describe("a credential that lies about on the machine", () => {
  const FIND = ["python3", program("find-credentials.py")];
  test.for(TRAPS)("$name: boto3 finds it, and inside agentctl does not", async (trap, { skip }) => {
    skipWithout(skip, { tool: "python3", modules: ["boto3"] });
    const env = await setTraps(trap.name, [trap]);
    const { AWS_EC2_METADATA_DISABLED: _, ...machine } = stage.env;
    const bare = await runBare(FIND, { ...machine, PATH: CLIENT_PATH, ...env });
    expect(bare.stdout, bare.stderr).toMatch(new RegExp(`^${trap.method} A\\w{19}\n$`));
    metadata.takeRequests();

    const both = ["sh", "-c", '"$1" "$2"; shift 2; "$@"', "sh", ...FIND, ...WITHOUT_KEYS, ...FIND];
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", ...both], {
      env: { ...env, PATH: CLIENT_PATH },
    });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/^env ASIA\w{16}\nnone\n$/);
    expect(metadata.takeRequests()).toEqual([]);
  });

  test.for(AWS_CLIENTS)("all of it at once: $name is the lease's session, or nobody", async (client, { skip }) => {
    skipWithout(skip, ...client.needs);
    const env = { ...(await setTraps(client.name, TRAPS)), PATH: CLIENT_PATH };
    const run = (command: readonly string[]) => stage.run(["run", "-p", "demo", "--quiet", "--", ...command], { env });
    const whoami = await run(client.command("whoami"));
    const lease = stage.auditRecords().at(-1)?.["lease"];
    expect(whoami).toMatchObject({
      code: 0,
      stderr: "",
      stdout: `whoami: arn:aws:sts::111122223333:assumed-role/agentctl-demo/agentctl-${lease}\n`,
    });
    const nobody = await run([...WITHOUT_KEYS, ...client.command("whoami", "get:demo/hello.txt")]);
    const lines = nobody.stdout.trim().split("\n");
    expect(lines).toEqual([expect.stringMatching(client.noCredentials), expect.stringMatching(client.noCredentials)]);
    expect(metadata.takeRequests()).toEqual([]);
  });
});
