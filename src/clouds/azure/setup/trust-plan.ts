import type { TrustRequest } from "../../../core/trust.js";
import { headerLines } from "../../setup/header.js";
import { selectTests } from "../../setup/select-tests.js";
import { type Application, applicationsOf } from "./applications.js";
import { applyNotes, awayNotes } from "./apply-notes.js";
import { type GranterPlan, granterNotes, planGranter } from "./granter-plan.js";

/** All that is to be written, in whatever language. */
export interface AzureTrustPlan {
  readonly profileName: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly tenantId: string;
  readonly isTenantId: boolean;
  /** Those that a lease may be, the first first; at least one. */
  readonly clients: readonly Application[];
  readonly granter?: GranterPlan;
  /** Whether anything is given for the time of a lease alone. */
  readonly givesForLease: boolean;
  /** What a new managed identity is called. */
  readonly displayName: string;
  /** Of the federated credential: 3 to 120 letters, digits, - and _. */
  readonly credentialName: string;
  readonly description: string;
  readonly header: readonly string[];
  readonly conditions: readonly string[];
  readonly notes: readonly string[];
}

const MAX_NAME = 120;
const NO_ROLE =
  "no role is assigned: assign what the task needs on single resources or a resource group, not on the subscription";

/** @throws {AgentctlError} TRUST_TOO_WIDE */
export function planAzureTrust(request: TrustRequest<"azure">): AzureTrustPlan {
  const { profileName, scope, settings } = request;
  // A federated credential compares issuer, subject and audience, each exactly and by case, and nothing else.
  const { notes: untested } = selectTests(scope, "Microsoft Entra", () => false);
  const name = `agentctl-${profileName}`.replace(/[^\w-]/g, "-");
  const credentialName = name.slice(0, MAX_NAME);
  const granter = planGranter(settings, name);
  const givesForLease = settings.assignments.length > 0;
  const clients = applicationsOf(settings, name);
  const made = { profileName, clients, ...(granter !== undefined && { granter }), displayName: name, credentialName };
  const notes = [
    ...scope.notes,
    ...untested,
    ...(givesForLease ? granterNotes(settings) : [NO_ROLE]),
    ...applyNotes(made, request.format),
  ];
  return {
    ...made,
    issuer: scope.issuer,
    subject: scope.subject,
    audience: scope.audience,
    tenantId: settings.tenantId.toLowerCase(),
    isTenantId: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(settings.tenantId),
    givesForLease,
    description: `agentctl: profile ${profileName}`,
    header: headerLines(request, "Azure's side of the trust", notes, awayNotes(made, request.format)),
    conditions: [
      "Entra takes a token only when all three are the same, letter by letter:",
      `- issuer and subject: ${scope.subjectWhy}`,
      "- audience: a token that was asked for another service is refused",
    ],
    notes,
  };
}
