// The crowd of `npm run endings` in Google Cloud: leases that are given roles in one project's policy, and give them back,
// all at once, while somebody else keeps changing that policy.
import { control } from "../clouds.mjs";
import { HOLDER, MEMBER } from "./cloud.mjs";

const WORDS = ["revoked", "removed"];
const ROLE = "roles/monitoring.viewer";
/** So many members of somebody else's stay; the oldest goes when another comes. */
const MOST = 20;
/** Between two of somebody else's writes there is this much rest, in which one of ours can come through. */
const REST_MS = 50;
const EXPIRED = "agentctl-l-0000000000000000-1600000000";

export async function openCrowd(lab, problems) {
  const { cloud, side } = lab;
  const writer = startWriter();
  return {
    what: "leases of one policy at once, which somebody else keeps changing",
    words: WORDS,
    hasRoom: true,
    // Google takes twenty bindings with one role and member.
    profileOf: (number) => ["one-role", "another-role"][number % 2],
    look: async () => problems.push(...(await writer.lost())),
    isWrite: (name) => name.startsWith("setIamPolicy"),
    async holdTrue(leases) {
      const writes = await writer.stop();
      problems.push(...(await writer.lost()));
      await writer.clear();
      for (const { lease, word, detail, refusal } of leases) {
        if (!WORDS.includes(word)) problems.push(`${lease} is ${word}: ${detail}`);
        // Nobody is given the roles any more when the first lease ends.
        if (word === "revoked" && !cloud.isTakenBack(refusal))
          problems.push(`${lease} is called revoked: ${refusal ?? "its token works"}`);
      }
      return writes;
    },
    async sweep(leases) {
      for (const { lease, keys } of leases) {
        const refusal = keys === undefined ? "403" : await cloud.refusalOf(keys);
        if (keys !== undefined && !cloud.isTakenBack(refusal))
          problems.push(`${lease}: ${refusal ?? "its token works after all"}`);
      }
      return sweepExpired({ lab, side, problems });
    },
    summarise: ({ calls, looks, swept, told }) =>
      `${calls} writes of ours and ${told} of somebody else's, of which nothing was lost in ${looks} looks; ` +
      `afterwards one sweep took ${swept} binding that had ended off the policy`,
  };
}

/** What a lease left behind that nobody remembers. Answers how many were taken off. */
async function sweepExpired({ lab, side, problems }) {
  const expression = 'request.time < timestamp("2020-09-13T12:26:40Z")';
  const orphan = { role: "roles/storage.objectViewer", members: [MEMBER], condition: { title: EXPIRED, expression } };
  await control("POST", "gcp-policy", { holder: HOLDER, add: [orphan] });
  const before = (await side.left()).length;
  const { code, stderr } = await lab.agentctl(["lease", "sweep", "--cloud", "-p", "one-role"]);
  if (code !== 0) problems.push(`lease sweep --cloud exits with ${code}: ${stderr.trim()}`);
  const left = await side.left();
  problems.push(...left);
  return before - left.length;
}

function startWriter() {
  const own = [];
  let [writes, isOver] = [0, false];
  const change = async (how, member) => {
    await control("POST", "gcp-policy", { holder: HOLDER, [how]: [{ role: ROLE, members: [member] }] });
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
  };
  const writing = (async () => {
    for (; !isOver; writes += 1) {
      const added = `user:somebody-${writes}@example.com`;
      await change("add", added);
      own.push(added);
      if (own.length > MOST) await change("remove", own.shift());
    }
  })();
  return {
    async lost() {
      const expected = [...own];
      const { policies } = await control("GET", "gcp");
      const members = policies[HOLDER].bindings
        .filter(({ role }) => role === ROLE)
        .flatMap((binding) => binding.members);
      // What it took away itself meanwhile is not lost.
      return expected
        .filter((member) => own.includes(member) && !members.includes(member))
        .map((member) => `somebody else's ${member} is lost`);
    },
    async stop() {
      isOver = true;
      await writing;
      return writes;
    },
    async clear() {
      for (const member of own.splice(0)) await change("remove", member);
    },
  };
}
