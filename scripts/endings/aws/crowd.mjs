// The crowd of `npm run endings` in AWS: leases of one role end at once, beside sessions and a policy of somebody else. When
// all are past their fence, what agentctl left on the role is swept.
import path from "node:path";
import { control } from "../clouds.mjs";
import { assume, openRole, ROLE } from "./cloud.mjs";

/** Beyond the fence, five minutes after the start, and the five minutes more that a deny stays. */
const LATER_MS = 12 * 60_000;
const LATER = path.join(import.meta.dirname, "../later.cjs");
const FOREIGN = "somebody-elses";
const FOREIGN_POLICY = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::demo" }],
};
const WORDS = ["revoked", "removed", "fenced"];

export async function openCrowd(lab, problems) {
  const { cloud, side } = lab;
  await side.role.put(FOREIGN, FOREIGN_POLICY);
  const strangers = await Promise.all([1, 2, 3].map((number) => assume(ROLE, `somebody-else-${number}`)));
  const expectWork = async (systemClockOffset) => {
    const refusals = await Promise.all(strangers.map((keys) => cloud.refusalOf(keys, systemClockOffset)));
    for (const refusal of refusals)
      if (refusal !== undefined) problems.push(`somebody else's session is harmed: ${refusal}`);
  };
  return {
    what: "leases of one role, ended at once",
    words: WORDS,
    hasRoom: true,
    profileOf: () => "env",
    look: () => expectWork(),
    isWrite: (name) => /^(Get|List|Put|Delete)Role/.test(name),
    /** What was said of a lease, against what its keys could do then and what is on the role. */
    async holdTrue(leases) {
      const onRole = await side.role.names();
      for (const { lease, refusal, word, detail } of leases) {
        const isOnRole = onRole.some((name) => name.endsWith(lease));
        if (word === "revoked" && !cloud.isTakenBack(refusal))
          problems.push(`${lease} is called revoked: ${refusal ?? "its keys work"}`);
        if ((word === "revoked" || word === "removed") && !isOnRole)
          problems.push(`${lease} is ${word}, without a deny`);
        if (word === "fenced" && isOnRole) problems.push(`${lease} is called fenced, and there is a deny: ${detail}`);
        if (!WORDS.includes(word)) problems.push(`${lease} is ${word}: ${detail}`);
      }
    },
    sweep: (leases) => sweepLater(leases, { lab, problems, expectWork }),
    summarise: ({ calls, looks, swept }) =>
      `${calls} IAM calls; 3 sessions of somebody else were looked at ${looks} times meanwhile; ` +
      `past the fence one sweep took ${swept} denies off the role`,
  };
}

/** The sandbox's clock and agentctl's own are set past every fence. Answers how many denies were taken off the role. */
async function sweepLater(leases, { lab, problems, expectWork }) {
  const { cloud } = lab;
  await control("POST", "clock", { offsetMs: LATER_MS });
  for (const { lease, keys } of leases) {
    const refusal = await cloud.refusalOf(keys, LATER_MS);
    if (!cloud.isPast(refusal) && !cloud.isTakenBack(refusal))
      problems.push(`${lease} past its fence: ${refusal ?? "its keys work"}`);
  }
  const role = await openRole(LATER_MS);
  const before = await role.names();
  const later = { NODE_OPTIONS: `--require ${LATER}`, ENDINGS_LATER_MS: String(LATER_MS) };
  const { code, stderr } = await lab.agentctl(["lease", "sweep", "--cloud", "-p", "env"], later);
  if (code !== 0) problems.push(`lease sweep --cloud exits with ${code}: ${stderr.trim()}`);
  const after = await role.names();
  role.close();
  if (after.join() !== FOREIGN) problems.push(`on the role there is, past every fence: ${after}`);
  await expectWork(LATER_MS);
  return before.length - after.length;
}
