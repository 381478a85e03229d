import { createHash } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { isSameSecret } from "../../core/constant-time.js";
import type { ServiceRequest } from "../service.js";
import { NodeSha256 } from "./node-sha256.js";
import type { Session, SessionStore } from "./sessions.js";

/** What can be wrong with a signed request; each service has its own word for it. */
export type SignatureFault =
  | "unsigned"
  | "unsupported"
  | "incomplete"
  | "unknown key"
  | "wrong token"
  | "expired token"
  | "wrong scope"
  | "wrong region"
  | "too early"
  | "too late"
  | "wrong payload hash"
  | "mismatch";

export type SignatureResult =
  | { readonly session: Session }
  | { readonly fault: SignatureFault; readonly accessKeyId?: string };

/** What a signature has to be made for. */
export interface SigningScope {
  readonly service: "sts" | "s3" | "iam";
  /** Where only one region's signatures are taken; absent, any region's are. */
  readonly region?: string;
}

const ALLOWED_SKEW_MS = 15 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;

/** Finds whose request it is, by computing the signature again with the session's own key. */
export async function verifySignature(
  request: ServiceRequest,
  scope: SigningScope,
  sessions: SessionStore,
  now: number,
): Promise<SignatureResult> {
  const header = request.headers["authorization"];
  if (header === undefined) return { fault: "X-Amz-Signature" in request.query ? "unsupported" : "unsigned" };
  if (!header.startsWith("AWS4-HMAC-SHA256 ")) return { fault: "unsupported" };
  const [, accessKeyId = "", scopeDate, region = "", scopeService, signedNames = "", signature = ""] =
    AUTHORIZATION.exec(header) ?? [];
  const signingDate = parseAmzDate(request.headers["x-amz-date"]);
  if (scopeDate === undefined || signingDate === undefined) return { fault: "incomplete" };
  const session = sessions.find(accessKeyId);
  if (session === undefined) return { fault: "unknown key", accessKeyId };
  if (!isSameSecret(request.headers["x-amz-security-token"] ?? "", session.sessionToken)) {
    return { fault: "wrong token", accessKeyId };
  }
  if (session.expiresAt <= now) return { fault: "expired token", accessKeyId };
  if (scopeService !== scope.service || !isoBasic(signingDate).startsWith(scopeDate))
    return { fault: "wrong scope", accessKeyId };
  if (scope.region !== undefined && region !== scope.region) return { fault: "wrong region", accessKeyId };
  if (signingDate < now - ALLOWED_SKEW_MS) return { fault: "too late", accessKeyId };
  if (signingDate > now + ALLOWED_SKEW_MS) return { fault: "too early", accessKeyId };
  if (!coversWhatItMust(request, signedNames.split(";"))) return { fault: "mismatch", accessKeyId };
  if (!hasHonestPayloadHash(request)) return { fault: "wrong payload hash", accessKeyId };
  const expected = await signAgain(request, {
    service: scope.service,
    region,
    signingDate,
    session,
    signedNames: signedNames.split(";"),
  });
  return isSameSecret(signature, expected) ? { session } : { fault: "mismatch", accessKeyId };
}

interface Signing {
  readonly service: string;
  readonly region: string;
  readonly signingDate: number;
  readonly session: Session;
  readonly signedNames: readonly string[];
}

async function signAgain(request: ServiceRequest, signing: Signing): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = signing.session;
  const signer = new SignatureV4({
    service: signing.service,
    region: signing.region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    sha256: NodeSha256,
    uriEscapePath: signing.service !== "s3",
    applyChecksum: false,
  });
  const headers = Object.fromEntries(signing.signedNames.map((name) => [name, request.headers[name] ?? ""]));
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: "https:",
      hostname: "127.0.0.1",
      path: request.path,
      query: { ...request.query },
      headers,
      body: request.body,
    },
    { signingDate: new Date(signing.signingDate), signableHeaders: new Set(signing.signedNames) },
  );
  return /Signature=([0-9a-f]+)$/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "";
}

/** AWS takes no signature that leaves out the host or one of its own headers. */
function coversWhatItMust(request: ServiceRequest, signedNames: readonly string[]): boolean {
  const own = Object.keys(request.headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  return own.every((name) => signedNames.includes(name));
}

/** A literal hash in the header is what is signed, so it has to be that of the body that came. */
function hasHonestPayloadHash(request: ServiceRequest): boolean {
  const claimed = request.headers["x-amz-content-sha256"];
  if (claimed === undefined || !/^[0-9a-f]{64}$/i.test(claimed)) return true;
  return createHash("sha256").update(request.body).digest("hex") === claimed.toLowerCase();
}

function parseAmzDate(text: string | undefined): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** `20261122T060000Z`, the form of `x-amz-date`. */
export function isoBasic(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
}
