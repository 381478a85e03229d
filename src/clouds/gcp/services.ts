import { AgentctlError } from "../../core/errors.js";
import type { IdToken } from "../../core/identity.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";
import { claimFacts, claimsSeen } from "../claims-seen.js";
import type { Refusal, Service } from "../exchange/failed-try.js";
import type { Endpoint } from "./endpoints.js";
import { readGoogleRefusal } from "./google-refusal.js";
import { boundaryHint, federationHint, impersonationHint } from "./refusals.js";

/** One of Google's services, as far as the failures of one step go. */
interface Step {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** What it refused, such as the service account. */
  readonly refused: string;
  readonly secrets: readonly Secret[];
  readonly token: IdToken | undefined;
  readonly hintFor: (refusal: Refusal) => string;
}

/** Google's STS, asked for a federated token. */
export function federationService(settings: GcpSettings, endpoint: Endpoint, token: IdToken | undefined): Service {
  return serviceOf(settings, {
    name: "Google's STS",
    endpoint,
    refused: `the token for ${settings.workloadIdentityProvider}`,
    secrets: token === undefined ? [] : [token.token],
    token,
    hintFor: (refusal) => federationHint(refusal, settings, token),
  });
}

/** Google's IAM Credentials, asked for a service account's token with a lifetime of `seconds`. */
export function impersonationService(
  settings: GcpSettings,
  endpoint: Endpoint,
  from: { readonly token: IdToken | undefined; readonly federated: Secret },
  seconds: number,
): Service {
  return serviceOf(settings, {
    name: "Google's IAM Credentials",
    endpoint,
    refused: settings.serviceAccount ?? "to impersonate",
    secrets: from.token === undefined ? [from.federated] : [from.federated, from.token.token],
    token: from.token,
    hintFor: (refusal) => impersonationHint(refusal, settings, from.token, seconds),
  });
}

/** Google's STS, asked for a token within the access boundary. */
export function boundaryService(
  settings: GcpSettings,
  endpoint: Endpoint,
  token: IdToken | undefined,
  wide: Secret,
): Service {
  return serviceOf(settings, {
    name: "Google's STS",
    endpoint,
    refused: "the access boundary",
    secrets: [wide],
    token,
    hintFor: boundaryHint,
  });
}

function serviceOf(settings: GcpSettings, step: Step): Service {
  const { name, endpoint, token } = step;
  const { override, baseUrl } = endpoint;
  return {
    place: override === undefined ? name : `${name} at ${override.url} (${override.variable})`,
    facts: {
      provider: settings.workloadIdentityProvider,
      ...(settings.serviceAccount !== undefined && { serviceAccount: settings.serviceAccount }),
      endpoint: baseUrl,
    },
    secrets: step.secrets,
    readRefusal: readGoogleRefusal,
    explainRefusal(refusal, facts) {
      const said = `${name} refused ${step.refused}: ${refusal.text} (${refusal.code})`;
      return new AgentctlError("CLOUD_DENIED", token === undefined ? said : `${said}${claimsSeen(token)}`, {
        facts: { ...facts, ...(token !== undefined && claimFacts(token)) },
        hint: step.hintFor(refusal),
      });
    },
  };
}
