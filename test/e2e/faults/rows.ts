import type { Fault, ServiceName } from "../../../src/sandbox/index.js";
import type { Stage } from "../agentctl.js";
import type { Refusal } from "../refusal.js";
import type { Block } from "../three-clouds.js";
import type { CloudUnderFault, Place } from "./clouds.js";
import type { MalformedRow } from "./malformed.js";
import type { RefusedRow } from "./refused.js";

/** What goes wrong, and all that must then be seen. */
export interface FaultRow extends Refusal {
  readonly name: string;
  /** Laid over the cloud's block. */
  readonly change?: Block;
  readonly faults?: readonly Fault[];
  readonly ahead?: ServiceName;
  readonly args?: readonly string[];
  readonly env?: (stage: Stage) => Promise<Readonly<Record<string, string | undefined>>>;
  /** SIGINT, when the place waits with its answer, or when it has answered once. */
  readonly interrupt?: "unanswered" | "answered";
  /** The place that is looked at, how often it is asked, and for how long it is left alone in between. */
  readonly place?: Place;
  readonly tries?: number;
  readonly pauseMs?: number;
  /** What the audit record says of the error. */
  readonly facts: Block;
}

/** The table of one cloud: what is wrong with its settings, what it refuses, and what befalls each of its places. */
export function rowsOf(cloud: CloudUnderFault): readonly FaultRow[] {
  const [first] = cloud.places;
  return [
    ...cloud.malformed.map(toRow),
    ...cloud.refused.map((row) => refusedRow(row, cloud)),
    ...cloud.places.flatMap((place) => placeRows(place, cloud)),
    ...cloud.places.flatMap((place) => (place.variable === undefined ? [] : addressRows(place, place.variable, cloud))),
    ...tokenRows(first, cloud),
  ];
}

function toRow({ name, change, says }: MalformedRow): FaultRow {
  return { name, change, code: 78, error: "CONFIG_INVALID", says, facts: {} };
}

function refusedRow({ ownCode, words, hint, token, ...row }: RefusedRow, cloud: CloudUnderFault): FaultRow {
  return {
    ...row,
    ...(token !== undefined && { env: (stage: Stage) => ownToken(stage, { audience: cloud.audience, ...token }) }),
    code: 77,
    error: "CLOUD_DENIED",
    says: [words, new RegExp(`\\(${ownCode}\\); it saw iss https://127\\S+, aud \\S+, sub repo:`), hintOf(hint)],
    facts: { cloud: cloud.name, [cloud.codeFact]: ownCode, sub: /^repo:/, iss: /^https:/ },
  };
}

function placeRows(place: Place, cloud: CloudUnderFault): readonly FaultRow[] {
  const { service, operation, title } = place;
  const where = `${title}, ${operation}:`;
  const at = { service, operation };
  const named = new RegExp(`error.*${title}`);
  const facts = { cloud: cloud.name };
  const again = hintOf(/try again in a while/);
  const down = { code: 69, place, facts };
  return [
    {
      name: `${where} refuses`,
      faults: [{ ...at, kind: "deny" }],
      place,
      tries: 1,
      code: 77,
      error: "CLOUD_DENIED",
      says: [named, place.refusal, hintOf(place.hint)],
      facts,
    },
    {
      name: `${where} throttles, with Retry-After, and goes on`,
      faults: [{ ...at, kind: "throttle", retryAfterSeconds: 1 }],
      ...down,
      tries: 4,
      pauseMs: 1000,
      error: "THROTTLED",
      says: [named, /too many requests/, again],
    },
    {
      name: `${where} fails and goes on`,
      faults: [{ ...at, kind: "error", status: 503 }],
      ...down,
      tries: 4,
      error: "SERVICE_FAILED",
      says: [named, /answered 503/, again],
    },
    {
      name: `${where} cuts every answer`,
      faults: [{ ...at, kind: "cut" }],
      ...down,
      tries: 4,
      error: "UNREACHABLE",
      says: [named, /the connection was cut/, hintOf(/network/)],
    },
    {
      name: `${where} answers garbage`,
      faults: [{ ...at, kind: "garbage" }],
      place,
      tries: 1,
      code: 76,
      error: "BAD_ANSWER",
      says: [named, /what is no answer of/, hintOf(/proxy answers in its place/)],
      facts,
    },
    {
      name: `${where} is slow until the lease ends`,
      faults: [{ ...at, kind: "latency" }],
      args: ["--ttl", "2s"],
      ...down,
      error: "UNREACHABLE",
      says: [new RegExp(`error.*${cloud.title}: no answer came before the lease's own end at `), hintOf(/ttl/)],
    },
    {
      name: `${where} is slow, and Ctrl-C`,
      faults: [{ ...at, kind: "latency" }],
      interrupt: "unanswered",
      place,
      code: 130,
      error: "INTERRUPTED",
      says: [/interrupted by SIGINT before the command was started/],
      facts: {},
    },
    {
      name: `${where} throttles, and Ctrl-C`,
      faults: [{ ...at, kind: "throttle", retryAfterSeconds: 2 }],
      interrupt: "answered",
      place,
      tries: 1,
      code: 130,
      error: "INTERRUPTED",
      says: [/interrupted by SIGINT before the command was started/],
      facts: {},
    },
  ];
}

