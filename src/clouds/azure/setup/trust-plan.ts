import type { TrustRequest } from "../../../core/trust.js";
import { headerLines } from "../../setup/header.js";
import { selectTests } from "../../setup/select-tests.js";

/** All that is to be written, in whatever language. */
export interface AzureTrustPlan {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly tenantId: string;
  readonly isTenantId: boolean;
  /** Absent where the profile has none yet: an application is made then, and its id goes into the profile. */
  readonly clientId?: string;
  /** What a new application or managed identity is called. */
  readonly displayName: string;
  /** Of the federated credential: 3 to 120 letters, digits, - and _. */
  readonly credentialName: string;
  readonly description: string;
  readonly header: readonly string[];
  readonly conditions: readonly string[];
  readonly notes: readonly string[];
}

/** What a profile has that was written before its application was made. */
const NO_CLIENT = "00000000-0000-0000-0000-000000000000";
const MAX_NAME = 120;

/** @throws {AgentctlError} TRUST_TOO_WIDE */
export function planAzureTrust(request: TrustRequest<"azure">): AzureTrustPlan {
  const { profileName, scope, settings } = request;
  // A federated credential compares issuer, subject and audience, each exactly and by case, and nothing else.
  const { notes: untested } = selectTests(scope, "Microsoft Entra", () => false);
  const name = `agentctl-${profileName}`.replace(/[^\w-]/g, "-");
  const notes = [
    ...scope.notes,
    ...untested,
    "no role is assigned: assign what the task needs on single resources or a resource group, not on the subscription",
  ];
  return {
    issuer: scope.issuer,
    subject: scope.subject,
    audience: scope.audience,
    tenantId: settings.tenantId.toLowerCase(),
    isTenantId: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(settings.tenantId),
    ...(settings.clientId !== NO_CLIENT && { clientId: settings.clientId }),
    displayName: name,
    credentialName: name.slice(0, MAX_NAME),
    description: `agentctl: profile ${profileName}`,
    header: headerLines(request, "Azure's side of the trust", notes),
    conditions: [
      "Entra takes a token only when all three are the same, letter by letter:",
      `- issuer and subject: ${scope.subjectWhy}`,
      "- audience: a token that was asked for another service is refused",
    ],
    notes,
  };
}
