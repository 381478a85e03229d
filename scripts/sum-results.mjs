// Adds up vitest's JSON reports and the gate's own checks into its closing line.
//   node scripts/sum-results.mjs REPORT_DIR CHECKS_PASSED CHECKS_FAILED
import fs from "node:fs";
import path from "node:path";

const [dir, checksPassed, checksFailed] = process.argv.slice(2);
const total = { passed: Number(checksPassed), failed: Number(checksFailed), skipped: 0 };
for (const name of fs.readdirSync(dir)) {
  const report = JSON.parse(fs.readFileSync(path.join(dir, name), "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exit(total.failed === 0 ? 0 : 1);
