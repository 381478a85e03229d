import { generateKeyPairSync } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, type JSONWebKeySet } from "jose";
import { Provider } from "oidc-provider";

export const CLIENT = "agentctl-cli";

export interface RunningProvider {
  readonly issuer: string;
  /** Its public keys. */
  readonly jwks: JSONWebKeySet;
  close(): void;
}

/** oidc-provider, a certified OpenID provider, on loopback: it lets anybody in under the name that they give. */
export async function startProvider(): Promise<RunningProvider> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const common = { kid: "login-1", alg: "RS256", use: "sig" };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        application_type: "native",
        token_endpoint_auth_method: "none",
        // The port is any: RFC 8252 §7.3.
        redirect_uris: ["http://127.0.0.1/callback"],
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      },
    ],
    features: { deviceFlow: { enabled: true }, revocation: { enabled: true } },
    cookies: { keys: ["for tests alone"] },
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: async () => ({ sub }) }),
    // Said, since it warns of every default.
    ttl: {
      ...{ AccessToken: 300, DeviceCode: 300, Grant: 3600, IdToken: 300, Interaction: 300, RefreshToken: 3600 },
      Session: 300,
    },
    jwks: { keys: [{ ...(await exportJWK(keys.privateKey)), ...common }] },
  });
  server.on("request", provider.callback());
  return {
    issuer,
    jwks: { keys: [{ ...(await exportJWK(keys.publicKey)), ...common }] },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
