import type { IdToken } from "./identity.js";
import type { Channel, CloudName, DeliveryMode, RevokeMode } from "./profile.js";
import type { Secret } from "./secret.js";

export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What a grant may last and is called, fixed before anything is asked for. */
export interface LeaseTerms {
  /** `l-` and 16 characters of Crockford base 32. */
  readonly leaseId: string;
  readonly profileName: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly ttlSeconds: number;
  /** The deadline at the latest: where rights have to be waited for, the time begins when they work. */
  readonly latestDeadlineAt: number;
  readonly deliver: DeliveryMode;
}

/** The terms of one cloud's grant. */
export interface GrantTerms {
  readonly leaseId: string;
  readonly profileName: string;
  readonly channel: Channel;
  /** When authorized calls must stop: the lease's deadline, or earlier where the grant will be renewed. Epoch ms. */
  readonly endsAt: number;
  /** From the asking to `endsAt`. */
  readonly lifetimeSeconds: number;
  /** When the lease ends at the latest: what rights given for it are bounded by. Epoch ms. */
  readonly latestEndsAt: number;
  /** Whether it is to be taken back at its end. */
  readonly revoke: RevokeMode;
}

/** What a cloud's room may use while it gives the principal rights for a lease. */
export interface RightsContext extends IssueContext {
  /** Called before the first write: from here on something may have been given. A second time does nothing. */
  onAsking(): void;
  /** Called with each thing that was done, when it is: it is put on record also where a later one fails. */
  onStep(step: EndStep): void;
  /** What is being waited for, drawn where somebody is looking. */
  onProgress(text: string, wait?: Wait): void;
  /** One line that the user should see, such as whose lease is waited for. */
  onNotice(text: string): void;
  /** When that lease is taken back (epoch ms), where it is one of this machine's that is over and waits for that. */
  freedAt?(leaseId: string): number | undefined;
}

/** Since when something is waited for, and how long at the most; epoch ms. */
export interface Wait {
  readonly since: number;
  readonly until?: number;
}

/** How a grant ended, or will; never a stronger word than what was observed. */
export type EndingWord = "revoked" | "removed" | "fenced" | "expires" | "failed";

/**
 * What one cloud will be asked for, worked out without asking it: the material of `--dry-run`,
 * of the write-ahead ledger entry and of the decision on record. Holds no secret.
 */
export interface GrantPlan {
  readonly cloud: CloudName;
  readonly channel: Channel;
  /** Whom the child will be, such as the ARN of the last role. */
  readonly principal: string;
  /** What the identity's token may be for; at least one, and the first is what a source that mints is asked for. */
  readonly audiences: readonly string[];
  /** One line a step, such as `assume arn:… with the OIDC token`. */
  readonly steps: readonly string[];
  /** One line a restriction: how narrowly. */
  readonly narrowing: readonly string[];
  /** Names of the variables that the child will find. */
  readonly variables: readonly string[];
  /** How the grant would end. */
  readonly ending: { readonly word: EndingWord; readonly detail: string };
  /**
   * What ending it needs, in its cloud's room's own words: the ledger's, from before it is asked for. No secret. Where
   * that takes a token of the identity's, `audiences` says for whom.
   */
  readonly undo: Facts;
  /** Such as the characters of session policy used and left. */
  readonly facts: Facts;
  /** A service address that is not the cloud's own, as `{variable, url}`. */
  readonly endpoints: readonly EndpointOverride[];
}

export interface EndpointOverride {
  readonly variable: string;
  readonly url: string;
}

/** One cloud's credential inside a lease. */
export interface Grant {
  readonly cloud: CloudName;
  readonly channel: Channel;
  /** The principal as the cloud named it. */
  readonly principal: string;
  readonly issuedAt: number;
  /** Authorized calls stop here (this machine's clock): what tools are told as the expiry. */
  readonly usableUntil: number;
  /** The cloud's own expiry of the credential (this machine's clock). */
  readonly expiresAt: number;
  /** The variables that carry it to the child; by the endpoint, only those that tell where it is for. */
  readonly variables: Readonly<Record<string, string | Secret>>;
  /** The credential itself, by the names that its cloud's room gives the parts: what the endpoint answers with. */
  readonly secrets: Readonly<Record<string, IssuedSecret>>;
  /** For the receipt and the audit log; no secret. */
  readonly facts: Facts;
}

export interface IssuedSecret {
  readonly value: Secret;
  /** When this part stops working (this machine's clock, epoch ms): what tools are told. */
  readonly usableUntil: number;
}

/**
 * A grant that is to be ended, by the run that holds it or by whoever finds it in the ledger; times in milliseconds
 * since the epoch.
 */
export interface EndOrder {
  readonly leaseId: string;
  readonly cloud: CloudName;
  readonly channel: Channel;
  /** As the cloud named it; as planned, where it is not known whether it was issued. */
  readonly principal: string;
  readonly undo: Facts;
  /** False: it was asked for, and nobody knows what came of it. */
  readonly isIssued: boolean;
  /** False: whoever was to have it never got it, and it is lost with this process. Absent where that is not known. */
  readonly isHandedOut?: boolean;
  /** When authorized calls stop by themselves, at the latest. */
  readonly usableUntil: number;
  /** The cloud's own expiry; absent where it is not known. */
  readonly expiresAt?: number;
  /** With its credential; only the run that holds it can see the credential refused. */
  readonly grant?: Grant;
}

/** What a cloud's room may use while ending. */
export interface EndContext {
  /** A checked token for one of the audiences, of the caller's or of whoever sweeps. @throws {AgentctlError} */
  mintToken(audiences: readonly string[]): Promise<IdToken>;
  /** Aborted when what has been taken back is not to be watched any longer until it takes effect. */
  readonly unwatched: AbortSignal;
  /** Aborted when nothing more is to be tried: somebody else finishes from the ledger. */
  readonly signal: AbortSignal;
  /** What is being waited for, for whoever is waiting too. */
  onProgress(text: string, wait?: Wait): void;
}

/** How one grant ended, with times in RFC 3339. */
export interface Ending {
  readonly cloud: CloudName;
  readonly word: EndingWord;
  /** When authorized calls stop or stopped. */
  readonly at: string;
  /** Until when something of the credential still works, where that is later than `at`. */
  readonly until?: string;
  readonly detail: string;
  /** Why the word is no stronger, in a few words, where that is known. */
  readonly reason?: string;
  /** What was done to end it, oldest first. */
  readonly steps?: readonly EndStep[];
  /** What `revoke` asked for and did not come about, and why. */
  readonly shortfall?: string;
  /** True where a further try could still take it back: the lease stays in the ledger. */
  readonly isUnfinished?: boolean;
  /** Before this the cloud would refuse that try (RFC 3339). */
  readonly retryAt?: string;
}

export interface EndStep {
  /** RFC 3339 with milliseconds. */
  readonly at: string;
  readonly text: string;
}

/** What a cloud's room may use while issuing. */
export interface IssueContext {
  /** After this no further token can be minted (epoch ms); absent where the source goes on minting. */
  readonly mintableUntil?: number;
  /** A checked token for one of the audiences, as `Identity.mintToken` gives it. */
  mintToken(audiences: readonly string[]): Promise<IdToken>;
  /** Aborted when the user interrupts or another cloud refused. */
  readonly signal: AbortSignal;
}

/** How the child ended. */
export interface ChildResult {
  /** The exit code, or 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly signal?: NodeJS.Signals;
  readonly startedAt: number;
  readonly endedAt: number;
  /** True when `on_expiry: stop` ended it at the deadline; a revocation before that is told of by itself. */
  readonly stoppedAtExpiry: boolean;
}
