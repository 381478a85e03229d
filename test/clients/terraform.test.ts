import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { skipWithout, writeFiles } from "./tools.js";

const CONFIGURATION = `terraform {
  backend "s3" {
    bucket         = "demo"
    key            = "terraform/state"
    region         = "us-east-1"
    use_path_style = true
    use_lockfile   = true
  }
}

resource "terraform_data" "thing" {
  input = "from a test"
}
`;

let stage: Stage;
let dir: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(DEMO_PROFILE);
  dir = writeFiles(path.join(stage.dir, "terraform"), {
    "main.tf": CONFIGURATION,
    // A profile that is not to be taken.
    "home/.aws/credentials": "[default]\naws_access_key_id = AKIAAMBIENTAMBIENT00\naws_secret_access_key = ambient\n",
  });
});
afterAll(() => stage.close());

function terraform(...args: readonly string[]): Promise<Outcome> {
  const env = { HOME: path.join(dir, "home"), CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  return stage.run(["run", "-p", "demo", "--quiet", "--", "terraform", ...args, "-no-color"], { cwd: dir, env });
}

describe("terraform", () => {
  test("keeps its state in S3 with the lease's keys", async ({ skip }) => {
    skipWithout(skip, { tool: "terraform" });
    const init = await terraform("init", "-input=false");
    expect(init.stdout, init.stderr).toContain('Successfully configured the backend "s3"');
    const apply = await terraform("apply", "-auto-approve", "-input=false");
    expect(apply.stdout, apply.stderr).toContain("Apply complete! Resources: 1 added");
    const shown = await terraform("show");
    expect(shown.stdout, shown.stderr).toContain('input  = "from a test"');
    expect(stage.sandbox.requests()).toContainEqual(
      expect.objectContaining({ service: "s3", operation: "PutObject", status: 200 }),
    );
  });
});
