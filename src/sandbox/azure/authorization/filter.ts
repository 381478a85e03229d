import { WireError } from "../../wire-error.js";

/** What a `$filter` restricts a list of assignments to. */
export interface AssignmentFilter {
  /** At the scope and above; without it, below too. */
  readonly isAtScope: boolean;
  /** An object id, in lower case. */
  readonly principalId?: string;
  readonly isAsTarget: boolean;
  readonly isAsRequestor: boolean;
}

const NONE = { isAtScope: false, isAsTarget: false, isAsRequestor: false };
const AT_SCOPE = /^atScope\(\)$/i;
const PRINCIPAL = /^principalId eq '?([^'\s]+)'?$/i;
const ASSIGNED_TO = /^(?:atScope\(\) and )?assignedTo\('([^']+)'\)$/i;

/** @throws {WireError} UnsupportedQuery: most combinations are unsupported */
export function readAssignmentFilter(filter: string | undefined): AssignmentFilter {
  const text = readText(filter);
  if (text === "") return NONE;
  const principalId = (PRINCIPAL.exec(text) ?? ASSIGNED_TO.exec(text))?.[1]?.toLowerCase();
  const isAtScope = /^atScope\(\)/i.test(text);
  if (principalId !== undefined) return { ...NONE, isAtScope, principalId };
  if (AT_SCOPE.test(text)) return { ...NONE, isAtScope };
  throw unsupported(text, "'atScope()' or 'principalId eq '{value}' or assignedTo('{value}')'");
}

/** The same, and the two by which somebody asks for what is their own. @throws {WireError} UnsupportedQuery */
export function readScheduleFilter(filter: string | undefined): AssignmentFilter {
  const text = readText(filter);
  if (/^asTarget\(\)$/i.test(text)) return { ...NONE, isAsTarget: true };
  if (/^asRequestor\(\)$/i.test(text)) return { ...NONE, isAsRequestor: true };
  return readAssignmentFilter(text);
}

/** The name that role definitions are restricted to, in lower case. @throws {WireError} UnsupportedQuery */
export function readRoleNameFilter(filter: string | undefined): string | undefined {
  const text = readText(filter);
  if (["", "atscopeandbelow()", "type eq 'builtinrole'"].includes(text.toLowerCase())) return undefined;
  const name = /^(?:atScopeAndBelow\(\) and )?roleName eq '((?:[^']|'')*)'$/i.exec(text)?.[1];
  if (name !== undefined) return name.replaceAll("''", "'").toLowerCase();
  throw unsupported(text, "roleName eq '{value}' or type eq 'BuiltInRole|CustomRole'");
}

/** A `+` in a query stands for a space; and some clients put the whole in brackets. */
function readText(filter = ""): string {
  const text = filter.replaceAll("+", " ").trim();
  return /^\([^()]*\)$/.test(text) ? text.slice(1, -1).trim() : text;
}

function unsupported(filter: string, supported: string): WireError {
  const text = `The filter '${filter}' is not supported. Supported filters are either ${supported}.`;
  return new WireError(400, "UnsupportedQuery", text);
}
