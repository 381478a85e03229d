import type { GranterPlan } from "./granter-plan.js";
import type { ServiceAccount } from "./service-account.js";

/** A role on one bucket. */
export interface BucketGrant {
  readonly bucket: string;
  readonly role: string;
}

/** What is made, by its names. */
export interface PlannedParts {
  readonly profileName: string;
  readonly projectNumber: string;
  readonly poolId: string;
  readonly providerId: string;
  /** `principal://…/subject/…`: one subject of the pool. */
  readonly principal: string;
  readonly serviceAccount?: ServiceAccount;
  /** For good. */
  readonly buckets: readonly BucketGrant[];
  readonly granter?: GranterPlan;
}
