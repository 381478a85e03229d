import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "../endings/held-run.js";
import { expectNothingAlive } from "../endings/processes.js";
import type { Block } from "../three-clouds.js";
import {
  becomeDemo,
  DEMO_ACCOUNT,
  everyPolicy,
  FOLDER,
  fullName,
  givenTo,
  JIT,
  member,
  ORGANIZATION,
  OTHER_BUCKET,
  openGcpStage,
  oursOn,
  PROJECT,
  profileOf,
  READ,
  readOther,
  tokenOf,
  VIEWER,
} from "./gcp-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const CREATOR = "roles/iam.serviceAccountTokenCreator";

interface Kind {
  readonly name: string;
  readonly resource: string;
  readonly holder: string;
  readonly role: string;
  readonly permission: string;
  /** What the lease's token is answered where the role is wanted. */
  readonly use: (stage: Stage, token: string) => Promise<number>;
}

const KINDS: readonly Kind[] = [
  ...[PROJECT, FOLDER, ORGANIZATION].map((holder) => ({
    name: holder.split("/", 1)[0] ?? "",
    resource: holder,
    holder,
    role: VIEWER,
    permission: READ,
    use: readOther,
  })),
  {
    name: "bucket",
    resource: "buckets/other",
    holder: OTHER_BUCKET,
    role: VIEWER,
    permission: READ,
    use: readOther,
  },
  {
    name: "account",
    resource: DEMO_ACCOUNT.replace("projects/-/", ""),
    holder: DEMO_ACCOUNT,
    role: CREATOR,
    permission: "iam.serviceAccounts.getAccessToken",
    use: becomeDemo,
  },
];

const PROFILES: Readonly<Record<string, Block>> = {
  ...Object.fromEntries(
    KINDS.map(({ name, resource, role, permission }) => [
      name,
      profileOf(givenTo(JIT, [{ role, resource }], { permissions: [permission] })),
    ]),
  ),
  several: profileOf(
    givenTo(
      JIT,
      [
        { role: VIEWER, resource: "buckets/other" },
        { role: "roles/storage.objectCreator", resource: "buckets/other" },
        { role: "roles/logging.viewer", resource: PROJECT },
      ],
      { permissions: [READ, "storage.objects.create"], at: "buckets/other" },
    ),
  ),
  federated: profileOf(
    givenTo(
      Object.fromEntries(Object.entries(JIT).filter(([key]) => key !== "service_account")),
      [{ role: VIEWER, resource: "buckets/other" }],
      { permissions: [READ] },
    ),
  ),
};

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage(PROFILES);
  for (const { holder } of KINDS) {
    // Somebody else's, of the same role to the same member; one of them is nearly called as ours are.
    for (const title of ["until 2030", "agentctl-of-somebody-else"]) {
      const condition = { title, expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' };
      const role = KINDS.find((kind) => kind.holder === holder)?.role ?? "";
      stage.sandbox.gcp.changePolicy(holder, (all) => [...all, { role, members: [member("jit")], condition }]);
    }
  }
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

describe("a role that is given on", () => {
  test.each(KINDS)("a $name: works while the command runs, and is taken back at its end", async (kind) => {
    const { name, holder, role, permission, use } = kind;
    const before = everyPolicy(stage);
    const run = await startHeld(stage, name);
    const token = tokenOf(run);
    expect(await use(stage, token)).toBe(200);
    const [ours, ...more] = oursOn(stage, holder);
    expect(more).toEqual([]);
    const end = /^agentctl-(l-\w{16})-(\d{10})$/.exec(ours?.condition?.title ?? "");
    expect(end?.[1]).toBe(run.id);
    const endsAt = new Date(Number(end?.[2]) * 1000).toISOString().replace(".000Z", "Z");
    expect(ours).toEqual({
      role,
      members: [member("jit")],
      condition: {
        title: `agentctl-${run.id}-${end?.[2]}`,
        description: `agentctl, lease ${run.id} of profile ${name}`,
        expression: `request.time < timestamp("${endsAt}")`,
      },
    });
    // What bounds it is later than the lease's end, and not by more than was waited at the most.
    const deadlineAt = run.entry()?.deadlineAt ?? 0;
    expect(Number(end?.[2]) * 1000).toBeGreaterThanOrEqual(deadlineAt);
    expect(Number(end?.[2]) * 1000).toBeLessThan(deadlineAt + 31_000);

    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0, stdout: "" });
    expect(everyPolicy(stage)).toEqual(before);
    expect(await use(stage, token)).toBe(403);
    const [ending] = run.receipt().endings;
    expect(ending).toMatchObject({ cloud: "gcp", word: "revoked" });
    expect(ending).not.toHaveProperty("shortfall");
    expect(ending?.detail).toMatch(
      new RegExp(
        `^its bindings are off ${fullName(holder)}; .* stopped granting ${permission} to the lease's own token`,
      ),
    );
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });

  test("several resources: each is written once, and all of it is taken back", async () => {
    const before = everyPolicy(stage);
    const run = await startHeld(stage, "several");
    expect(
      oursOn(stage, OTHER_BUCKET, run.id)
        .map(({ role }) => role)
        .sort(),
    ).toEqual(["roles/storage.objectCreator", VIEWER]);
    expect(oursOn(stage, PROJECT, run.id)).toMatchObject([{ role: "roles/logging.viewer" }]);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.receipt().endings).toMatchObject([{ word: "revoked" }]);
    const texts = run.receipt().endings[0]?.steps?.map(({ text }) => text) ?? [];
    expect(texts.some((text) => text.startsWith(`took 2 of its bindings off ${fullName(OTHER_BUCKET)}`))).toBe(true);
    expect(texts.some((text) => text.startsWith(`took 1 of its bindings off ${fullName(PROJECT)}`))).toBe(true);
  });

  test("a federated identity, with no service account of its own", async () => {
    const run = await startHeld(stage, "federated");
    expect(oursOn(stage, OTHER_BUCKET, run.id)[0]?.members).toEqual([
      expect.stringMatching(
        /^principal:\/\/iam\.googleapis\.com\/\S+\/subject\/repo:acme\/site:ref:refs\/heads\/main$/,
      ),
    ]);
    expect(await readOther(stage, tokenOf(run))).toBe(200);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
    expect(await readOther(stage, tokenOf(run))).toBe(403);
  });
});
