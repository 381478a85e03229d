import type { Actor, Identity } from "./identity.js";
import type { Ending, EndpointOverride, Grant, LeaseTerms, Wait } from "./lease.js";
import type { CloudName, DeliveryMode, Profile } from "./profile.js";
import type { SweptLease } from "./sweep-report.js";

/** What `agentctl run` was asked for. */
export interface RunRequest {
  readonly argv: readonly [string, ...string[]];
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
  /** At most the profile's own ttl. */
  readonly ttlSeconds?: number;
  readonly deliver?: DeliveryMode;
  /** Why it is run, for the record. */
  readonly intent?: string;
  /** `KIND[:NAME]`, as declared. */
  readonly actor?: string;
  readonly passEnv: readonly string[];
  readonly receiptPath?: string;
}

/** What happens in the life of a lease, for whoever shows it. */
export type Happening =
  | { readonly kind: "endpoint"; readonly endpoint: EndpointOverride }
  | {
      readonly kind: "opened";
      readonly terms: LeaseTerms;
      readonly profile: Profile;
      readonly identity: Identity;
      readonly actor: Actor;
    }
  /** Rights that were given for the lease work, and its time has begun. */
  | { readonly kind: "begun"; readonly terms: LeaseTerms; readonly clouds: readonly CloudName[] }
  | {
      readonly kind: "granted";
      readonly grant: Grant;
      /** Whether another one will follow before the lease ends. */
      readonly isRenewed: boolean;
    }
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  | {
      readonly kind: "ended";
      readonly ending: Ending;
      /** False: no command ever had it. */
      readonly isHandedOut?: boolean;
    }
  /** What came of a lease that an earlier agentctl had left open. */
  | { readonly kind: "swept"; readonly lease: SweptLease }
  /** What is being waited for, to be drawn where somebody is looking; without a text that is over. */
  | { readonly kind: "progress"; readonly text?: string; readonly wait?: Wait | undefined };

export type Observe = (happening: Happening) => void;
