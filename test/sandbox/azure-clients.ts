import { readFileSync } from "node:fs";
import { ClientAssertionCredential } from "@azure/identity";
import type { MintRequest, Sandbox } from "../../src/sandbox/index.js";
import { type Answer, send } from "./clients.js";

export const AZURE_AUDIENCE = "api://AzureADTokenExchange";
export const CLIENT_ID = "00001111-aaaa-2222-bbbb-3333cccc4444";
export const STORAGE = "https://storage.azure.com/.default";
export const MANAGEMENT = "https://management.azure.com/.default";

export interface SignIn {
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly scope?: string;
  readonly mint?: MintRequest;
}

/** A token by Azure's own library, without retries. */
export async function signIn(sandbox: Sandbox, { tenantId, clientId, scope, mint }: SignIn = {}): Promise<string> {
  const credential = new ClientAssertionCredential(
    tenantId ?? sandbox.world.azure.tenantId,
    clientId ?? CLIENT_ID,
    () => sandbox.mintToken({ audience: AZURE_AUDIENCE, ...mint }),
    {
      authorityHost: sandbox.env["AZURE_AUTHORITY_HOST"] ?? "",
      disableInstanceDiscovery: true,
      retryOptions: { maxRetries: 0 },
      tlsOptions: { ca: readFileSync(sandbox.caFile) },
    } as ConstructorParameters<typeof ClientAssertionCredential>[3],
  );
  return (await credential.getToken(scope ?? STORAGE)).token;
}

/** A token request put together by hand; undefined leaves a parameter out. */
export async function askEntra(
  sandbox: Sandbox,
  changes: Readonly<Record<string, string | undefined>> = {},
  tenant = sandbox.world.azure.tenantId,
): Promise<Answer> {
  const form: Record<string, string | undefined> = {
    grant_type: "client_credentials",
    client_id: CLIENT_ID,
    scope: STORAGE,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await sandbox.mintToken({ audience: AZURE_AUDIENCE }),
    ...changes,
  };
  const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const url = new URL(`/${tenant}/oauth2/v2.0/token`, sandbox.env["AZURE_AUTHORITY_HOST"]);
  return send(sandbox, url, { method: "POST", body: new URLSearchParams(given).toString() });
}

/** A call to Resource Manager; a body that is not text goes as JSON. */
export function callArm(
  sandbox: Sandbox,
  path: string,
  token?: string,
  { method = "GET", body }: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Answer> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const url = new URL(path, sandbox.env["AGENTCTL_SANDBOX_ARM_URL"]);
  return send(sandbox, url, { method, headers, ...(text !== undefined && { body: text }) });
}

export interface BlobCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

/** A call to Blob Storage, `path` being what follows the account; an undefined header is left out. */
export function callBlob(sandbox: Sandbox, path: string, token?: string, call: BlobCall = {}): Promise<Answer> {
  const all = {
    "x-ms-version": "2024-11-04",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...call.headers,
  };
  const headers = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const url = new URL(`${sandbox.env["AGENTCTL_SANDBOX_BLOB_URL"]}${path}`);
  const { method = "GET", body } = call;
  return send(sandbox, url, { method, headers: Object.fromEntries(headers), ...(body !== undefined && { body }) });
}
