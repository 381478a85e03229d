import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, openStage, type Stage } from "./agentctl.js";
import { type Answer, endLeases, type OpenLease, openLease, PROGRAM } from "./endpoint/open-lease.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(configOf({ all: { ttl: "10m", deliver: "endpoint", aws: AWS, azure: AZURE, gcp: GCP } }));
});
afterAll(async () => {
  await endLeases();
  await stage.close();
});

const onLinux = test.runIf(process.platform === "linux");
const STRANGER = "only the command that agentctl runs may ask, and what it starts: this process is not of it";

function readAnswer(file: string): Answer | undefined {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as Answer) : undefined;
}

/** The child's own variables, as it has written them down for somebody else to read. */
async function readDump(lease: OpenLease): Promise<Readonly<Record<string, string>>> {
  const file = path.join(stage.dir, `dump-${lease.id}`);
  await lease.ask("dump", file);
  return JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, string>;
}

/** A process that this one has started asks with all that the child knows. */
async function askAsStranger(env: Readonly<Record<string, string>>, ...question: readonly string[]): Promise<Answer> {
  const file = path.join(stage.dir, `stranger-${question.join("-")}-${env["AGENTCTL_LEASE_ID"]}`);
  await stage.runIn(process.execPath, [PROGRAM, "once", file, JSON.stringify(question)], { env });
  return readAnswer(file) ?? { status: -2 };
}

const warningFor = (cloud: string): RegExp =>
  new RegExp(
    `^agentctl: warning: the endpoint refused a request for ${cloud} by process \\d+ \\(node\\): ${STRANGER}$`,
  );
const requestsOf = (lease: OpenLease): unknown[] => lease.records("endpoint.refused").map(({ request }) => request);

describe.concurrent("another process of the user, with all that the child knows", () => {
  onLinux("is refused, warned about and put on record, while the child is answered", async () => {
    const lease = await openLease(stage, "all");
    const env = await readDump(lease);
    const strangers = [
      { verb: "aws", status: 403, says: /AccessDenied/ },
      { verb: "azure", status: 403, says: /stranger/ },
      { verb: "gcp", status: 403, says: /agentctl: / },
      { verb: "azd", status: 403, says: /GetTokenError/ },
    ];
    for (const { verb, status, says } of strangers) {
      const [stranger, own] = await Promise.all([askAsStranger(env, verb), lease.ask(verb)]);
      expect(stranger).toEqual({ status, body: expect.stringMatching(says) });
      expect(stranger.body).toContain(STRANGER);
      expect(own).toMatchObject({ status: 200 });
    }
    const { stderr, receipt } = await lease.end();
    // One line and one record for each cloud: azd's was Azure's once more.
    const warnings = stderr.split("\n").filter((line) => line.startsWith("agentctl: warning: "));
    expect(warnings).toEqual(["aws", "azure", "gcp"].map((cloud) => expect.stringMatching(warningFor(cloud))));
    const peer = { pid: expect.any(Number), program: "node" };
    expect(requestsOf(lease)).toEqual(
      ["aws", "azure", "gcp"].map((cloud) => ({ cloud, reason: "stranger", message: STRANGER, peer })),
    );
    expect(receipt.refusals).toBe(strangers.length);
  });

  onLinux("is warned about even where nothing else is to be said", async () => {
    const lease = await openLease(stage, "all", ["--quiet"]);
    await askAsStranger(await readDump(lease), "aws");
    expect((await lease.end()).stderr.split("\n")).toEqual([expect.stringMatching(warningFor("aws")), ""]);
  });

  test("learns nothing without the secret path, nor from a page in a browser", async () => {
    const lease = await openLease(stage, "all");
    const url = new URL((await readDump(lease))["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "");
    const rows = [
      { name: "another path", headers: {}, path: "/v2/credentials", status: 404, reason: "unknown-path" },
      {
        name: "a page",
        headers: { origin: "https://evil.example" },
        path: url.pathname,
        status: 403,
        reason: "browser",
      },
      { name: "a name", headers: { host: "evil.example" }, path: url.pathname, status: 403, reason: "foreign-host" },
    ];
    for (const { headers, path: asked, status } of rows) {
      expect(await get(url.port, asked, headers)).toEqual({ status, body: "" });
    }
    const { stderr } = await lease.end();
    expect(requestsOf(lease)).toEqual(rows.map(({ reason }) => expect.objectContaining({ reason })));
    // A path that is wrong may be a mistake; the other two are somebody's attempt.
    expect(stderr.match(/^agentctl: warning: the endpoint refused a request: .*$/gm)).toHaveLength(2);
  });
});

describe.concurrent("what the child starts", () => {
  test("is answered as the child is, and so is what it has left behind, while the lease lives", async () => {
    const lease = await openLease(stage, "all");
    const [descendant, orphan] = ["descendant", "orphan"].map((name) => path.join(stage.dir, `${name}-${lease.id}`));
    await lease.ask("descendant", descendant ?? "", "aws");
    expect(readAnswer(descendant ?? "")).toMatchObject({ status: 200 });
    await lease.ask("orphan", orphan ?? "", "gcp");
    expect(await eventually(() => readAnswer(orphan ?? ""))).toMatchObject({ status: 200 });
    const { receipt, stderr } = await lease.end();
    expect(receipt).not.toHaveProperty("refusals");
    expect(stderr).not.toContain("warning");
  });
});

function get(port: string, asked: string, headers: http.OutgoingHttpHeaders): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: "127.0.0.1", port, path: asked, headers, agent: false }, (answer) => {
        let body = "";
        answer.on("data", (chunk) => {
          body += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      })
      .on("error", reject);
  });
}
