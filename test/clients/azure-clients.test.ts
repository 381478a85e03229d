import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_CLIENT } from "../../src/sandbox/azure/world.js";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { AZURE_CLIENTS, clientEnvironment, THREE_CLOUDS } from "./storage-clients.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(THREE_CLOUDS);
});
afterAll(() => stage.close());

function run(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const env = { ...clientEnvironment(stage.sandbox.caFile), ...more };
  return stage.run(["run", "-p", "three", "--quiet", "--", ...command], { env });
}

describe("Blob Storage with the lease's token, over TLS", () => {
  test.for(AZURE_CLIENTS)("$name does what the application may, and is refused the rest", async (client, { skip }) => {
    client.skipIfMissing(skip);
    const before = stage.sandbox.requests().length;
    const command = client.command(
      "put:demo/reports/new=some text",
      "get:demo/reports/new",
      "names:demo/reports/",
      "get:other/private.txt",
      "put:other/private.txt=overwritten",
    );
    const outcome = await run(command);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const [put, get, names, ...refused] = outcome.stdout.trim().split("\n");
    expect([put, get]).toEqual(["put: ok", "get: some text"]);
    expect(names).toBe("names: reports/2026/q3.csv reports/new");
    expect(refused).toEqual([expect.stringMatching(client.refused), expect.stringMatching(client.refused)]);
    const asked = stage.sandbox.requests().slice(before);
    const callers = asked.flatMap(({ service, principal }) => (service === "blob" ? [principal] : []));
    expect(new Set(callers)).toEqual(new Set([DEMO_CLIENT]));
  });

  test.for(AZURE_CLIENTS)("$name has nothing left when the token's time is over", async (client, { skip }) => {
    client.skipIfMissing(skip);
    stage.sandbox.clock.setOffset(2 * 3_600_000, "blob");
    try {
      const outcome = await run(client.command("get:demo/hello.txt"));
      expect(outcome.stdout).toMatch(/^get: ! .*\n$/);
      expect(outcome.stdout).toMatch(client.expired);
    } finally {
      stage.sandbox.clock.setOffset(0, "blob");
    }
  });

  test.for(AZURE_CLIENTS)("$name is refused with the lease's token for another resource", async (client, { skip }) => {
    client.skipIfMissing(skip);
    const other = { TOKEN_VARIABLE: "AZURE_ACCESS_TOKEN_MANAGEMENT_AZURE_COM" };
    const outcome = await run(client.command("get:demo/hello.txt"), other);
    expect(outcome.stdout).toMatch(/^get: ! (InvalidAuthenticationInfo|AuthenticationFailed)/);
  });
});
