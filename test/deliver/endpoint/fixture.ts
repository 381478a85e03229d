import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { isSameSecret } from "../../../src/core/constant-time.js";
import type { CloudEndpoint, EndpointRefusal, MetadataEndpoint } from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import type { CloudName } from "../../../src/core/profile.js";
import type { Runtime } from "../../../src/core/runtime.js";
import { Secret } from "../../../src/core/secret.js";
import { ENDPOINT_LIMITS, type EndpointLimits } from "../../../src/deliver/endpoint/limits.js";
import { type EndpointInput, type OpenEndpoint, openEndpoint } from "../../../src/deliver/endpoint/open-endpoint.js";
import type { RefusedRequest } from "../../../src/deliver/endpoint/refusal-log.js";
import { fakeRuntime } from "../../fake-runtime.js";

/** What no attacker may see. */
export const CANARY = "canary-of-a-credential";

export interface Fixture {
  readonly endpoint: OpenEndpoint;
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `/SECRET/aws` */
  readonly path: string;
  /** What the `Authorization` header must carry. */
  readonly secret: string;
  readonly dir: string;
  readonly refused: readonly RefusedRequest[];
  /** How often a grant was asked for. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
}

export interface FixtureOptions extends Partial<Pick<EndpointInput, "peerCheck" | "current" | "endpoints">> {
  readonly limits?: Partial<EndpointLimits>;
  readonly runtime?: Partial<Runtime>;
  /** The test itself asks, unless it says otherwise. */
  readonly watched?: boolean;
}

/** An endpoint with a cloud made up for the test. Without the peer check, since the test process is nobody's child. */
export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-endpoint-"));
  const refused: RefusedRequest[] = [];
  let asked = 0;
  const current = options.current ?? ((cloud) => Promise.resolve(grantOf(cloud)));
  const input: EndpointInput = {
    endpoints: options.endpoints ?? [testCloud("aws")],
    privateDir: dir,
    peerCheck: options.peerCheck ?? "off",
    current: (cloud) => {
      asked += 1;
      return current(cloud);
    },
    onRefused: (each) => refused.push(each),
  };
  const limits = { ...ENDPOINT_LIMITS, ...options.limits };
  const opening = openEndpoint(input, fakeRuntime({ sleep: pause, ...options.runtime }), limits);
  const removeDir = (): void => fs.rmSync(dir, { recursive: true, force: true });
  opening.catch(removeDir);
  const endpoint = await opening;
  if (options.watched !== false) endpoint.watchChild(process.pid);
  const url = new URL(endpoint.variables["AWS_PLACE"] ?? "http://none");
  return {
    endpoint,
    port: Number(url.port),
    host: url.host,
    path: url.pathname,
    secret: endpoint.variables["AWS_SECRET"] ?? "",
    dir,
    refused,
    asked: () => asked,
    close: async () => {
      await endpoint.close();
      removeDir();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A protocol of the simplest kind: the secret in `Authorization`, and the credential in JSON. */
export function testCloud(cloud: CloudName, metadata?: MetadataEndpoint): CloudEndpoint {
  const upper = cloud.toUpperCase();
  return {
    cloud,
    variables: ({ url, secret }) => ({ [`${upper}_PLACE`]: url, [`${upper}_SECRET`]: secret }),
    files: ({ secret }, grant) => ({
      [`${cloud}-secret`]: secret,
      [`${cloud}/token`]: grant.secrets["token"]?.value ?? "",
    }),
    authorize: ({ headers }, { secret }) => isSameSecret(headers["authorization"] ?? "", secret.reveal()),
    answer: ({ path: asked, query, body }, grant) => {
      if (query.has("crash")) throw new Error(`a defect that quotes ${CANARY}`);
      if (asked !== "") return { reason: "unknown-path", message: `nothing at ${asked}` };
      const token = grant.secrets["token"]?.value.reveal();
      return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ token, body }) };
    },
    refuse: (_question, refusal) => refuseAs(refusal),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

export function refuseAs({ reason, message }: EndpointRefusal) {
  const statuses: Partial<Record<EndpointRefusal["reason"], number>> = { unauthorized: 401, unavailable: 503 };
  return { status: statuses[reason] ?? 403, body: JSON.stringify({ reason, message }) };
}

export function grantOf(cloud: CloudName, token = CANARY): Grant {
  return {
    cloud,
    channel: "endpoint",
    principal: "somebody",
    issuedAt: 0,
    usableUntil: 1,
    expiresAt: 1,
    variables: {},
    secrets: { token: { value: new Secret(token), usableUntil: 1 } },
    facts: {},
  };
}
