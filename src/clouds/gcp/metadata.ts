import type {
  EndpointAnswer,
  EndpointQuestion,
  EndpointRefusal,
  MetadataEndpoint,
  RefusalReason,
} from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import {
  ACCOUNTS_PATH,
  isDirectory,
  listDirectory,
  type MetadataDirectory,
  type MetadataNode,
  metadataTree,
  nodeAt,
} from "./metadata-tree.js";
import { scopesRefused } from "./scopes.js";
import { bearerOf } from "./token-exchange.js";

/** Without it on an answer, Google's libraries take the server for none of Google's. */
const FLAVOR = { "metadata-flavor": "Google" };

const STATUS: Readonly<Record<RefusalReason, number>> = {
  unauthorized: 403,
  stranger: 403,
  "unknown-path": 404,
  "bad-request": 400,
  scope: 403,
  "lease-ended": 403,
  unavailable: 503,
};

/**
 * Compute Engine's metadata server, for tools that read nothing else:
 * https://cloud.google.com/compute/docs/metadata/overview. No request carries a secret; who asks is told by the peer
 * check alone.
 */
export function serveMetadata(settings: GcpSettings, runtime: Pick<Runtime, "now">): MetadataEndpoint {
  const tree = metadataTree(settings);
  return {
    variables: metadataVariables,
    answer: (question, grant) => answerMetadata(question, grant, { tree, settings, runtime }),
    refuse: (_question, { reason, message }) => answerText(`agentctl: ${message}`, STATUS[reason]),
  };
}

/** Where it is, in the names of each library; and the switches by which agentctl keeps them off the machine's own. */
function metadataVariables(host: string): Readonly<Record<string, string>> {
  return {
    GCE_METADATA_HOST: host,
    // Python's library pings this one, and Node's asks it first.
    GCE_METADATA_IP: host,
    // gcloud's.
    GCE_METADATA_ROOT: host,
    NO_GCE_CHECK: "false",
    METADATA_SERVER_DETECTION: "assume-present",
    CLOUDSDK_CORE_CHECK_GCE_METADATA: "true",
  };
}

interface Served {
  readonly tree: MetadataDirectory;
  readonly settings: GcpSettings;
  readonly runtime: Pick<Runtime, "now">;
}

function answerMetadata(question: EndpointQuestion, grant: Grant, served: Served): EndpointAnswer | EndpointRefusal {
  const { method, path, query } = question;
  const segments = path
    .replaceAll(/%40/gi, "@")
    .split("/")
    .filter((segment) => segment !== "");
  const refusal = judge(question, segments);
  if (refusal !== undefined) return refusal;
  if (method !== "GET") return { reason: "bad-request", message: "metadata is read with GET" };
  const account = accountAt(segments, served.tree);
  if (account === "token") return answerBearer(query, grant, served);
  if (account === "identity") return { reason: "unknown-path", message: "the lease gives access tokens, no ID tokens" };
  const node = nodeAt(served.tree, segments);
  return node === undefined
    ? { reason: "unknown-path", message: "the lease knows no such metadata" }
    : answerNode(node, query);
}

/** The real server's two rules, which keep off what forwards a stranger's request or cannot set a header. */
function judge({ headers }: EndpointQuestion, [root]: readonly string[]): EndpointRefusal | undefined {
  if (headers["x-forwarded-for"] !== undefined) {
    return { reason: "unauthorized", message: "a forwarded request is not answered" };
  }
  if (root === undefined || headers["metadata-flavor"] === "Google") return undefined;
  return { reason: "unauthorized", message: "the header Metadata-Flavor: Google is missing" };
}

/** What of an account that is there is asked for, such as `token`; undefined elsewhere. */
function accountAt(segments: readonly string[], tree: MetadataDirectory): string | undefined {
  const depth = ACCOUNTS_PATH.length;
  const isAccount =
    segments.length === depth + 2 &&
    ACCOUNTS_PATH.every((name, index) => name === segments[index]) &&
    nodeAt(tree, segments.slice(0, depth + 1)) !== undefined;
  return isAccount ? segments[depth + 1] : undefined;
}

function answerBearer(query: URLSearchParams, grant: Grant, { settings, runtime }: Served) {
  const asked = (query.get("scopes") ?? "").split(",").filter((scope) => scope !== "");
  const refused = scopesRefused(asked, settings.scopes);
  if (refused !== undefined) return { reason: "scope", message: refused } as const;
  return answerJson(bearerOf(grant, runtime));
}

function answerNode(node: MetadataNode, query: URLSearchParams): EndpointAnswer {
  const isRecursive = query.get("recursive")?.toLowerCase() === "true";
  if (isDirectory(node)) return isRecursive ? answerJson(node) : answerText(listDirectory(node));
  if (query.get("alt") === "json") return answerJson(node);
  return answerText(typeof node === "string" ? node : node.map((line) => `${line}\n`).join(""));
}

function answerJson(value: unknown): EndpointAnswer {
  return { status: 200, headers: { ...FLAVOR, "content-type": "application/json" }, body: JSON.stringify(value) };
}

function answerText(body: string, status = 200): EndpointAnswer {
  return { status, headers: { ...FLAVOR, "content-type": "application/text" }, body };
}
