import fs from "node:fs";
import https from "node:https";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { LoggedRequest, RoleDefinition, SandboxHost, SandboxOptions } from "../../../src/sandbox/index.js";
import { DEFAULT_ACCOUNT, defaultWorld, revokerArn } from "../../../src/sandbox/world.js";
import { openStage, type Stage } from "../agentctl.js";
import { AWS, type Block, configOf } from "../three-clouds.js";

export const ROLE = `arn:aws:iam::${DEFAULT_ACCOUNT}:role/agentctl-demo`;
export const REVOKER = revokerArn(DEFAULT_ACCOUNT);
/** A grant that can be taken back. */
export const REVOCABLE: Block = { ...AWS, revoker: { role_arn: REVOKER } };

const PROFILES: Readonly<Record<string, Block>> = {
  demo: { ttl: "15m", aws: REVOCABLE },
  required: { ttl: "15m", revoke: "required", aws: REVOCABLE },
  none: { ttl: "15m", revoke: "none", aws: REVOCABLE },
  short: { ttl: "50s", aws: REVOCABLE },
  stopped: { ttl: "15m", on_expiry: "stop", grace: "1s", aws: REVOCABLE },
  served: { ttl: "15m", deliver: "endpoint", credential_ttl: "90s", aws: REVOCABLE },
};

/** A stage whose profiles all have a revoker. */
export async function openRevokingStage(
  options: SandboxOptions = {},
  host: Partial<SandboxHost> = {},
  profiles: Readonly<Record<string, Block>> = {},
): Promise<Stage> {
  const stage = await openStage(options, host);
  stage.writeConfig(configOf({ ...PROFILES, ...profiles }));
  return stage;
}

/** The default world's roles, of which one is changed. */
export function withRole(arn: string, change: (role: RoleDefinition) => RoleDefinition): SandboxOptions {
  const { roles } = defaultWorld();
  const role = roles[arn];
  if (role === undefined) throw new Error(`the default world has no ${arn}`);
  return { roles: { ...roles, [arn]: change(role) } };
}

/** What of agentctl's stands on the role now: the names of the denies. */
export function deniesOn(stage: Stage): readonly string[] {
  return Object.keys(stage.sandbox.rolePolicies(ROLE)).filter((name) => name.startsWith("agentctl-revoke-"));
}

/** The denies of one lease. */
export function deniesOf(stage: Stage, leaseId: string): readonly string[] {
  return deniesOn(stage).filter((name) => name.endsWith(leaseId));
}

/** What IAM was asked for, in its order. */
export function iamRequests(stage: Stage, operation?: string): readonly LoggedRequest[] {
  const asked = stage.sandbox.requests().filter(({ service }) => service === "iam");
  return asked.filter((request) => (operation ?? request.operation) === request.operation);
}

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export function keysIn(env: Readonly<Record<string, string | undefined>>): AwsKeys {
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN = "" } = env;
  return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN };
}

/** What S3 says to the keys: `ok`, or why not. */
export async function tryKeys(stage: Stage, keys: AwsKeys): Promise<string> {
  const ca = fs.readFileSync(stage.sandbox.caFile, "utf8");
  const s3 = new S3Client({
    endpoint: stage.env["AWS_ENDPOINT_URL_S3"] ?? "",
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: keys,
    requestHandler: new NodeHttpHandler({ httpsAgent: new https.Agent({ ca }) }),
  });
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "demo", Key: "hello.txt" }));
    await Body?.transformToString();
    return "ok";
  } catch (thrown) {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } finally {
    s3.destroy();
  }
}

/** How S3 words the deny that was put on the role, and not the fence in the session. */
export const TAKEN_BACK = /^AccessDenied: .*explicit deny in an identity-based policy/;
