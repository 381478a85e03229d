import type { Examination } from "./examination.js";
import type { Finding } from "./finding.js";

/** One thing that doctor looks at. A new check is a file with one of these, and a line in the list. */
export interface Check {
  readonly name: string;
  /**
   * At least one finding. What it throws is a failure of the check, told like any other.
   * @throws {NotTried} when what it rests on is not there
   */
  run(examination: Examination): readonly Finding[] | Promise<readonly Finding[]>;
}
