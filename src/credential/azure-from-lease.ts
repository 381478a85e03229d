import { AgentctlError } from "../core/errors.js";
import type { Environment, Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";
import { askEndpoint, instantIn, isLoopback, parseAnswer, textIn } from "./ask-endpoint.js";
import type { AzureCredential } from "./credential.js";
import { findValue, notHeld } from "./surrounding-lease.js";

const FIRST_TOKEN = "AZURE_ACCESS_TOKEN";

/** Whether the lease gives Azure's tokens in variables, of which the first scope's needs no name. */
export function hasAzureVariables(env: Environment): boolean {
  return findValue(FIRST_TOKEN, env) !== undefined;
}

/**
 * Azure's token for a scope out of the lease: its variables, or the managed identity that its endpoint is.
 * @throws {AgentctlError} CONFIG_INVALID when it has neither, USAGE for a scope that it has no token for, and as
 *   `askEndpoint` does
 */
export async function readAzureFromLease(
  scope: string | undefined,
  lease: SurroundingLease,
  runtime: Runtime,
): Promise<AzureCredential> {
  const { env } = runtime;
  const place = {
    ...placeOf("tenantId", "AZURE_TENANT_ID", env),
    ...placeOf("subscriptionId", "AZURE_SUBSCRIPTION_ID", env),
  };
  const issued = hasAzureVariables(env) ? readVariable(scope, lease, env) : await askIdentity(scope, lease, runtime);
  return { kind: "azure-token", ...issued, ...place };
}

interface Issued {
  readonly token: Secret;
  readonly expiresAt: number;
}

function placeOf(key: string, variable: string, env: Environment): Readonly<Record<string, string>> {
  const value = findValue(variable, env);
  return value === undefined ? {} : { [key]: value };
}

/** The first scope's token is in a variable without a suffix, and says itself what it is for. */
function readVariable(scope: string | undefined, lease: SurroundingLease, env: Environment): Issued {
  const first = findValue(FIRST_TOKEN, env) ?? "";
  if (scope === undefined) return toIssued(first, lease);
  const resource = resourceOf(scope);
  const named = findValue(
    `${FIRST_TOKEN}_${hostOf(resource)
      .toUpperCase()
      .replace(/[^A-Z0-9]/g, "_")}`,
    env,
  );
  if (named !== undefined) return toIssued(named, lease);
  if (withoutSlash(String(claimsOf(first)["aud"])) === withoutSlash(resource)) return toIssued(first, lease);
  throw new AgentctlError("USAGE", `the lease of profile ${lease.profileName} has no token for this scope`, {
    hint: "name one of the scopes of the profile, or leave --scope out for the first",
  });
}

function toIssued(token: string, lease: SurroundingLease): Issued {
  const { exp } = claimsOf(token);
  return { token: new Secret(token), expiresAt: typeof exp === "number" ? exp * 1000 : lease.endsAt };
}

async function askIdentity(scope: string | undefined, lease: SurroundingLease, runtime: Runtime): Promise<Issued> {
  const endpoint = findValue("IDENTITY_ENDPOINT", runtime.env);
  const header = findValue("IDENTITY_HEADER", runtime.env);
  // Where the lease has nothing of Azure, a port that nobody may listen at stands in the endpoint's place.
  if (!isLoopback(endpoint) || new URL(endpoint).port === "1" || header === undefined) throw notHeld("azure", lease);
  if (scope === undefined) {
    throw new AgentctlError("USAGE", "no scope was named, and the profile's cannot be read from here", {
      hint: "name one with --scope, such as https://management.azure.com/.default",
    });
  }
  const url = new URL(endpoint);
  url.searchParams.set("api-version", "2019-08-01");
  url.searchParams.set("resource", resourceOf(scope));
  const headers = { "x-identity-header": header };
  const answer = parseAnswer(await askEndpoint({ url: url.href, headers }, lease, runtime));
  const expiresAt = instantIn(Number(answer["expires_on"] ?? Number.NaN) * 1000, "expires_on");
  return { token: new Secret(textIn(answer, "access_token")), expiresAt };
}

function resourceOf(scope: string): string {
  return scope.replace(/\/\.default$/, "");
}

function hostOf(resource: string): string {
  return /^[a-z]+:\/\/([^/?#]+)/i.exec(resource)?.[1] ?? resource;
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, "").toLowerCase();
}

/** Of a token that this machine was given to use, so that nothing rests on them; of what is none, nothing. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return {};
  }
}
