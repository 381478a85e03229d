import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { clientEnvironment, THREE_CLOUDS } from "./storage-clients.js";
import { skipWithout, writeFiles } from "./tools.js";

const configurationFor = (prefix: string): string => `terraform {
  backend "gcs" {
    bucket = "demo"
    prefix = "${prefix}"
  }
}

resource "terraform_data" "thing" {
  input = "from a test"
}
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(THREE_CLOUDS);
});
afterAll(() => stage.close());

/** A directory with the configuration, and a home with an account that is not to be taken. */
function makeDir(name: string, prefix: string): string {
  const account = { type: "authorized_user", client_id: "a", client_secret: "a", refresh_token: "a" };
  return writeFiles(path.join(stage.dir, name), {
    "main.tf": configurationFor(prefix),
    "home/.config/gcloud/application_default_credentials.json": JSON.stringify(account),
  });
}

function terraform(dir: string, ...args: readonly string[]): Promise<Outcome> {
  const env = {
    ...clientEnvironment(stage.sandbox.caFile),
    GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT: stage.sandbox.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"],
    HOME: path.join(dir, "home"),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  return stage.run(["run", "-p", "three", "--quiet", "--", "terraform", ...args, "-no-color"], { cwd: dir, env });
}

describe("terraform", () => {
  test("keeps its state in Cloud Storage with the lease's token", async ({ skip }) => {
    skipWithout(skip, { tool: "terraform" });
    const dir = makeDir("inside", "reports/terraform");
    const init = await terraform(dir, "init", "-input=false");
    expect(init.stdout, init.stderr).toContain('Successfully configured the backend "gcs"');
    const apply = await terraform(dir, "apply", "-auto-approve", "-input=false");
    expect(apply.stdout, apply.stderr).toContain("Apply complete! Resources: 1 added");
    const shown = await terraform(dir, "show");
    expect(shown.stdout, shown.stderr).toContain('input  = "from a test"');
    expect(stage.sandbox.requests()).toContainEqual(
      expect.objectContaining({ service: "gcs", operation: "storage.objects.insert", status: 200 }),
    );
    expect(fs.readFileSync(path.join(dir, ".terraform/terraform.tfstate"), "utf8")).not.toContain("ya29");
  });

  test("is refused outside the access boundary", async ({ skip }) => {
    skipWithout(skip, { tool: "terraform" });
    const init = await terraform(makeDir("outside", "elsewhere"), "init", "-input=false");
    expect(init).toMatchObject({ code: 1 });
    expect(init.stderr).toMatch(/403: demo@\S+ does not have\s+storage\.objects\.list access/);
  });
});
