import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";
import { askEndpoint, instantIn, isLoopback, parseAnswer, textIn } from "./ask-endpoint.js";
import type { GoogleCredential, GoogleSubject } from "./credential.js";
import { findValue, notHeld } from "./surrounding-lease.js";

const TOKEN_VARIABLE = "CLOUDSDK_AUTH_ACCESS_TOKEN";

/** The external account that a lease's file describes, every address of which is the lease's endpoint. */
interface LeaseAccount {
  readonly audience: string;
  readonly subjectTokenType: string;
  readonly tokenUrl: string;
  readonly subjectUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the subject token is the whole text. */
  readonly subjectField: string | undefined;
}

/**
 * Google's access token out of the lease: its variable, or what its endpoint trades.
 * @throws {AgentctlError} CONFIG_INVALID when it has neither, and as `askEndpoint` does
 */
export async function readGoogleToken(lease: SurroundingLease, runtime: Runtime): Promise<GoogleCredential> {
  const token = findValue(TOKEN_VARIABLE, runtime.env);
  if (token !== undefined) return { kind: "google-token", token: new Secret(token) };
  const account = readAccount(lease, runtime);
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: account.audience,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: account.subjectTokenType,
    subject_token: (await askSubject(account, lease, runtime)).reveal(),
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const request = { url: account.tokenUrl, method: "POST", headers, body: form.toString() } as const;
  const answer = parseAnswer(await askEndpoint(request, lease, runtime));
  const expiresAt = instantIn(runtime.now() + Number(answer["expires_in"] ?? Number.NaN) * 1000, "expires_in");
  return { kind: "google-token", token: new Secret(textIn(answer, "access_token")), expiresAt };
}

/**
 * What the lease's endpoint takes in the place of an ID token, so that a tool whose configuration names it goes on
 * there; anywhere else it is worth nothing.
 * @throws {AgentctlError} CONFIG_INVALID when the lease has no endpoint for Google, and as `askEndpoint` does
 */
export async function readGoogleSubject(lease: SurroundingLease, runtime: Runtime): Promise<GoogleSubject> {
  if (findValue(TOKEN_VARIABLE, runtime.env) !== undefined) throw notForExecutables(lease);
  const token = await askSubject(readAccount(lease, runtime), lease, runtime);
  return { kind: "google-subject", token, expiresAt: lease.endsAt };
}

function notForExecutables({ profileName }: SurroundingLease): AgentctlError {
  const message = `the lease of profile ${profileName} gives Google's access token in variables, and nothing to trade for one`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: "use --format token, or start the command with agentctl run --deliver endpoint",
  });
}

async function askSubject(account: LeaseAccount, lease: SurroundingLease, runtime: Runtime): Promise<Secret> {
  const { subjectUrl, headers, subjectField } = account;
  const body = await askEndpoint({ url: subjectUrl, headers }, lease, runtime);
  return new Secret(subjectField === undefined ? body.trim() : textIn(parseAnswer(body), subjectField));
}

function readAccount(lease: SurroundingLease, { env, fs }: Runtime): LeaseAccount {
  try {
    const file = JSON.parse(fs.readFileSync(findValue("GOOGLE_APPLICATION_CREDENTIALS", env) ?? "", "utf8"));
    const { type, audience, subject_token_type: subjectTokenType, token_url: tokenUrl } = file;
    const { url: subjectUrl, headers = {}, format } = file.credential_source;
    // A file of somebody else's would lead elsewhere.
    if (type === "external_account" && isLoopback(tokenUrl) && isLoopback(subjectUrl)) {
      const subjectField = format?.type === "json" ? String(format.subject_token_field_name) : undefined;
      return {
        audience: String(audience),
        subjectTokenType: String(subjectTokenType),
        tokenUrl,
        subjectUrl,
        headers,
        subjectField,
      };
    }
  } catch {
    // None, or none that can be read: the lease has given none.
  }
  throw notHeld("gcp", lease);
}
