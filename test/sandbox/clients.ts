import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { IAMClient, type IAMClientConfig } from "@aws-sdk/client-iam";
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type Credentials,
  STSClient,
  type STSClientConfig,
} from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Sandbox } from "../../src/sandbox/index.js";

export const DEMO_ROLE = "arn:aws:iam::111122223333:role/agentctl-demo";
export const CHAINED_ROLE = "arn:aws:iam::111122223333:role/agentctl-chained";
export const REVOKER_ROLE = "arn:aws:iam::111122223333:role/agentctl-revoker";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Sent, and left out of the signature. */
  readonly unsigned?: Record<string, string>;
}

/** The AWS SDK's own client, without retries, so that a test sees the first answer. */
export function stsClient(sandbox: Sandbox, keys?: Keys, config: STSClientConfig = {}): STSClient {
  return new STSClient({
    region: "us-east-1",
    endpoint: sandbox.env["AWS_ENDPOINT_URL_STS"] ?? "",
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: readFileSync(sandbox.caFile) }) }),
    ...(keys === undefined ? {} : { credentials: keys }),
    ...config,
  });
}

/** Likewise for IAM. */
export function iamClient(sandbox: Sandbox, keys: Keys, config: IAMClientConfig = {}): IAMClient {
  return new IAMClient({
    region: "us-east-1",
    endpoint: sandbox.env["AWS_ENDPOINT_URL_IAM"] ?? "",
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: readFileSync(sandbox.caFile) }) }),
    credentials: keys,
    ...config,
  });
}

export async function assumeDemoRole(
  sandbox: Sandbox,
  input: Partial<AssumeRoleWithWebIdentityCommandInput> = {},
): Promise<Keys> {
  const token = await sandbox.mintToken();
  const answer = await stsClient(sandbox).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: DEMO_ROLE,
      RoleSessionName: "test",
      WebIdentityToken: token,
      ...input,
    }),
  );
  return keysOf(answer.Credentials);
}

export function keysOf(credentials: Credentials | undefined): Keys {
  return {
    accessKeyId: credentials?.AccessKeyId ?? "",
    secretAccessKey: credentials?.SecretAccessKey ?? "",
    sessionToken: credentials?.SessionToken ?? "",
  };
}

/** A signed S3 call, byte for byte as an SDK would make it. */
export async function callS3(sandbox: Sandbox, keys: Keys, call: Call, signingDate = new Date()): Promise<Answer> {
  const origin = new URL(sandbox.env["AWS_ENDPOINT_URL_S3"] ?? "");
  const signer = new SignatureV4({
    service: "s3",
    region: "us-east-1",
    credentials: keys,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const signed = await signer.sign(
    {
      method: call.method ?? "GET",
      protocol: "https:",
      hostname: origin.hostname,
      path: call.path,
      query: call.query ?? {},
      headers: { host: origin.host, ...call.headers },
      ...(call.body === undefined ? {} : { body: call.body }),
    },
    { signingDate },
  );
  return send(sandbox, new URL(`${call.path}${searchOf(call.query)}`, origin), {
    ...call,
    headers: { ...signed.headers, ...call.unsigned },
  });
}

function searchOf(query: Record<string, string> = {}): string {
  const pairs = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** One HTTPS exchange that trusts the sandbox's CA and nothing else. */
export function send(sandbox: Sandbox, url: URL, call: Omit<Call, "path"> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: call.method ?? "GET",
      headers: call.headers ?? {},
      ca: readFileSync(sandbox.caFile),
      agent: false,
    };
    const outgoing = httpsRequest(url, options, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      incoming.on("error", reject);
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }));
    });
    outgoing.on("error", reject);
    outgoing.end(call.body);
  });
}

/** The service's own error code in an XML answer. */
export function codeOf(answer: Answer): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1];
}

export interface ServiceRefusal {
  /** As it was on the wire; the SDK's own classes have other names. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly message: string;
}

/** What an SDK call is refused with; undefined when it is not. */
export async function refusalOf(promise: Promise<unknown>): Promise<ServiceRefusal | undefined> {
  try {
    await promise;
    return undefined;
  } catch (thrown) {
    const error = thrown as Error & {
      Code?: string;
      Error?: { Code?: string };
      $metadata?: { httpStatusCode?: number };
    };
    const code = error.Code ?? error.Error?.Code ?? error.name;
    return { code, status: error.$metadata?.httpStatusCode, message: error.message };
  }
}

class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}
