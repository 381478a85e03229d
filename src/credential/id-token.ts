import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { IdToken } from "../core/identity.js";
import type { Ending, Grant } from "../core/lease.js";
import type { GcpSettings, Profile } from "../core/profile.js";
import type { Environment } from "../core/runtime.js";
import type { GoogleSubject } from "./credential.js";

/**
 * What an ID token can become: traded in its last second for a federated token of an hour, and with that, in its own
 * last second, a service account's of the 12 hours that an organization may allow.
 */
const LONGEST_TRADED_MS = 13 * 3_600_000;

/**
 * Google's executable-sourced accounts trade the ID token by themselves, so nothing that agentctl does after the
 * trade can be kept; and what the tool says of its own configuration has to be what the profile says.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function assertHandOut({ name, clouds }: Pick<Profile, "name" | "clouds">, env: Environment): void {
  const { gcp } = clouds;
  if (gcp === undefined) return;
  if (gcp.accessBoundary.length > 0) {
    throw new AgentctlError(
      "CONFIG_INVALID",
      `profile ${name} has an access boundary, which a tool that trades the ID token by itself would not keep`,
      {
        hint: "--format token hands out a token within it; or run the tool with agentctl run",
      },
    );
  }
  if (isCalledByGoogle(env)) assertSameAccount(gcp, name, env);
}

/** Whether it is one of Google's libraries that runs us: AIP-4117 has them say for which provider. */
export function isCalledByGoogle(env: Environment): boolean {
  return (env["GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"] ?? "") !== "";
}

/**
 * A guard against a configuration that was not made for this profile; the tool's word cannot be checked. The library
 * for Python does not say which service account it goes on to, so that none is no contradiction.
 */
function assertSameAccount(gcp: GcpSettings, profileName: string, env: Environment): void {
  const { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience, GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: email } = env;
  const provider = `//iam.googleapis.com/${gcp.workloadIdentityProvider}`;
  if (audience !== provider) throw otherAccount("provider", audience, provider, profileName);
  if ((email ?? "") === "" || email === gcp.serviceAccount) return;
  throw otherAccount("service account", email, gcp.serviceAccount ?? "none", profileName);
}

function otherAccount(what: string, asked: string | undefined, given: string, profileName: string): AgentctlError {
  const message = `the tool asks for the ${what} ${asked}, and that of profile ${profileName} is ${given}`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: "name the profile that the tool's configuration was made for with -p, or correct the configuration",
  });
}

/** The ID token as what it is on record: a grant of all that the caller itself may become there. */
export function grantIdToken(token: IdToken, audience: string, now: number): Grant {
  return {
    cloud: "gcp",
    channel: "env",
    principal: `whoever ${token.subject} may be at ${audience}`,
    issuedAt: now,
    usableUntil: token.expiresAt,
    expiresAt: token.expiresAt,
    variables: {},
    secrets: { idToken: { value: token.token, usableUntil: token.expiresAt } },
    facts: { handedOut: "the caller's ID token", audience, tokenSha256: token.sha256 },
  };
}

/** The ID token of such a grant, for the tool. */
export function readIdToken([grant]: readonly Grant[] = []): GoogleSubject {
  const secret = grant?.secrets["idToken"];
  if (secret === undefined) throw new AgentctlError("DEFECT", "the grant holds no ID token");
  return { kind: "google-subject", token: secret.value, expiresAt: secret.usableUntil };
}

/** Nothing takes an ID token back, nor what a tool has traded it for. */
export function endIdToken({ expiresAt }: Grant): Ending {
  return {
    cloud: "gcp",
    word: "expires",
    at: formatInstant(expiresAt),
    until: formatInstant(expiresAt + LONGEST_TRADED_MS),
    detail:
      "the ID token can be traded until then by whoever holds it; what it was traded for lasts as long as Google says, mostly an hour",
  };
}
