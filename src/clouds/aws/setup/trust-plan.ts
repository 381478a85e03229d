import type { PolicyDocument } from "../../../core/profile.js";
import type { TrustRequest } from "../../../core/trust.js";
import { comments, conditionLines, headerLines, TERRAFORM_AWAY } from "../../setup/header.js";
import { selectTests } from "../../setup/select-tests.js";
import { lastHopPolicy } from "../session-policy.js";
import { servicesOf } from "./boundary.js";
import { planRevoker } from "./revoker.js";
import { hasOwnPolicy, planRoles, type RolePlan } from "./roles.js";
import { canAwsTest } from "./testable-claims.js";
import { issuerPathOf, providerArnOf, readRoleArn } from "./trust-policy.js";

/** All that is to be written, in whatever language. */
export interface AwsTrustPlan {
  readonly profileName: string;
  readonly issuer: string;
  readonly audience: string;
  readonly providerArn: string;
  /** The account that the first role is in. */
  readonly accountId: string;
  /** The roles of that account, the first of them the one that the token assumes. */
  readonly roles: readonly RolePlan[];
  /** Those of other accounts: their trust is shown, and is for somebody there to apply. */
  readonly elsewhere: readonly RolePlan[];
  readonly header: readonly string[];
  readonly conditions: readonly string[];
  readonly notes: readonly string[];
}

/** @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID */
export function planAwsTrust(request: TrustRequest<"aws">): AwsTrustPlan {
  const { scope, settings } = request;
  // The same look at the session policy's form that a run takes.
  lastHopPolicy(settings, 0);
  const first = readRoleArn(settings.roleArn);
  const issuerPath = issuerPathOf(scope);
  const selected = selectTests(scope, "AWS", (claim) => canAwsTest(issuerPath, first.partition, claim));
  const hops = planRoles(request, selected.tests);
  const revoker = planRevoker(request, selected.tests, hops[hops.length - 1] as RolePlan);
  const roles = revoker === undefined ? hops : [...hops, revoker];
  const notes = [...scope.notes, ...selected.notes, ...notesOf(request, roles)];
  const tests = [
    { claim: "aud", why: "a token that was asked for another service is refused" },
    { claim: "sub", why: scope.subjectWhy },
    ...selected.tests,
  ];
  return {
    profileName: request.profileName,
    issuer: scope.issuer,
    audience: scope.audience,
    providerArn: providerArnOf(first, scope),
    accountId: first.accountId,
    roles: roles.filter(({ accountId }) => accountId === first.accountId),
    elsewhere: roles.filter(({ accountId }) => accountId !== first.accountId),
    header: headerLines(request, "AWS's side of the trust", notes, awayNotes(request, roles)),
    conditions: ["The trust holds for a token only when all of these are as written:", ...conditionLines(tests)],
    notes,
  };
}

function notesOf({ settings, scope }: TrustRequest<"aws">, roles: readonly RolePlan[]): readonly string[] {
  const notes = roles.flatMap(({ isToBeFilled, name }) =>
    isToBeFilled
      ? [`the profile has no session_policy, so the role ${name} may do nothing until its policy is filled in`]
      : [],
  );
  if (servicesOf(settings) === undefined) {
    notes.push("the boundary leaves every service open: no session_policy alone tells which the profile needs");
  }
  notes.push(...revokerNotes(settings, roles));
  if (settings.allowDerivedSessions === true) {
    notes.push("allow_derived_sessions is true: the boundary lets sessions make what outlives them");
  }
  if (new URL(scope.issuer).port !== "") notes.push("IAM takes no issuer with a port: this one is for the sandbox");
  return notes;
}

function revokerNotes(settings: TrustRequest<"aws">["settings"], roles: readonly RolePlan[]): readonly string[] {
  if (settings.revoker === undefined) return [];
  const { name } = readRoleArn(settings.revoker.roleArn);
  const notes = [`the revoker ${name} writes on one role alone: another profile's role needs a revoker of its own`];
  if (settings.acceptEscalation) {
    notes.push("accept_escalation is true: the revoker writes on the role whether it has its boundary or not");
  } else if (servicesOf(settings) === undefined) {
    notes.push(
      `a boundary that leaves every service open bounds ${name} as little, since it writes the role's policies`,
    );
  }
  const denied = roles.find(({ holdsDenies }) => holdsDenies)?.name;
  notes.push(
    `the last denies of a revoker stay on ${denied}, and IAM deletes no role that has a policy: Terraform takes them off itself; else delete the role's inline policies named agentctl-revoke-… first`,
  );
  return notes;
}

/** How what was made is taken away again, as it was written. */
function awayNotes({ format }: TrustRequest<"aws">, roles: readonly RolePlan[]): readonly string[] {
  const shared = "the OIDC provider goes with it where this made it: see first that no other role trusts it";
  if (format === "terraform") return [TERRAFORM_AWAY, shared];
  if (format === "cloudformation") return ["delete the stack", shared];
  return [
    `delete the role ${roles.map(({ name }) => name).join(" and ")}, its policies first`,
    `then the policy ${roles.map(({ boundaryName }) => boundaryName).join(" and ")}, and the OIDC provider where no other role trusts it`,
  ];
}

/** Why the role trusts whom it trusts, where that is not plain. */
export function trustComments({ kind }: RolePlan, plan: Pick<AwsTrustPlan, "conditions">): readonly string[] {
  if (kind === "first") return plan.conditions;
  return kind === "revoker" ? ["The revoker: the same caller, by the same trust as of the first role."] : [];
}

/** A role of another account, as a comment: it is for somebody there to apply. */
export function elsewhereComment(role: RolePlan): string {
  const show = (what: string, document: PolicyDocument) => [
    `To be applied in the account ${role.accountId}: ${what} of ${role.arn}`,
    ...JSON.stringify(document, null, 2).split("\n"),
  ];
  const lines = [
    ...(role.kind === "revoker" ? [`The issuer has to be a provider of the account ${role.accountId} as well.`] : []),
    ...show("the trust policy", role.trust),
    ...show(`the permissions boundary, a policy named ${role.boundaryName},`, role.boundary),
    ...(hasOwnPolicy(role) ? [...role.permissionsWhy, ...show("the policy", role.permissions)] : []),
  ];
  return comments("#", lines);
}
