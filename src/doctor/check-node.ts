import { versions } from "node:process";
import type { Check } from "./check.js";
import { type Finding, fail, note, ok } from "./finding.js";

const OLDEST = 20;
const TESTED: readonly number[] = [20, 22, 24];

export const checkNode: Check = {
  name: "node",
  run: () => [judgeNode(versions.node)],
};

export function judgeNode(version: string): Finding {
  const major = Number.parseInt(version, 10);
  if (major < OLDEST) {
    return fail("PLATFORM", `Node ${version} is too old`, `install Node ${OLDEST} or later`);
  }
  if (TESTED.includes(major)) return ok(`Node ${version}`, { version });
  return note(`Node ${version}, with which agentctl is not tested; it is with ${TESTED.join(", ")}`);
}
