import type { PolicyDocument } from "../../core/profile.js";
import type { RoleDefinition } from "../world.js";

/** The services that ask what a role may do; each learns of a change in its own time. */
export const AUTHORIZING_SERVICES = ["sts", "s3", "iam"] as const;
export type AuthorizingService = (typeof AUTHORIZING_SERVICES)[number];

/** What the roles may do, as far as one service knows now. */
export interface RoleAuthority {
  /** The attached policies and the inline ones; none of a role that is not there. */
  policiesOf(roleArn: string): readonly PolicyDocument[];
  boundaryOf(roleArn: string): PolicyDocument | undefined;
}

export interface InlinePolicy {
  /** As it was put, white space included. */
  readonly text: string;
  readonly document: PolicyDocument;
}

/** The roles' inline policies, which come and go. */
export interface RolePolicies {
  /** By name, as IAM itself tells it: a change at once. */
  inlineOf(roleArn: string): ReadonlyMap<string, InlinePolicy>;
  put(roleArn: string, name: string, policy: InlinePolicy): void;
  delete(roleArn: string, name: string): void;
  seenBy(service: AuthorizingService): RoleAuthority;
  /** How long until a change counts, in milliseconds; 0 lets what is under way count at once. */
  setPropagation(delayMs: number, service?: AuthorizingService): void;
  propagation(): Readonly<Record<AuthorizingService, number>>;
}

interface Change {
  readonly at: number;
  readonly roleArn: string;
  readonly name: string;
  /** Absent: it was deleted. */
  readonly policy?: InlinePolicy;
}

type Inline = Map<string, Map<string, InlinePolicy>>;

/** @param now IAM's own time, which propagation is counted in */
export function createRolePolicies(
  roles: Readonly<Record<string, RoleDefinition>>,
  delayMs: number,
  now: () => number,
): RolePolicies {
  const written = readInline(roles);
  const delays = { sts: delayMs, s3: delayMs, iam: delayMs };
  const views = { sts: createView(roles), s3: createView(roles), iam: createView(roles) };
  const make = (change: Change): void => {
    apply(written, change);
    for (const service of AUTHORIZING_SERVICES) views[service].learn(change);
  };
  return {
    inlineOf: (roleArn) => written.get(roleArn) ?? new Map(),
    put: (roleArn, name, policy) => make({ at: now(), roleArn, name, policy }),
    delete: (roleArn, name) => make({ at: now(), roleArn, name }),
    seenBy: (service) => ({
      policiesOf: (roleArn) => {
        const inline =
          views[service]
            .catchUp(now() - delays[service])
            .get(roleArn)
            ?.values() ?? [];
        return [...(roles[roleArn]?.policies ?? []), ...[...inline].map(({ document }) => document)];
      },
      boundaryOf: (roleArn) => roles[roleArn]?.permissionsBoundary?.document,
    }),
    setPropagation: (newDelayMs, service) => {
      for (const name of service === undefined ? AUTHORIZING_SERVICES : [service]) {
        // What counts by now goes on counting.
        views[name].catchUp(now() - delays[name]);
        delays[name] = newDelayMs;
      }
    },
    propagation: () => ({ ...delays }),
  };
}

/** A role's inline policies, by name. */
export function documentsOf(policies: RolePolicies, roleArn: string): Record<string, PolicyDocument> {
  return Object.fromEntries([...policies.inlineOf(roleArn)].map(([name, { document }]) => [name, document]));
}

/** What has come through to one service, in the order in which it was written; what has come stays. */
function createView(roles: Readonly<Record<string, RoleDefinition>>) {
  const known = readInline(roles);
  const underWay: Change[] = [];
  return {
    learn: (change: Change): void => {
      underWay.push(change);
    },
    catchUp: (until: number): Inline => {
      for (let next = underWay[0]; next !== undefined && next.at <= until; next = underWay[0]) {
        apply(known, next);
        underWay.shift();
      }
      return known;
    },
  };
}

function apply(inline: Inline, { roleArn, name, policy }: Change): void {
  const policies = inline.get(roleArn) ?? new Map<string, InlinePolicy>();
  inline.set(roleArn, policies);
  if (policy === undefined) policies.delete(name);
  else policies.set(name, policy);
}

function readInline(roles: Readonly<Record<string, RoleDefinition>>): Inline {
  const inlineOf = ({ inlinePolicies = {} }: RoleDefinition) =>
    new Map(Object.entries(inlinePolicies).map(([name, document]) => [name, asPut(document)]));
  return new Map(Object.entries(roles).map(([roleArn, role]) => [roleArn, inlineOf(role)]));
}

function asPut(document: PolicyDocument): InlinePolicy {
  return { text: JSON.stringify(document), document };
}
