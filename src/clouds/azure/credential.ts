import { createEmptyPipeline, createHttpHeaders } from "@azure/core-rest-pipeline";
import { ClientAssertionCredential, type ClientAssertionCredentialOptions } from "@azure/identity";
import { setLogLevel } from "@azure/logger";
import type { IdToken } from "../../core/identity.js";
import type { Wire } from "../exchange/wire.js";
import type { Application } from "./application.js";
import type { Authority } from "./authority.js";

type HttpClient = NonNullable<ClientAssertionCredentialOptions["httpClient"]>;

/**
 * A credential of Azure's own library that sends by our wire, and reads nothing ambient: not AZURE_AUTHORITY_HOST,
 * no proxy, no disk. It is for one try: MSAL keeps tokens and refusals in its memory, and would answer a second
 * try from there (ThrottlingUtils). CAE stays off: with it a token lives up to a day.
 */
export function openCredential(
  application: Application,
  authority: Authority,
  assertion: IdToken,
  wire: Wire,
): ClientAssertionCredential {
  // AZURE_LOG_LEVEL is for the child's SDK; ours would write to the same stderr.
  setLogLevel();
  const options = {
    authorityHost: authority.url,
    disableInstanceDiscovery: authority.override !== undefined,
    httpClient: toHttpClient(wire),
    // Handed on to the library's ServiceClient. Its own pipeline tries again, follows redirects, reads proxies, and
    // loads Node's fetch, 30 ms, to see whether a body is a form.
    pipeline: createEmptyPipeline(),
  };
  return new ClientAssertionCredential(
    application.tenantId,
    application.clientId,
    async () => assertion.token.reveal(),
    options,
  );
}

function toHttpClient(wire: Wire): HttpClient {
  return {
    async sendRequest(request) {
      const answer = await wire.send({
        url: request.url,
        method: request.method === "POST" ? "POST" : "GET",
        headers: request.headers.toJSON(),
        ...(typeof request.body === "string" && { body: request.body }),
      });
      const received = Object.entries(answer.headers).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return {
        request,
        status: answer.status,
        headers: createHttpHeaders(Object.fromEntries(received)),
        bodyAsText: answer.body,
      };
    },
  };
}
