import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { clientEnvironment, GCP_CLIENTS, THREE_CLOUDS } from "./storage-clients.js";
import { skipWithout } from "./tools.js";

const ACCOUNT = "serviceAccount:demo@agentctl-demo.iam.gserviceaccount.com";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(THREE_CLOUDS);
});
afterAll(() => stage.close());

function run(command: readonly string[]): Promise<Outcome> {
  const env = clientEnvironment(stage.sandbox.caFile);
  return stage.run(["run", "-p", "three", "--quiet", "--", ...command], { env });
}

describe("Cloud Storage with the lease's token, over TLS", () => {
  test.for(GCP_CLIENTS)("$name works within the access boundary and is refused outside", async (client, { skip }) => {
    client.skipIfMissing(skip);
    const before = stage.sandbox.requests().length;
    const command = client.command(
      "put:demo/reports/new=some text",
      "get:demo/reports/new",
      "names:demo/reports/",
      "get:demo/hello.txt",
      "put:demo/hello.txt=overwritten",
      "get:other/private.txt",
    );
    const outcome = await run(command);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const [put, get, names, ...refused] = outcome.stdout.trim().split("\n");
    expect([put, get]).toEqual(["put: ok", "get: some text"]);
    expect(names).toBe("names: reports/2026/q3.csv reports/new");
    expect(refused).toEqual([
      expect.stringMatching(client.refused),
      expect.stringMatching(client.refused),
      expect.stringMatching(client.refused),
    ]);
    const asked = stage.sandbox.requests().slice(before);
    const callers = asked.flatMap(({ service, principal }) => (service === "gcs" ? [principal] : []));
    // The later requests of an upload show its id in the place of a token.
    expect(new Set(callers.filter(Boolean))).toEqual(new Set([ACCOUNT]));
  });

  test.for(GCP_CLIENTS)("$name has nothing left when the token's time is over", async (client, { skip }) => {
    client.skipIfMissing(skip);
    stage.sandbox.clock.setOffset(20 * 60_000, "gcs");
    try {
      const outcome = await run(client.command("get:demo/reports/2026/q3.csv"));
      expect(outcome.stdout).toMatch(/^get: ! .*\n$/);
      expect(outcome.stdout).toMatch(client.expired);
    } finally {
      stage.sandbox.clock.setOffset(0, "gcs");
    }
  });

  test("gcloud has the lease's project, and no account of its own", async ({ skip }) => {
    skipWithout(skip, { tool: "gcloud" });
    const outcome = await run(["sh", "-c", "gcloud auth list && gcloud config get project"]);
    expect(outcome).toMatchObject({ code: 0, stdout: "agentctl-demo\n" });
    expect(outcome.stderr).toContain("No credentialed accounts.");
  });
});
