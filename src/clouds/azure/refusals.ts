import type { IdToken } from "../../core/identity.js";
import { printable } from "../../core/scrub.js";
import type { Application } from "./application.js";

/** What to change on Azure's side, by the code that Microsoft Entra refused with (its "error codes" reference). */
export function refusalHint(code: string, application: Application, scope: string, token: IdToken | undefined): string {
  const { clientId, tenantId, setting = "azure.client_id" } = application;
  const iss = token === undefined ? "the token's issuer" : printable(token.issuer);
  const sub = token === undefined ? "the token's subject" : printable(token.subject);
  const aud = token === undefined ? "the token's audience" : printable(token.audience.join(", "));
  switch (code) {
    case "AADSTS70021":
      return `give application ${clientId} a federated credential with issuer ${iss}, subject ${sub} and audience ${aud}, exactly`;
    case "AADSTS700211":
      return `give application ${clientId} a federated credential whose issuer is ${iss}, to the last slash`;
    case "AADSTS700212":
      return `give the federated credential of application ${clientId} the audience ${aud}, or set azure.audience to the one it has`;
    case "AADSTS700213":
    case "AADSTS7002131":
    case "AADSTS7002138":
      return `give application ${clientId} a federated credential for ${iss} whose subject is ${sub}, letter for letter`;
    case "AADSTS700016":
    case "AADSTS700011":
    case "AADSTS7000229":
      return `check ${setting}: tenant ${tenantId} needs that application, or its service principal`;
    case "AADSTS70001":
    case "AADSTS7000112":
      return `enable the service principal of application ${clientId}`;
    case "AADSTS90002":
    case "AADSTS900021":
    case "AADSTS900023":
      return "check azure.tenant_id, and AZURE_AUTHORITY_HOST when the tenant is in another cloud";
    case "AADSTS90038":
      return "the tenant is in another national cloud: set AZURE_AUTHORITY_HOST to that cloud's";
    case "AADSTS500011":
    case "AADSTS50001":
    case "AADSTS650052":
      return `check the scope ${scope}: tenant ${tenantId} has no service principal of that resource (each national cloud has its own)`;
    case "AADSTS70011":
    case "AADSTS1002012":
    case "AADSTS28002":
    case "AADSTS700022":
      return `check the scope ${scope}: it is the resource's application id URI and /.default`;
    case "AADSTS65001":
    case "AADSTS650056":
    case "AADSTS650057":
    case "AADSTS90094":
    case "AADSTS90008":
      return `let an administrator of tenant ${tenantId} consent to what application ${clientId} asks of ${scope}`;
    case "AADSTS50105":
    case "AADSTS501051":
      return `assign application ${clientId} to the resource, which is for assigned applications only`;
    case "AADSTS50013":
      return `the token's signature or its times are not valid for Azure: the keys that ${iss} publishes must be reachable from the internet, and this machine's clock right`;
    case "AADSTS700024":
    case "AADSTS500133":
      return "the token had expired, or was not valid yet, when it reached Azure: get a new one, or check this machine's clock";
    case "AADSTS700027":
    case "AADSTS7000272":
    case "AADSTS900384":
    case "AADSTS50012":
      return `Azure could not verify the token's signature: the keys that ${iss} publishes must be reachable from the internet`;
    case "AADSTS700222":
    case "AADSTS700229":
      return "a token that Microsoft Entra issued does only when it is an application's own: use another identity source";
    case "AADSTS700025":
      return `application ${clientId} is a public client: switch "Allow public client flows" off`;
    case "AADSTS7000215":
    case "AADSTS7000222":
    case "AADSTS7000218":
      return `the service took the token for a client secret: check that ${setting} names an application with a federated credential`;
    case "AADSTS50020":
    case "AADSTS500021":
    case "AADSTS500212":
    case "AADSTS500213":
      return `check azure.tenant_id: tenant ${tenantId} does not let this identity in`;
    case "AADSTS53003":
    case "AADSTS530032":
      return `a Conditional Access policy of tenant ${tenantId} for workload identities blocks it: look in the sign-in logs`;
    default:
      return `look in the service principal sign-in logs of tenant ${tenantId} for this refusal`;
  }
}
