import { jsonAnswer } from "../../json-answer.js";
import type { ServiceAnswer } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { assertPermitted } from "../arm-caller.js";
import type { AzureContext } from "../context.js";
import { assertScopeExists, isSameScope, isWithin } from "../scope.js";
import type { AuthorizationCall } from "./call.js";
import type { Lock } from "./lock.js";
import { readLockBody } from "./request-body.js";

/** The type, and the first part of the actions on it. */
const TYPE = "Microsoft.Authorization/locks";
/** Those at the scope and above it; and below it where no filter is set. */
export function listLocks({ target: { scope }, caller, context, filter = "" }: AuthorizationCall): readonly unknown[] {
  assertPermitted(caller, { action: `${TYPE}/read`, resource: scope }, context);
  assertScopeExists(scope, context.world);
  const isBelow = filter.trim().toLowerCase() !== "atscope()";
  const found = context.locks.filter((lock) => isWithin(scope, lock.scope) || (isBelow && isWithin(lock.scope, scope)));
  return found.map(presentLock);
}

export function putLock(call: AuthorizationCall): ServiceAnswer {
  const { target, caller, context } = call;
  const { scope, name = "" } = target;
  assertPermitted(caller, { action: `${TYPE}/write`, resource: scope }, context);
  assertScopeExists(scope, context.world);
  const lock = { name, scope, level: readLockBody(call).level };
  const at = context.locks.findIndex((one) => isSame(one, lock));
  context.locks.splice(at < 0 ? context.locks.length : at, 1, lock);
  return jsonAnswer(presentLock(lock), at < 0 ? 201 : 200);
}

export function deleteLock({ target: { scope, name = "" }, caller, context }: AuthorizationCall): ServiceAnswer {
  assertPermitted(caller, { action: `${TYPE}/delete`, resource: scope }, context);
  const at = context.locks.findIndex((one) => isSame(one, { scope, name }));
  if (at < 0) return { status: 204 };
  context.locks.splice(at, 1);
  return { status: 200 };
}

/** The lock under which nothing at a scope is written, or deleted. */
export function findLock(verb: "write" | "delete", scope: string, { locks }: AzureContext): Lock | undefined {
  return locks.find((lock) => isWithin(scope, lock.scope) && (verb === "delete" || lock.level === "ReadOnly"));
}

/** @throws {WireError} ScopeLocked */
export function assertUnlocked(
  verb: "write" | "delete",
  { scope, id }: { readonly scope: string; readonly id: string },
  context: AzureContext,
): void {
  const lock = findLock(verb, scope, context);
  if (lock === undefined) return;
  const text = `The scope '${id}' cannot perform ${verb} operation because following scope(s) are locked: '${lock.scope}'. Please remove the lock and try again.`;
  throw new WireError(409, "ScopeLocked", text);
}

function isSame(one: Pick<Lock, "scope" | "name">, other: Pick<Lock, "scope" | "name">): boolean {
  return isSameScope(one.scope, other.scope) && one.name.toLowerCase() === other.name.toLowerCase();
}

function presentLock({ name, scope, level }: Lock): unknown {
  return { properties: { level }, id: `${scope}/providers/${TYPE}/${name}`, type: TYPE, name };
}
