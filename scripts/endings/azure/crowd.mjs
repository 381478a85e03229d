// The crowd of `npm run endings` in Azure: leases of one scope, of which two at a time have an application of the pool.
import { control } from "../clouds.mjs";

const WORDS = ["revoked", "removed"];

export async function openCrowd(lab, problems) {
  const { cloud, side } = lab;
  const before = await side.left();
  let most = 0;
  problems.push(...before);
  return {
    what: "leases of one scope at once, by a pool of two applications",
    words: WORDS,
    hasRoom: false,
    profileOf: () => "pool",
    async look() {
      const { roleAssignments } = await control("GET", "azure");
      const holders = roleAssignments.filter(
        ({ scope, schedule }) => schedule !== undefined && !/\/resourceGroups\//.test(scope),
      );
      most = Math.max(most, holders.length);
      if (holders.length > 2) problems.push(`${holders.length} applications of a pool of two hold it`);
    },
    isWrite: (name) => name.startsWith("PUT "),
    /** What was said of a lease, against what its tokens could do then: another lease may have the same right by then. */
    async holdTrue(leases) {
      for (const { lease, word, detail } of leases)
        if (!WORDS.includes(word)) problems.push(`${lease} is ${word}: ${detail}`);
      problems.push(...(await side.left()));
    },
    async sweep(leases) {
      for (const { lease, keys } of leases) {
        const refusal = keys === undefined ? "403: AuthorizationFailed" : await cloud.refusalOf(keys);
        if (!cloud.isTakenBack(refusal)) problems.push(`${lease}: ${refusal ?? "its tokens work after all"}`);
      }
    },
    summarise: ({ calls, looks }) =>
      `${calls} requests for assignments and removals; at no time of ${looks} looks did more than ${most} leases hold the scope`,
  };
}
