import type { WireError } from "../../wire-error.js";
import type { ApiAttributes } from "../cel.js";
import type { GcpContext } from "../context.js";
import { isAllowed } from "../iam.js";
import type { GoogleAccess } from "../token-store.js";
import type { AskedPolicy } from "./asked-policy.js";
import { findChangedRoles, hideCondition, normalizeBindings, type PolicyBinding } from "./binding.js";
import { findBindingFault } from "./check-bindings.js";
import { isSameEtag } from "./etag.js";
import type { PolicyHolder } from "./holder.js";
import type { GcpAuthorizingService, HeldPolicy } from "./live-policies.js";

/** The version that has conditions. */
const CONDITIONAL = 3;
const VERSIONS = [0, 1, CONDITIONAL];
const MORE = "For more information, please refer to https://cloud.google.com/iam/docs/policies#versions.";
const PERMISSION = /^[a-zA-Z][\w-]*(?:\.\w+)+$/;

/** How the service that was asked words what is refused. */
export interface PolicyWords {
  denied(permission: string): WireError;
  invalid(text: string): WireError;
  conflict(): WireError;
  missing(): WireError;
}

/** Who asks which service for a policy. */
export interface PolicyCall {
  readonly context: GcpContext;
  readonly service: GcpAuthorizingService;
  readonly holder: PolicyHolder;
  readonly caller: GoogleAccess;
  readonly words: PolicyWords;
}

/** A policy on the wire. */
export interface ShownPolicy extends HeldPolicy {
  readonly version: number;
}

/** getIamPolicy. A reader of an older version finds marked roles in the place of conditions. */
export function getPolicy(call: PolicyCall, requestedVersion: number): ShownPolicy {
  assertPermission(call, "getIamPolicy");
  const policy = readHeld(call);
  assertVersion(requestedVersion, call.words);
  return showPolicy(policy, requestedVersion);
}

/** setIamPolicy: answers the policy as it is kept. */
export function setPolicy(call: PolicyCall, asked: AskedPolicy): ShownPolicy {
  const { context, holder, words } = call;
  const fresh = normalizeBindings(asked.bindings.map(asBinding));
  const current = context.policies.read(holder.name)?.bindings ?? [];
  assertPermission(call, "setIamPolicy", {
    "iam.googleapis.com/modifiedGrantsByRole": findChangedRoles(current, fresh),
  });
  const held = readHeld(call);
  assertVersion(asked.version, words);
  if (asked.version < CONDITIONAL && fresh.some(isConditional)) {
    throw words.invalid(`Specified policy version (${asked.version}) cannot hold conditional role bindings. ${MORE}`);
  }
  const fault = findBindingFault(fresh, holder, context.world);
  if (fault !== undefined) throw words.invalid(fault);
  // Without an etag the policy is overwritten, whatever it was.
  if (asked.etag !== undefined && asked.etag !== "") {
    if (!isSameEtag(asked.etag, held.etag)) throw words.conflict();
    const version = versionOf(held);
    if (asked.version < version && version === CONDITIONAL) {
      throw words.invalid(
        `Specified policy version (${asked.version}) cannot be less than the existing policy version (${version}). ${MORE}`,
      );
    }
  }
  return showPolicy(context.policies.write(holder.name, fresh), CONDITIONAL);
}

/** testIamPermissions: those of the asked that the caller has now. */
export function testPermissions(call: PolicyCall, permissions: readonly string[]): readonly string[] {
  const { kind } = call.holder;
  const family = kind === "bucket" ? "storage." : kind === "serviceAccount" ? "iam." : "";
  const unfit = permissions.find((permission) => !PERMISSION.test(permission) || !permission.startsWith(family));
  if (unfit !== undefined) throw call.words.invalid(`Permission ${unfit} is not valid for this resource.`);
  return permissions.filter((permission) => hasPermission(call, permission));
}

function hasPermission({ context, service, holder, caller }: PolicyCall, permission: string, api?: ApiAttributes) {
  return isAllowed(context, {
    principal: caller.principal,
    permission,
    holder: holder.name,
    resource: holder.resource,
    service,
    ...(api !== undefined && { api }),
  });
}

function assertPermission(call: PolicyCall, verb: string, api?: ApiAttributes): void {
  const permission = `${call.holder.permissions}.${verb}`;
  if (!hasPermission(call, permission, api)) throw call.words.denied(permission);
}

function readHeld({ context, holder, words }: PolicyCall): HeldPolicy {
  const policy = context.policies.read(holder.name);
  if (policy === undefined) throw words.missing();
  return policy;
}

function assertVersion(version: number, words: PolicyWords): void {
  if (!VERSIONS.includes(version)) throw words.invalid(`Invalid policy version (${version}). ${MORE}`);
}

function asBinding({ role, members, condition }: AskedPolicy["bindings"][number]): PolicyBinding {
  if (condition === undefined) return { role, members };
  const { title, description, expression } = condition;
  return { role, members, condition: { title, ...(description !== undefined && { description }), expression } };
}

function showPolicy(policy: HeldPolicy, requestedVersion: number): ShownPolicy {
  const version = versionOf(policy);
  if (version <= requestedVersion || version < CONDITIONAL) return { version, ...policy };
  return { version: 1, etag: policy.etag, bindings: policy.bindings.map(hideCondition) };
}

function versionOf({ bindings }: HeldPolicy): number {
  return bindings.some(isConditional) ? CONDITIONAL : 1;
}

function isConditional({ condition }: PolicyBinding): boolean {
  return condition !== undefined;
}