function addressRows(place: Place, variable: string, cloud: CloudUnderFault): readonly FaultRow[] {
  const down = { place, tries: 0, code: 69, error: "UNREACHABLE", facts: { cloud: cloud.name } };
  const named = new RegExp(`error.*${place.title} at https://127\\.0\\.0\\.1:\\d+/? \\(${variable}\\)`);
  return [
    {
      name: `${place.title}: nobody listens`,
      env: async () => ({ [variable]: "https://127.0.0.1:1" }),
      ...down,
      says: [named, /nothing listens there/, hintOf(/network/)],
    },
    {
      name: `${place.title}: what listens speaks no TLS`,
      env: async ({ env }) => ({ [variable]: plainAddress(env) }),
      ...down,
      says: [named, /does not speak TLS/, hintOf(/scheme/)],
    },
    {
      name: `${place.title}: without TLS`,
      env: async () => ({ [variable]: "http://cloud.example.test" }),
      ...down,
      code: 78,
      error: "ENDPOINT_INVALID",
      says: [new RegExp(variable)],
      facts: {},
    },
  ];
}

/** A port on which HTTP is spoken in the clear. */
function plainAddress(env: Stage["env"]): string {
  return new URL(env["AGENTCTL_SANDBOX_CONTROL_URL"] ?? "").origin.replace("http:", "https:");
}

function tokenRows(place: Place, cloud: CloudUnderFault): readonly FaultRow[] {
  const facts = { cloud: cloud.name };
  return [
    {
      name: "a certificate that nobody vouches for",
      env: async (stage) => ({
        ...(await ownToken(stage, { audience: cloud.audience })),
        AWS_CA_BUNDLE: undefined,
        NODE_EXTRA_CA_CERTS: undefined,
      }),
      place,
      tries: 0,
      code: 69,
      error: "UNREACHABLE",
      says: [/certificate is not signed by an authority that this machine trusts/, hintOf(/NODE_EXTRA_CA_CERTS/)],
      facts,
    },
    {
      name: "a token that ends between two tries",
      env: (stage) => ownToken(stage, { audience: cloud.audience, expiresInSeconds: 5 }),
      faults: [{ service: place.service, kind: "throttle", retryAfterSeconds: 2 }],
      code: 76,
      error: "TOKEN_EXPIRED",
      says: [new RegExp(`error.*${cloud.title}: the token in AGENTCTL_ID_TOKEN expired`), hintOf(/new token/)],
      facts,
    },
  ];
}

async function ownToken(stage: Stage, request: Parameters<Stage["sandbox"]["mintToken"]>[0]) {
  return { AGENTCTL_ID_TOKEN: await stage.sandbox.mintToken(request) };
}

function hintOf(hint: RegExp): RegExp {
  return new RegExp(`agentctl: hint: .*${hint.source}`);
}
