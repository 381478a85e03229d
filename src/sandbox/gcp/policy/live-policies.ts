import { mapValues } from "../../map-values.js";
import type { GcpWorld } from "../world.js";
import { asPolicyBinding, normalizeBindings, type PolicyBinding } from "./binding.js";
import { firstEtag, nextEtag } from "./etag.js";
import { chainOf } from "./holder.js";

/** The services that ask what the policies allow; each learns of a change in its own time. */
export const GCP_AUTHORIZING_SERVICES = ["gcs", "iamcredentials", "cloudresourcemanager", "gcp-iam", "pam"] as const;
export type GcpAuthorizingService = (typeof GCP_AUTHORIZING_SERVICES)[number];

export interface HeldPolicy {
  readonly etag: string;
  readonly bindings: readonly PolicyBinding[];
}

/** The policies of the project, of what is above it and of what is in it, which change. */
export interface LivePolicies {
  /** As IAM itself tells it: a change at once. Undefined for what is not there. */
  read(holder: string): HeldPolicy | undefined;
  /** By the holder's name. */
  all(): Readonly<Record<string, HeldPolicy>>;
  /** @param at when it was written, by IAM's time, where that is before now */
  write(holder: string, bindings: readonly PolicyBinding[], at?: number): HeldPolicy;
  /** The bindings that count for a service now: the holder's, and those it inherits. */
  countingFor(service: GcpAuthorizingService, holder: string): readonly PolicyBinding[];
  /** How long until a change counts, in milliseconds; 0 lets what is under way count at once. */
  setPropagation(delayMs: number, service?: GcpAuthorizingService): void;
  propagation(): Readonly<Record<GcpAuthorizingService, number>>;
}

interface Change {
  readonly at: number;
  readonly holder: string;
  readonly bindings: readonly PolicyBinding[];
}

/** @param now IAM's own time, which propagation is counted in */
export function createLivePolicies(world: GcpWorld, now: () => number): LivePolicies {
  const written = readPolicies(world, now());
  const initially = world.policyPropagationMs ?? 0;
  const delays = Object.fromEntries(GCP_AUTHORIZING_SERVICES.map((name) => [name, initially])) as Record<
    GcpAuthorizingService,
    number
  >;
  const views = Object.fromEntries(GCP_AUTHORIZING_SERVICES.map((name) => [name, createView(written)])) as Record<
    GcpAuthorizingService,
    View
  >;
  return {
    read: (holder) => written.get(holder),
    all: () => Object.fromEntries(written),
    write: (holder, bindings, at = now()) => {
      const policy = {
        etag: nextEtag(holder, written.get(holder)?.etag, now()),
        bindings: normalizeBindings(bindings),
      };
      written.set(holder, policy);
      const change = { at: Math.min(at, now()), holder, bindings: policy.bindings };
      for (const service of GCP_AUTHORIZING_SERVICES) views[service].learn(change);
      return policy;
    },
    countingFor: (service, holder) => {
      const known = views[service].catchUp(now(), delays[service]);
      return chainOf(holder, world).flatMap((name) => known.get(name) ?? []);
    },
    setPropagation: (delayMs, service) => {
      for (const name of service === undefined ? GCP_AUTHORIZING_SERVICES : [service]) {
        // What counts by now goes on counting.
        views[name].catchUp(now(), delays[name]);
        delays[name] = delayMs;
      }
    },
    propagation: () => ({ ...delays }),
  };
}

interface View {
  learn(change: Change): void;
  catchUp(now: number, delayMs: number): ReadonlyMap<string, readonly PolicyBinding[]>;
}

/** What has come through to one service, in the order in which it was written; what has come stays. */
function createView(written: ReadonlyMap<string, HeldPolicy>): View {
  const known = new Map([...written].map(([holder, { bindings }]) => [holder, bindings]));
  const underWay: Change[] = [];
  return {
    learn: (change) => {
      underWay.push(change);
    },
    catchUp: (now, delayMs) => {
      // Without a delay nothing waits, though a clock that was set back may say so.
      const until = delayMs === 0 ? Number.POSITIVE_INFINITY : now - delayMs;
      for (let next = underWay[0]; next !== undefined && next.at <= until; next = underWay[0]) {
        known.set(next.holder, next.bindings);
        underWay.shift();
      }
      return known;
    },
  };
}

function readPolicies(world: GcpWorld, now: number): Map<string, HeldPolicy> {
  const held = {
    [`projects/${world.projectId}`]: world.bindings,
    ...world.ancestors,
    ...keyed(
      "projects/_/buckets/",
      mapValues(world.buckets, ({ bindings }) => bindings),
    ),
    ...keyed("projects/-/serviceAccounts/", world.serviceAccounts),
  };
  return new Map(
    Object.entries(held).map(([holder, bindings]) => {
      const kept = normalizeBindings(bindings.map(asPolicyBinding));
      return [holder, { etag: firstEtag(holder, kept.length === 0, now), bindings: kept }];
    }),
  );
}

function keyed<Value>(prefix: string, record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [`${prefix}${key}`, value]));
}
