import * as oidc from "openid-client";
import type { Runtime } from "../../core/runtime.js";
import type { Secret } from "../../core/secret.js";
import { explainProviderFailure } from "./provider-failure.js";
import { assertSafeAddress, isLoopback, providerFetch } from "./provider-fetch.js";

/** Which client of which provider. */
export interface ProviderClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: Secret;
}

/** What a provider gave to whoever logged in. */
export type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

/** How far the clocks may be apart. */
const CLOCK_TOLERANCE_SECONDS = 60;

/**
 * The provider as it describes itself (OpenID Connect Discovery 1.0), for this client.
 * @throws {AgentctlError} ENDPOINT_INVALID, BAD_ANSWER, UNREACHABLE, THROTTLED, SERVICE_FAILED
 */
export async function discoverProvider(
  { issuer, clientId, clientSecret }: ProviderClient,
  runtime: Pick<Runtime, "env" | "fetch" | "now" | "sleep" | "random">,
): Promise<oidc.Configuration> {
  assertSafeAddress(issuer);
  const metadata = { [oidc.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
  try {
    return await oidc.discovery(new URL(issuer), clientId, metadata, authenticate(clientSecret), {
      [oidc.customFetch]: providerFetch(runtime),
      ...(isLoopback(issuer) && { execute: [oidc.allowInsecureRequests] }),
    });
  } catch (thrown) {
    throw explainProviderFailure(thrown, { issuer, clientId, doing: "describe itself" });
  }
}

/** Most take a client's secret in the body; where the provider says that it takes it in the header alone, it goes there. */
function authenticate(secret: Secret | undefined): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    const takesOnlyBasic = methods.includes("client_secret_basic") && !methods.includes("client_secret_post");
    const send = takesOnlyBasic ? oidc.ClientSecretBasic(secret.reveal()) : oidc.ClientSecretPost(secret.reveal());
    send(server, client, body, headers);
  };
}
