import { verifyLog } from "../audit/index.js";
import type { Check } from "./check.js";
import { fail, ok } from "./finding.js";

export const checkAudit: Check = {
  name: "audit",
  async run({ runtime }) {
    const { problem, records, head } = await verifyLog({}, runtime);
    if (problem !== undefined) {
      const message = `the chain of the audit log breaks at line ${problem.line}: ${problem.what}`;
      return [
        fail("AUDIT_BROKEN", message, "agentctl audit verify; keep the file under another name, and a new log begins"),
      ];
    }
    if (records === 0) return [ok("the audit log has no record yet", { records })];
    return [
      ok(`the audit log's ${records} ${records === 1 ? "record holds" : "records hold"} together`, { records, head }),
    ];
  },
};
