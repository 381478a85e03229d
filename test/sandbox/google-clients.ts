import type { Sandbox } from "../../src/sandbox/index.js";
import type { Answer } from "./clients.js";
import { CLOUD_PLATFORM, callGoogle, federate, impersonate } from "./gcp-clients.js";

export const PROJECT = "projects/agentctl-demo";
export const BUCKET = "projects/_/buckets/demo";
export const account = (name: string): string => `${name}@agentctl-demo.iam.gserviceaccount.com`;
export const member = (name: string): string => `serviceAccount:${account(name)}`;

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: { readonly title: string; readonly description?: string; readonly expression: string };
}

export interface Policy {
  readonly version?: number;
  readonly etag?: string;
  readonly bindings?: readonly Binding[];
}

/** The token of one of the project's service accounts. */
export async function tokenFor(sandbox: Sandbox, name: string, scope: string = CLOUD_PLATFORM): Promise<string> {
  const answer = await impersonate(sandbox, await federate(sandbox), { scope: [scope] }, account(name));
  return (JSON.parse(answer.body) as { accessToken: string }).accessToken;
}

export interface Caller {
  readonly sandbox: Sandbox;
  readonly token: string | undefined;
}

export function post({ sandbox, token }: Caller, path: string, body: unknown = {}): Promise<Answer> {
  return callGoogle(sandbox, path, token, { method: "POST", body: JSON.stringify(body) });
}

export function get({ sandbox, token }: Caller, path: string): Promise<Answer> {
  return callGoogle(sandbox, path, token);
}

/** getIamPolicy and setIamPolicy as each service has them. */
export interface PolicyApi {
  /** `version`: undefined asks for none. */
  read(caller: Caller, version?: number): Promise<Answer>;
  write(caller: Caller, policy: Policy): Promise<Answer>;
  test(caller: Caller, permissions: readonly string[]): Promise<Answer>;
}

/** @param path such as `/v3/projects/ID` */
export function resourceManager(path: string): PolicyApi {
  return {
    read: (caller, version) =>
      post(caller, `${path}:getIamPolicy`, version && { options: { requestedPolicyVersion: version } }),
    write: (caller, policy) => post(caller, `${path}:setIamPolicy`, { policy }),
    test: (caller, permissions) => post(caller, `${path}:testIamPermissions`, { permissions }),
  };
}

export function serviceAccountPolicy(name: string): PolicyApi {
  const path = `/v1/projects/-/serviceAccounts/${encodeURIComponent(account(name))}`;
  return {
    ...resourceManager(path),
    read: (caller, version) => {
      const query = version === undefined ? "" : `?options.requestedPolicyVersion=${version}`;
      return post(caller, `${path}:getIamPolicy${query}`);
    },
  };
}

export function bucketPolicy(bucket: string): PolicyApi {
  const path = `/storage/v1/b/${bucket}/iam`;
  return {
    read: (caller, version) =>
      get(caller, version === undefined ? path : `${path}?optionsRequestedPolicyVersion=${version}`),
    write: ({ sandbox, token }, policy) =>
      callGoogle(sandbox, path, token, { method: "PUT", body: JSON.stringify(policy) }),
    test: (caller, permissions) =>
      get(caller, `${path}/testPermissions?${permissions.map((one) => `permissions=${one}`).join("&")}`),
  };
}

export function parse<Body = Record<string, unknown>>(answer: Answer): Body {
  return JSON.parse(answer.body) as Body;
}

/** `STATUS code` and the message of a refusal, or the status alone. */
export function outcome(answer: Answer): { readonly is: string; readonly says?: string } {
  if (answer.status < 400) return { is: String(answer.status) };
  const { error } = parse<{ error: { message: string; status?: string; errors?: { reason: string }[] } }>(answer);
  return { is: `${answer.status} ${error.status ?? error.errors?.[0]?.reason}`, says: error.message };
}
