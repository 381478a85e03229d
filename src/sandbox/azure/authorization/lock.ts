import type { LockBody } from "./body-schemas.js";

/** A management lock: on a resource id, and what is below it. */
export interface Lock extends Pick<LockBody, "level"> {
  readonly name: string;
  readonly scope: string;
}
