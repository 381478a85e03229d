import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { examine } from "../../src/doctor/examination.js";
import { makeProject, runtimeIn } from "./examination.js";

const ROLE = "arn:aws:iam::111122223333:role/deploy";
const REVOKER = "arn:aws:iam::111122223333:role/revoker";

let dir: string;
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

describe("the lease that is tried", () => {
  test.each([
    { name: "as strictly as can be where there is a revoker", revoke: "auto", revoker: true, want: "required" },
    { name: "as it is where that is required", revoke: "required", revoker: true, want: "required" },
    { name: "without it where nothing is taken back", revoke: "none", revoker: true, want: "none" },
    { name: "as it is where nobody would take it back", revoke: "auto", revoker: false, want: "auto" },
  ])("is $name", async ({ revoke, revoker, want }) => {
    const block = revoker ? `, revoker: { role_arn: "${REVOKER}" }` : "";
    dir = makeProject(
      `version: 1\nprofiles:\n  deploy: { revoke: ${revoke}, aws: { role_arn: "${ROLE}", region: eu-central-1${block} } }\n`,
    );
    const trial = await examine({ profileName: "deploy" }, runtimeIn(dir)).trial();
    expect(trial.revoke).toBe(revoke);
    expect(trial.profile.revoke).toBe(want);
    expect(trial.plans[0]?.facts["revoker"]).toBe(want === "required" ? REVOKER : undefined);
  });
});
