import { AgentctlError } from "../../../core/errors.js";
import type { Refusal } from "../../exchange/failed-try.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import { type Asking, askRights, type Bearer } from "./ask-rights.js";
import { type Policy, readPolicy, writtenPolicy } from "./policy.js";
import type { PolicyResource } from "./resources.js";

/** Somebody else wrote first: 409 of Google's APIs, 412 of Cloud Storage. */
const CONFLICTS: readonly number[] = [409, 412];
/** Cloud Storage says with the status of a conflict that a bucket takes no conditions, */
const NO_CONDITIONS = /uniform bucket-level access|uniformBucketLevelAccess|bucket policy only/i;
/** and that the organization forbids it, or one of the members, whoever put them there: no further try fares better. */
const FORBIDDEN =
  /violates constraint|\bconstraints\/|organization(?:'s)? policy|permitted customer|public access prevention/i;
/** Who was made again under the name of somebody deleted cannot stand beside what is left of them. */
const DELETED = /representation of deleted member/i;
/** Google's words when a policy holds as much as it may. */
const LIMIT_WORDS = /maximum allowed|larger than the maximum|exceeds? the (maximum|limit)|too many/i;

/** Google's words for a role that there is not, or not there. */
const ROLE_WORDS =
  /\brole\b.*(?:is not supported for this resource|does not exist in the resource's hierarchy)|is not a valid role for/i;

export interface ReadPolicy {
  readonly policy: Policy;
  /** Epoch ms by Google's clock. */
  readonly googleNow: number;
}

/**
 * The resource's policy with its conditions.
 * @throws {AgentctlError} as `askRights` does
 */
export function getPolicy(resource: PolicyResource, bearer: Bearer, asking: Asking): Promise<ReadPolicy> {
  return askRights(
    {
      service: resource.service,
      request: resource.get(),
      action: `${resource.permissions}.getIamPolicy on ${resource.name}`,
      hintFor: (refusal) => hintOf(refusal, resource, bearer),
      read: ({ json }, googleNow) => ({ policy: readPolicy(json), googleNow }),
    },
    bearer,
    asking,
  );
}

/**
 * Writes the bindings in the place of those that were read; answers what Google said where somebody else was first.
 * @throws {AgentctlError} as `askRights` does; BINDING_LIMIT where the policy would hold more than Google takes,
 *   CONFIG_INVALID for a role that there is not, or not on that resource
 */
export async function setPolicy(
  resource: PolicyResource,
  { policy, bindings }: { readonly policy: Policy; readonly bindings: readonly unknown[] },
  bearer: Bearer,
  asking: Asking,
): Promise<{ readonly conflict?: string }> {
  try {
    return await askRights(
      {
        service: resource.service,
        request: resource.set(writtenPolicy(policy, bindings)),
        action: `${resource.permissions}.setIamPolicy on ${resource.name}`,
        hintFor: (refusal) => hintOf(refusal, resource, bearer),
        accepted: CONFLICTS,
        read: ({ status, json }) => {
          if (!CONFLICTS.includes(status)) {
            // What is no policy is no answer to the write: nobody knows what became of it.
            readPolicy(json);
            return {};
          }
          const conflict = saidOf(json);
          if (NO_CONDITIONS.test(conflict) || FORBIDDEN.test(conflict)) throw new Error("it was refused");
          return { conflict };
        },
      },
      bearer,
      asking,
    );
  } catch (error) {
    throw isRefusal(error) ? judgeRefusal(error, resource) : error;
  }
}

/**
 * Which of the permissions the bearer has.
 * @throws {AgentctlError} as `askRights` does
 */
export function testPermissions(
  resource: PolicyResource,
  permissions: readonly string[],
  bearer: Bearer,
  asking: Asking,
): Promise<readonly string[]> {
  return askRights(
    {
      service: resource.service,
      request: resource.test(permissions),
      action: `testIamPermissions on ${resource.name}`,
      hintFor: () => `check gcp.ready: each of ${permissions.join(", ")} must be one that can be tested there`,
      read: ({ json }) => {
        const granted = fieldOf(json, "permissions") ?? [];
        if (!Array.isArray(granted)) throw new Error("there are no permissions in it");
        return permissions.filter((permission) => granted.includes(permission));
      },
    },
    bearer,
    asking,
  );
}

function saidOf(json: unknown): string {
  return textOf(fieldOf(json, "error"), "message") ?? "no reason given";
}

function isRefusal(error: unknown): error is AgentctlError {
  return error instanceof AgentctlError && error.code === "CLOUD_DENIED";
}

function judgeRefusal(refusal: AgentctlError, { name }: PolicyResource): AgentctlError {
  const { message, facts } = refusal;
  if (LIMIT_WORDS.test(message)) return new AgentctlError("BINDING_LIMIT", message, { facts, hint: limitHint(name) });
  if (facts["httpStatus"] !== 400 || !ROLE_WORDS.test(message)) return refusal;
  const hint = "check the role in gcp.bindings: it may be misspelt, or not for that kind of resource";
  return new AgentctlError("CONFIG_INVALID", message, { facts, hint });
}

export function limitHint(name: string): string {
  return `let leases end first, remove bindings that nobody needs from ${name}, or give other leases another service account or role; agentctl lease sweep --cloud removes ours that have ended`;
}

function hintOf({ code, text }: Refusal, { name, permissions }: PolicyResource, { who }: Bearer): string {
  if (DELETED.test(text)) return `remove the bindings of the account of that name that was deleted from ${name}`;
  if (NO_CONDITIONS.test(text))
    return `switch on uniform bucket-level access for ${name}: without it Google takes no conditions`;
  if (FORBIDDEN.test(text)) {
    return `the organization forbids this on ${name}, or a member that was in its policy before: ask who keeps its constraints`;
  }
  if (/^(PERMISSION_DENIED|forbidden|insufficientPermissions)$/.test(code))
    return neededHint({ name, permissions }, who);
  if (/^(NOT_FOUND|notFound)$/.test(code)) return `check gcp.bindings: there is no ${name}`;
  if (/^(UNAUTHENTICATED|authError|required)$/.test(code)) return "check that the endpoints in use are of one Google";
  return `check gcp.bindings: that each role may be given on ${name}, and that the lease's principal exists`;
}

/** What whoever writes the resource's policy has to be allowed. */
export function neededHint({ name, permissions }: Pick<PolicyResource, "name" | "permissions">, who: string): string {
  return `${who} needs ${permissions}.getIamPolicy and ${permissions}.setIamPolicy on ${name}; agentctl setup gcp writes that`;
}
