import type { MintRequest, ServiceName } from "../../../src/sandbox/index.js";
import { type Block, GCP, REPORTS_ONLY } from "../three-clouds.js";

/** What a cloud refuses by its own rules, in its own words. */
export interface RefusedRow {
  readonly name: string;
  /** Laid over the cloud's block. */
  readonly change?: Block;
  /** The token that the caller has; default what the sandbox's token service hands out. */
  readonly token?: MintRequest;
  /** A service whose clock is an hour ahead. */
  readonly ahead?: ServiceName;
  /** The cloud's own code, and its own words. */
  readonly ownCode: string;
  readonly words: RegExp;
  /** What to change on the cloud's side. */
  readonly hint: RegExp;
}

const STRANGER = { claims: { sub: "repo:evil/fork:ref:refs/heads/main" } };
const FORGED = { signedBy: "stranger" } as const;

export const REFUSED_BY_AWS: readonly RefusedRow[] = [
  {
    name: "a subject that the role does not trust",
    token: STRANGER,
    ownCode: "AccessDenied",
    words: /Not authorized to perform sts:AssumeRoleWithWebIdentity.*sub repo:evil\/fork/,
    hint: /trust policy must allow .* with this aud and sub/,
  },
  {
    name: "a role that is not there",
    change: { role_arn: "arn:aws:iam::111122223333:role/nobody" },
    ownCode: "AccessDenied",
    words: /role\/nobody/,
    hint: /role\/nobody must exist/,
  },
  {
    name: "an audience that the provider does not list",
    change: { audience: "api://elsewhere" },
    ownCode: "InvalidIdentityToken",
    words: /aud api:\/\/elsewhere/,
    hint: /OIDC provider for https:.* with the audience api:\/\/elsewhere/,
  },
  {
    name: "a forged token",
    token: FORGED,
    ownCode: "InvalidIdentityToken",
    words: /AWS STS refused/,
    hint: /whose keys AWS can fetch/,
  },
  {
    name: "a token that is over by AWS's clock",
    ahead: "sts",
    ownCode: "ExpiredTokenException",
    words: /expired/i,
    hint: /get a new one, or check this machine's clock/,
  },
];

export const REFUSED_BY_AZURE: readonly RefusedRow[] = [
  {
    name: "a subject of no federated credential",
    token: STRANGER,
    ownCode: "AADSTS700213",
    words: /No matching federated identity record found for presented assertion subject/,
    hint: /federated credential for https:.* whose subject is repo:evil\/fork:ref:refs\/heads\/main, letter for letter/,
  },
  {
    name: "an audience of no federated credential",
    change: { audience: "api://elsewhere" },
    ownCode: "AADSTS700212",
    words: /presented assertion audience 'api:\/\/elsewhere'/,
    hint: /audience api:\/\/elsewhere, or set azure\.audience/,
  },
  {
    name: "a subject that differs in a capital",
    token: { claims: { sub: "repo:Acme/site:ref:refs/heads/main" } },
    ownCode: "AADSTS7002138",
    words: /but not with case-sensitive comparison/,
    hint: /subject is repo:Acme\/site:ref:refs\/heads\/main, letter for letter/,
  },
  {
    name: "a client that is not there",
    change: { client_id: "99999999-aaaa-2222-bbbb-3333cccc4444" },
    ownCode: "AADSTS700016",
    words: /was not found in the directory/,
    hint: /check azure\.client_id/,
  },
  {
    name: "a tenant that is not there",
    change: { tenant_id: "99999999-0000-cccc-1111-dddd2222eeee" },
    ownCode: "AADSTS90002",
    words: /Tenant '99999999-.*' not found/,
    hint: /check azure\.tenant_id/,
  },
  {
    name: "a scope of a resource that the tenant does not know",
    change: { scopes: ["https://example.test/.default"] },
    ownCode: "AADSTS500011",
    words: /resource principal named https:\/\/example\.test was not found/,
    hint: /check the scope https:\/\/example\.test\/\.default/,
  },
  {
    name: "a forged token",
    token: FORGED,
    ownCode: "AADSTS50013",
    words: /signature validation/,
    hint: /token's signature or its times are not valid/,
  },
  {
    name: "a token that is over by Azure's clock",
    ahead: "entra",
    ownCode: "AADSTS700024",
    words: /not within its valid time range/,
    hint: /get a new one, or check this machine's clock/,
  },
];

const PROVIDER = String(GCP["workload_identity_provider"]);

export const REFUSED_BY_GOOGLE: readonly RefusedRow[] = [
  {
    name: "a provider that is not there",
    change: { workload_identity_provider: PROVIDER.replace(/github$/, "nobody") },
    ownCode: "invalid_target",
    words: /pool or provider is disabled or deleted/,
    hint: /check gcp\.workload_identity_provider: .*\/providers\/nobody must exist/,
  },
  {
    name: "an audience that the provider does not allow",
    change: { audience: "api://elsewhere" },
    ownCode: "invalid_grant",
    words: /audience in ID Token \[api:\/\/elsewhere\]/,
    hint: /add api:\/\/elsewhere to the allowed audiences .* or set gcp\.audience/,
  },
  {
    name: "a token that the attribute condition rejects",
    token: { claims: { ref: "refs/heads/dev" } },
    ownCode: "unauthorized_client",
    words: /rejected by the attribute condition/,
    hint: /change the attribute condition of/,
  },
  {
    name: "a forged token",
    token: FORGED,
    ownCode: "invalid_grant",
    words: /Unable to verify the ID Token signature/,
    hint: /must be able to fetch the keys/,
  },
  {
    name: "a token that is over by Google's clock",
    ahead: "gcp-sts",
    ownCode: "invalid_grant",
    words: /stale to sign-in/,
    hint: /get a new one, or check this machine's clock/,
  },
  {
    name: "a service account that is not there",
    change: { service_account: "nobody@agentctl-demo.iam.gserviceaccount.com" },
    ownCode: "NOT_FOUND",
    words: /refused nobody@.*Not found/,
    hint: /check gcp\.service_account: there is no nobody@/,
  },
  {
    name: "a service account that it may not be",
    token: { claims: { repository: "acme/other" } },
    ownCode: "PERMISSION_DENIED",
    words: /iam\.serviceAccounts\.getAccessToken/,
    hint: /subject\/repo:acme\/site.* roles\/iam\.workloadIdentityUser on demo@/,
  },
  {
    name: "a scope of another cloud's",
    change: { scopes: ["https://management.azure.com/.default"] },
    ownCode: "INVALID_ARGUMENT",
    words: /requested scopes were invalid/,
    hint: /gcp\.scopes/,
  },
  {
    name: "a boundary with a role that is not there",
    change: { access_boundary: [{ ...REPORTS_ONLY, available_permissions: ["inRole:roles/storage.nobody"] }] },
    ownCode: "invalid_request",
    words: /refused the access boundary: Invalid available permission/,
    hint: /check gcp\.access_boundary/,
  },
];
