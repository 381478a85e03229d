import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "../e2e/agentctl.js";
import { type Azurite, startAzurite } from "./azurite.js";
import { skipWithoutPackage } from "./npm-clients.js";
import { clientEnvironment, THREE_CLOUDS } from "./storage-clients.js";
import { program } from "./tools.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(THREE_CLOUDS);
});
afterAll(() => stage.close());

/** Runs @azure/storage-blob against azurite, with the token that a variable of the lease has. */
async function runTasks({ url, caPem }: Azurite, variable: string, ...tasks: readonly string[]): Promise<string[]> {
  const { caFile } = stage.sandbox;
  const both = stage.writeFile("authorities.pem", `${fs.readFileSync(caFile, "utf8")}${caPem}`);
  const env = { ...clientEnvironment(caFile), NODE_EXTRA_CA_CERTS: both, BLOB_URL: url, TOKEN_VARIABLE: variable };
  const command = [process.execPath, program("azure-tasks.cjs"), ...tasks];
  const outcome = await stage.run(["run", "-p", "three", "--quiet", "--", ...command], { env });
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return outcome.stdout.trim().split("\n");
}

describe("azurite, over TLS, with @azure/storage-blob", () => {
  test("takes the lease's token for Blob Storage, and none for another resource", async ({ skip, onTestFinished }) => {
    skipWithoutPackage(skip, "azurite");
    skipWithoutPackage(skip, "@azure/storage-blob");
    const azurite = await startAzurite();
    onTestFinished(() => azurite.close());
    const tasks = ["make:demo/", "put:demo/reports/new=some text", "get:demo/reports/new", "names:demo/reports/"];
    const did = await runTasks(azurite, "AZURE_ACCESS_TOKEN", ...tasks);
    expect(did).toEqual(["make: ok", "put: ok", "get: some text", "names: reports/new"]);
    const refused = await runTasks(azurite, "AZURE_ACCESS_TOKEN_MANAGEMENT_AZURE_COM", "get:demo/reports/new");
    expect(refused).toEqual([expect.stringMatching(/^get: ! AuthenticationFailed: /)]);
  });
});
