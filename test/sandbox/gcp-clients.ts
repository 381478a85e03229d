import { readFileSync } from "node:fs";
import { globalAgent } from "node:https";
import { IdentityPoolClient } from "google-auth-library";
import type { MintRequest, Sandbox } from "../../src/sandbox/index.js";
import { type Answer, send } from "./clients.js";

export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** The resource name of the provider for tokens of GitHub. */
export function githubProvider(sandbox: Sandbox): string {
  return Object.keys(sandbox.world.gcp.providers).find((name) => name.endsWith("/github")) ?? "";
}

export function serviceAccount(sandbox: Sandbox): string {
  return Object.keys(sandbox.world.gcp.serviceAccounts)[0] ?? "";
}

export function mintForGoogle(sandbox: Sandbox, mint: MintRequest = {}): Promise<string> {
  return sandbox.mintToken({ audience: `https://iam.googleapis.com/${githubProvider(sandbox)}`, ...mint });
}

/** A service account's token by Google's own library, without retries. */
export async function signIn(sandbox: Sandbox, mint: MintRequest = {}, lifetimeSeconds = 3600): Promise<string> {
  const base = sandbox.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_STS"];
  // The library's exchanges have a transport of their own, which takes no agent.
  globalAgent.options.ca = readFileSync(sandbox.caFile);
  const client = new IdentityPoolClient({
    type: "external_account",
    audience: `//iam.googleapis.com/${githubProvider(sandbox)}`,
    subject_token_type: JWT,
    token_url: `${base}v1/token`,
    subject_token_supplier: { getSubjectToken: () => mintForGoogle(sandbox, mint) },
    service_account_impersonation_url: `${base}v1/projects/-/serviceAccounts/${serviceAccount(sandbox)}:generateAccessToken`,
    service_account_impersonation: { token_lifetime_seconds: lifetimeSeconds },
    scopes: [CLOUD_PLATFORM],
    transporterOptions: { retryConfig: { retry: 0 } },
  });
  return (await client.getAccessToken()).token ?? "";
}

type Changes = Readonly<Record<string, string | undefined>>;

/** An exchange of an ID token put together by hand; undefined leaves a parameter out. */
export async function exchange(sandbox: Sandbox, changes: Changes = {}): Promise<Answer> {
  return postForm(sandbox, {
    grant_type: TOKEN_EXCHANGE,
    audience: `//iam.googleapis.com/${githubProvider(sandbox)}`,
    scope: CLOUD_PLATFORM,
    requested_token_type: ACCESS_TOKEN,
    subject_token_type: JWT,
    subject_token: changes["subject_token"] ?? (await mintForGoogle(sandbox)),
    ...changes,
  });
}

/** The federated token itself. */
export async function federate(sandbox: Sandbox, changes: Changes = {}): Promise<string> {
  return tokenOf(await exchange(sandbox, changes));
}

export interface Rule {
  readonly availableResource: string;
  readonly availablePermissions: readonly string[];
  readonly availabilityCondition?: { readonly expression: string };
}

/** An exchange of an access token for one within a boundary. */
export function narrow(sandbox: Sandbox, token: string, rules: readonly Rule[] | string): Promise<Answer> {
  return postForm(sandbox, {
    grant_type: TOKEN_EXCHANGE,
    requested_token_type: ACCESS_TOKEN,
    subject_token_type: ACCESS_TOKEN,
    subject_token: token,
    options: typeof rules === "string" ? rules : JSON.stringify({ accessBoundary: { accessBoundaryRules: rules } }),
  });
}

export function tokenOf(answer: Answer): string {
  return (JSON.parse(answer.body) as { access_token?: string }).access_token ?? "";
}

function postForm(sandbox: Sandbox, form: Changes): Promise<Answer> {
  const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams(given).toString();
  return callGoogle(sandbox, "/v1/token", undefined, { method: "POST", headers, body });
}

export interface GoogleCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A call to any of Google's services, with a token or without. */
export function callGoogle(sandbox: Sandbox, path: string, token?: string, call: GoogleCall = {}): Promise<Answer> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const url = new URL(path, sandbox.env["AGENTCTL_SANDBOX_GCS_URL"]);
  return send(sandbox, url, { ...call, headers: { ...authorization, ...call.headers } });
}

/** `generateAccessToken`. */
export function impersonate(
  sandbox: Sandbox,
  token: string | undefined,
  body: unknown,
  email?: string,
): Promise<Answer> {
  const path = `/v1/projects/-/serviceAccounts/${email ?? serviceAccount(sandbox)}:generateAccessToken`;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return callGoogle(sandbox, path, token, { method: "POST", body: text });
}
