import type { CloudEndpoint } from "../core/endpoint.js";
import type {
  EndContext,
  Ending,
  EndOrder,
  Grant,
  GrantPlan,
  GrantTerms,
  IssueContext,
  LeaseTerms,
  RightsContext,
} from "../core/lease.js";
import type { Channel, CloudName, CloudSettings } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { KeptInSweep } from "../core/sweep-report.js";
import type { RightsSights } from "./rights-sight.js";
import type { FailedPart } from "./sweep-parts.js";

/**
 * What a cloud's room does. `plan` is pure and loads no SDK, so that `--dry-run`, `profile lint`
 * and the write-ahead ledger cost nothing; `issue` loads the SDK.
 */
export interface Cloud<Name extends CloudName = CloudName> {
  readonly name: Name;
  /** What `deliver: auto` is for this cloud. */
  autoChannel(settings: NonNullable<CloudSettings[Name]>, terms: Pick<LeaseTerms, "ttlSeconds">): Channel;
  /**
   * Works out what will be asked for.
   * @throws {AgentctlError} POLICY_TOO_LONG, POLICY_INVALID, CONFIG_INVALID, ENDPOINT_INVALID
   */
  plan(settings: NonNullable<CloudSettings[Name]>, terms: GrantTerms, runtime: Runtime): GrantPlan;
  /**
   * The address of the service that the identity token is traded at, such as `https://sts.eu-central-1.amazonaws.com`.
   * @throws {AgentctlError} ENDPOINT_INVALID, CONFIG_INVALID
   */
  serviceUrl(settings: NonNullable<CloudSettings[Name]>, runtime: Pick<Runtime, "env">): string;
  /** Loads what `issue` needs. */
  warm(): Promise<void>;
  /** Whether the settings name rights to be given for the lease; absent where there are never any. */
  hasRights?(settings: NonNullable<CloudSettings[Name]>): boolean;
  /**
   * Gives the principal, for this lease alone, the rights that the settings name, by the granter, and waits until they
   * work. They end by themselves at `terms.latestEndsAt`; `end` takes them back, by the plan's `undo` alone, also when
   * this was cut off anywhere. Answers the settings to issue with: whom of a pool the lease is.
   * @throws {AgentctlError} BINDING_LIMIT, ASSIGNMENT_BUSY, NOT_READY, CLOUD_DENIED, UNREACHABLE, THROTTLED,
   *   SERVICE_FAILED, BAD_ANSWER, CONFIG_INVALID, INTERRUPTED, TOKEN_*
   */
  openRights?(
    settings: NonNullable<CloudSettings[Name]>,
    terms: GrantTerms,
    context: RightsContext,
    runtime: Runtime,
  ): Promise<NonNullable<CloudSettings[Name]>>;
  /**
   * Looks, by questions alone, whether the rights that the settings name could be given under these terms; present where
   * `hasRights` is. Tells what a run would stop with in the run's words, and what of it was not tried.
   * @throws {AgentctlError} as `openRights` does, where nothing could be looked at
   */
  lookAtRights?(
    settings: NonNullable<CloudSettings[Name]>,
    terms: GrantTerms,
    context: IssueContext,
    runtime: Runtime,
  ): Promise<RightsSights>;
  /** The same settings with no rights to be given; present where `hasRights` is. */
  withoutRights?(settings: NonNullable<CloudSettings[Name]>): NonNullable<CloudSettings[Name]>;
  /**
   * Trades the identity's token for a credential.
   * @throws {AgentctlError} CLOUD_DENIED, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER, TOKEN_*
   */
  issue(
    settings: NonNullable<CloudSettings[Name]>,
    terms: GrantTerms,
    context: IssueContext,
    runtime: Runtime,
  ): Promise<Grant>;
  /**
   * How the cloud's tools read grants over the lease's endpoint; loads that protocol and no SDK. The clock is for
   * protocols that tell how long a token still lasts.
   */
  serve(settings: NonNullable<CloudSettings[Name]>, runtime: Pick<Runtime, "now">): Promise<CloudEndpoint>;
  /**
   * Makes sure, while the grant is issued, that it will be possible to take it back; absent where nothing takes
   * anything back. What may pass is let through where `revoke` is not `required`: the ending tells.
   * @throws {AgentctlError} ESCALATION_POSSIBLE, CLOUD_DENIED, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER
   */
  checkEnding?(
    settings: NonNullable<CloudSettings[Name]>,
    terms: GrantTerms,
    context: IssueContext,
    runtime: Runtime,
  ): Promise<void>;
  /**
   * Ends a grant, and says what was observed; `undo` is what `plan` gave. Ending it a second time does no harm. Never
   * throws: what could not be done is an ending of `failed`.
   */
  end(order: EndOrder, context: EndContext, runtime: Runtime): Promise<Ending>;
  /**
   * Removes what endings left in the cloud and nobody needs any longer, whether or not a ledger knows of it; absent
   * where endings leave nothing. Undefined where the settings name nobody who could. A part that fails is among the
   * failures that are answered, unless nothing could be swept at all.
   * @throws {AgentctlError} CLOUD_DENIED, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER, CONFIG_INVALID, INTERRUPTED
   */
  sweep?(
    settings: NonNullable<CloudSettings[Name]>,
    context: Pick<EndContext, "mintToken" | "signal">,
    runtime: Runtime,
  ): Promise<CloudSweep | undefined>;
}

/** What a sweep found in one cloud. */
export interface CloudSweep {
  readonly cloud: CloudName;
  /** On what it was found, such as the ARN of a role. */
  readonly where: string;
  /** The names of what was removed. */
  readonly removed: readonly string[];
  /** What may still be needed. */
  readonly kept: readonly KeptInSweep[];
  /** What could not be swept beside that; absent where there is but one part. */
  readonly failures?: readonly FailedPart[];
}
