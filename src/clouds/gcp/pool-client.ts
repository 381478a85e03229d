// By their files: the package's index also loads what reads keys, metadata servers and configuration.
import { IdentityPoolClient } from "google-auth-library/build/src/auth/identitypoolclient.js";
import { StsCredentials } from "google-auth-library/build/src/auth/stscredentials.js";
import type { AccessBoundaryRule } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";
import type { Wire } from "../exchange/wire.js";

const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

export interface PoolClientOptions {
  readonly tokenUrl: string;
  /** The provider's full resource name. */
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly subjectToken: Secret;
}

/**
 * The identity-pool client of Google's own library, whose every request goes by our wire, and which reads nothing
 * ambient: no proxy variable, and no GOOGLE_SDK_NODE_LOGGING, which would print tokens on stderr.
 */
export class PoolClient extends IdentityPoolClient {
  constructor(options: PoolClientOptions, wire: Wire) {
    super({
      type: "external_account",
      audience: options.audience,
      subject_token_type: JWT_TYPE,
      token_url: options.tokenUrl,
      subject_token_supplier: { getSubjectToken: async () => options.subjectToken.reveal() },
      scopes: [...options.scopes],
      useAuthRequestParameters: false,
      transporterOptions: {
        fetchImplementation: fetchBy(wire),
        // Or it would load an agent for HTTPS_PROXY, only for our transport not to use it.
        noProxy: [/^/],
        retryConfig: { retry: 0, shouldRetry: () => false },
      },
    });
    // The base class gives its exchanges a transport of their own, which takes no options.
    this.stsCredential = new StsCredentials({ tokenExchangeEndpoint: options.tokenUrl, transporter: this.transporter });
  }

  /** What the exchange of the OIDC token answered. */
  async federate(): Promise<unknown> {
    const { res } = await this.getAccessToken();
    return res?.data;
  }

  /** What `generateAccessToken` answered. */
  async impersonate(
    url: string,
    token: Secret,
    request: { scope: readonly string[]; lifetime: string },
  ): Promise<unknown> {
    const headers = { authorization: `Bearer ${token.reveal()}` };
    const answer = await this.transporter.request({
      url,
      method: "POST",
      headers,
      data: request,
      responseType: "json",
    });
    return answer.data;
  }

  /** What the exchange of an access token for one within a boundary answered: a Credential Access Boundary. */
  async narrow(token: Secret, rules: readonly AccessBoundaryRule[]): Promise<unknown> {
    const exchange = {
      grantType: TOKEN_EXCHANGE,
      requestedTokenType: ACCESS_TOKEN_TYPE,
      subjectToken: token.reveal(),
      subjectTokenType: ACCESS_TOKEN_TYPE,
    };
    return this.stsCredential.exchangeToken(exchange, undefined, { accessBoundary: { accessBoundaryRules: rules } });
  }
}

/** As much of `fetch` as the library's transport needs. */
function fetchBy(wire: Wire): typeof fetch {
  return async (input, init) => {
    const { body } = init ?? {};
    const headers = new Headers(init?.headers);
    if (body instanceof URLSearchParams) headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
    const answer = await wire.send({
      url: String(input),
      method: init?.method === "POST" ? "POST" : "GET",
      headers: Object.fromEntries(headers),
      ...(body !== undefined && body !== null && { body: String(body) }),
    });
    const received = Object.entries(answer.headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const isBodyless = [204, 205, 304].includes(answer.status);
    return new Response(isBodyless ? null : answer.body, { status: answer.status, headers: received });
  };
}
