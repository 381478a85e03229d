import type { TrustedIssuer } from "../oidc/trusted-issuer.js";
import type { ServiceName } from "../service.js";
import type { AccessTokens } from "./access-tokens.js";
import type { Assignments } from "./authorization/assignments.js";
import type { Lock } from "./authorization/lock.js";
import type { ScheduleRequest } from "./authorization/schedule-request.js";
import type { AzureWorld } from "./world.js";

/** What the embedded Azure works with. */
export interface AzureContext {
  readonly world: AzureWorld;
  readonly issuer: TrustedIssuer;
  readonly tokens: AccessTokens;
  readonly assignments: Assignments;
  /** What was asked of Privileged Identity Management so far, oldest first. */
  readonly scheduleRequests: ScheduleRequest[];
  /** The management locks as they stand. */
  readonly locks: Lock[];
  /** Where it is served. */
  readonly origin: string;
  now(service: ServiceName): number;
}
