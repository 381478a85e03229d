import type { CloudName } from "./profile.js";

/** How often one cloud's grant was renewed while its lease lived, for the record. */
export interface RenewalCount {
  readonly cloud: CloudName;
  readonly renewed: number;
  /** Tries that failed, of all outages together. */
  readonly failed: number;
  /** When it was first and last renewed (epoch ms); absent where it never was. */
  readonly firstAt?: number;
  readonly lastAt?: number;
}
