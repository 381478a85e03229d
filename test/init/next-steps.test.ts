import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Runtime } from "../../src/core/runtime.js";
import { runInit } from "../../src/init/index.js";
import { explainFurther } from "../../src/init/next-steps.js";
import { makeScratch, ROLE, requestOf, runtimeIn, type Scratch } from "./scratch.js";

const AWS = { clouds: ["aws"], values: { role_arn: ROLE } } as const;
const GITHUB_JOB = ".github/workflows/agentctl.yml";

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.remove());

const init = (request: Parameters<typeof requestOf>[0], overrides: Partial<Runtime> = {}) =>
  runInit(requestOf(request), runtimeIn(scratch.dir, overrides));

describe("what is to be done next", () => {
  const SETUP = "agentctl setup aws -p deploy";
  const DOCTOR = "agentctl doctor -p deploy";
  const env = (name: string) => ({ env: { AGENTCTL_CONFIG: path.join(scratch.dir, name) } });

  test("a variable that names another configuration first, since the rest fails with it", async () => {
    const { next } = await init({ ...AWS, ci: "github" }, env("other.yaml"));
    expect(next).toEqual([
      `unset AGENTCTL_CONFIG, which names ${scratch.dir}/other.yaml`,
      expect.stringContaining("tools/agentctl-1.2.3.tgz"),
      SETUP,
      DOCTOR,
    ]);
    expect((await init({ ...AWS, ci: "none", force: true }, env("agentctl.yaml"))).next).toEqual([SETUP, DOCTOR]);
  });

  test.each([
    { clouds: ["aws"], want: "aws.revoker:" },
    { clouds: ["azure", "gcp"], want: "azure.granter, azure.assignments, gcp.granter, gcp.bindings, gcp.entitlement:" },
  ] as const)("besides what nothing was asked about, and where to read of it: $clouds", ({ clouds, want }) => {
    expect(explainFurther({ clouds })).toMatch(new RegExp(`^nothing was asked about ${want} .* agentctl help config`));
  });

  test("not the package, where it is in its place", async () => {
    scratch.put("tools/agentctl-1.2.3.tgz", "");
    expect((await init({ ...AWS, ci: "github" })).next).toEqual([SETUP, DOCTOR]);
  });

  test.each([
    { name: "of another name", configPath: "x.yaml", here: "x.yaml", inRoot: "x.yaml" },
    {
      name: "out of the search's way",
      configPath: "etc/agentctl.yaml",
      here: "etc/agentctl.yaml",
      inRoot: "etc/agentctl.yaml",
    },
    { name: "found from here alone", cwd: "etc", configPath: "agentctl.yaml", here: "", inRoot: "etc/agentctl.yaml" },
    {
      name: "with anything in its name",
      configPath: "it's: #1.yaml",
      here: "'it'\\''s: #1.yaml'",
      inRoot: "'it'\\''s: #1.yaml'",
    },
    { name: "where it belongs", cwd: "etc", configPath: "../agentctl.yaml", here: "", inRoot: "" },
    { name: "that a variable names", configPath: "x.yaml", variable: "x.yaml", here: "", inRoot: "x.yaml" },
    {
      name: "hidden by a nearer one",
      cwd: "near",
      configPath: "../agentctl.yaml",
      here: "DIR/agentctl.yaml",
      inRoot: "",
    },
  ])(
    "a file $name: whether it is named, here and in the job",
    async ({ cwd = "", configPath, variable, here, inRoot }) => {
      scratch.put(".git/HEAD", "ref: refs/heads/main\n");
      scratch.put("etc/file", "");
      scratch.put("near/agentctl.yaml", "version: 1\n");
      const option = (file: string) => (file === "" ? "" : ` --config ${file.replace("DIR", scratch.dir)}`);
      const overrides = { cwd: path.join(scratch.dir, cwd), ...(variable !== undefined && env(variable)) };
      const { next, written } = await init({ ...AWS, ci: "github", configPath }, overrides);
      expect(next.slice(-2)).toEqual([`${SETUP}${option(here)}`, `${DOCTOR}${option(here)}`]);
      const runs = parse(scratch.read(GITHUB_JOB)).jobs.agentctl.steps.flatMap(
        (step: { run?: string }) => step.run ?? [],
      );
      expect(runs.slice(-3)).toEqual([
        `${DOCTOR}${option(inRoot)}`,
        `exec agentctl run -p deploy${option(inRoot)} --receipt lease.json -- aws sts get-caller-identity`,
        "agentctl lease sweep",
      ]);
      expect(fs.readFileSync(written[0] ?? "", "utf8")).toContain(`agentctl profile lint${option(inRoot)}\n`);
    },
  );
});
