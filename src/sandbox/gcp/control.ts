import * as z from "zod/mini";
import { readControlBody, UnfitBody } from "../control-body.js";
import type { GcpAdmin } from "./admin.js";
import { keyOf, type PolicyBinding } from "./policy/binding.js";
import { GCP_AUTHORIZING_SERVICES } from "./policy/live-policies.js";

const delay = z.optional(z.int().check(z.minimum(0)));
const delaysSchema = z.strictObject({
  propagationMs: delay,
  service: z.optional(z.enum(GCP_AUTHORIZING_SERVICES)),
  activationMs: delay,
  revocationMs: delay,
});
const bindings = z._default(
  z.array(
    z.strictObject({
      role: z.string(),
      members: z.array(z.string()),
      condition: z.optional(
        z.strictObject({ title: z.string(), description: z.optional(z.string()), expression: z.string() }),
      ),
    }),
  ),
  [],
);
const changeSchema = z.strictObject({ holder: z.string(), add: bindings, remove: bindings });
const decisionSchema = z.strictObject({ name: z.string(), decision: z.enum(["approve", "deny"]) });

/**
 * Google Cloud's part of the remote control: `POST gcp` ({propagationMs?, service?, activationMs?, revocationMs?}),
 * `GET gcp` (those, every policy and every grant), `POST gcp-policy` ({holder, add?, remove?}: another's write, of
 * bindings), `POST gcp-grant` ({name, decision}: an approver's word).
 */
export function createGcpControl(admin: GcpAdmin): Readonly<Record<string, (body: unknown) => unknown>> {
  return {
    "POST gcp": (body) => {
      const { propagationMs, service, activationMs, revocationMs } = readControlBody(delaysSchema, body);
      if (propagationMs !== undefined) admin.setPropagation(propagationMs, service);
      admin.setGrantDelays({
        ...(activationMs !== undefined && { activationMs }),
        ...(revocationMs !== undefined && { revocationMs }),
      });
    },
    "GET gcp": () => ({
      propagationMs: admin.propagation(),
      ...admin.grantDelays(),
      policies: admin.policies(),
      grants: admin.grants(),
    }),
    "POST gcp-policy": (body) => {
      const { holder, add, remove } = readControlBody(changeSchema, body);
      return orUnfit(() =>
        admin.changePolicy(holder, (held) => [...withoutMembers(held, remove.map(asBinding)), ...add.map(asBinding)]),
      );
    },
    "POST gcp-grant": (body) => {
      const { name, decision } = readControlBody(decisionSchema, body);
      return orUnfit(() => admin.decideGrant(name, decision));
    },
  };
}

function withoutMembers(held: readonly PolicyBinding[], removed: readonly PolicyBinding[]): readonly PolicyBinding[] {
  return held.map((binding) => {
    const out = removed.filter((one) => keyOf(one) === keyOf(binding)).flatMap(({ members }) => members);
    return { ...binding, members: binding.members.filter((member) => !out.includes(member)) };
  });
}

function asBinding({ role, members, condition }: z.output<typeof bindings>[number]): PolicyBinding {
  if (condition === undefined) return { role, members };
  const { title, description, expression } = condition;
  return { role, members, condition: { title, ...(description !== undefined && { description }), expression } };
}

function orUnfit<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw new UnfitBody(error instanceof Error ? error.message : String(error));
  }
}
