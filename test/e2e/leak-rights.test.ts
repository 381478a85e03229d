import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { poll } from "../run/harness.js";
import { eventually } from "./agentctl.js";
import { readEntry } from "./endings/ledger-view.js";
import { findProcesses } from "./endings/processes.js";
import { type Answer, endLeases, type OpenLease, openLease } from "./endpoint/open-lease.js";
import {
  AZURE_GRANTER,
  AZURE_JIT,
  AZURE_SERVED,
  GOOGLE_GRANTER,
  GOOGLE_JIT,
  HAS_PEER_CHECK,
  openRightsLeakStage,
  type RightsLeakStage,
  readProcess,
} from "./leak/rights-stage.js";
import { startWaiting, type WaitingRun } from "./rights/stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let rights: RightsLeakStage;
beforeAll(async () => {
  rights = await openRightsLeakStage();
});
afterEach(() => rights.forget());
afterAll(async () => {
  await endLeases();
  await rights.close();
});

/** In what agentctl and its companions print, write and are started with. */
function findLeaks(run: WaitingRun, ...told: readonly string[]): readonly string[] {
  const { leak } = rights;
  return [...leak.findLeaks({ stdout: told.join("\n"), stderr: run.stderr() }), ...leak.findInCommandLines()];
}

/** What is told of a lease, while it is as it is. */
async function tell(id: string): Promise<string> {
  const { leak, env } = rights;
  const asked = [
    ["lease", "show", id],
    ["lease", "list", "--json"],
  ];
  const told = await Promise.all(asked.map((args) => leak.stage.run(args, { env })));
  return told.map(({ stdout, stderr }) => stdout + stderr).join("\n");
}

/** The owners of the tokens, of each as many times as it was given one. */
function ownersOf(found: readonly string[]): readonly string[] {
  return found.map((each) => each.replace(/^token \d+, of (.*) in .*$/, "$1")).sort();
}

test("of the tokens by which rights are given the command sees none, and nobody else any, from the first to the last", async () => {
  const { leak, clouds, env } = rights;
  const { stage } = leak;
  stage.sandbox.gcp.setPropagation(600_000, "gcs");
  const dump = path.join(leak.outside, "both");
  // All that it can read of its own: variables, the lease's files, open files and command line.
  const script =
    'd=$(dirname "$AWS_CONFIG_FILE"); { env; find "$d" -type f -exec cat {} +; ls -l /proc/$$/fd; tr "\\0" " " </proc/$PPID/cmdline; } >"$1.new" 2>/dev/null; mv "$1.new" "$1"; read -r _; exit 0';
  const run = await startWaiting(stage, "both", { env, command: ["sh", "-c", script, "sh", dump] });
  await eventually(() => clouds.issued().filter((owner) => owner === GOOGLE_JIT).length > 0);
  expect(readEntry(stage, run.id)).toMatchObject({ state: "issuing" });
  expect(findLeaks(run, await tell(run.id))).toEqual([]);

  stage.sandbox.gcp.setPropagation(0, "gcs");
  await eventually(() => fs.existsSync(dump));
  const given = ownersOf(clouds.tokens.find("the child", fs.readFileSync(dump, "latin1")));
  expect(given).toEqual([`${AZURE_JIT} for https://storage.azure.com/.default`, GOOGLE_JIT].sort());
  // That there was something to be found.
  const issued = clouds.issued();
  for (const owner of [AZURE_GRANTER, AZURE_JIT])
    expect(issued).toContain(`${owner} for https://management.azure.com/.default`);
  for (const owner of [GOOGLE_GRANTER, "the federation"]) expect(issued).toContain(owner);
  expect(readEntry(stage, run.id)).toMatchObject({ state: "running" });
  expect(findLeaks(run, await tell(run.id))).toEqual([]);

  let goOn = (): void => {};
  const isHeld = new Promise<void>((resolve) => {
    clouds.intercept(async ({ method, path: asked }) => {
      if (method === "PUT" && asked.startsWith("/storage/v1/b/other/iam")) {
        resolve();
        await new Promise<void>((go) => {
          goOn = go;
        });
      }
      return undefined;
    });
  });
  run.agentctl.stdin?.end();
  await isHeld;
  expect(readEntry(stage, run.id)).toMatchObject({ state: "ending" });
  expect(findLeaks(run, await tell(run.id))).toEqual([]);
  clouds.intercept();
  goOn();

  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  expect(run.receipt().endings).toMatchObject([
    { cloud: "azure", word: "expires", isUnfinished: true },
    { cloud: "gcp", word: "revoked" },
  ]);
  expect(findLeaks(run, await tell(run.id))).toEqual([]);
  const [successor = 0] = await poll(() => {
    const found = findProcesses(run.id);
    return found.length === 1 && found;
  }, "the successor alone");
  expect(findLeaks(run)).toEqual([]);
  if (process.platform !== "linux") return;
  const waiting = readProcess(successor);
  expect(clouds.tokens.find("the successor", JSON.stringify(waiting))).toEqual([]);
  const own: Readonly<Record<string, string | undefined>> = { ...stage.env, ...env };
  const added = Object.keys(waiting.env).filter((name) => own[name] !== waiting.env[name]);
  // A shell's own.
  expect(added.filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name))).toEqual([]);
  expect(waiting.files.filter((file) => file !== "/dev/null" && !/^(anon_inode|pipe|socket):/.test(file))).toEqual([]);
});

/** Who is asked for in the place of the lease's own principals, in each place where a question could name one. */
function asGranter(child: Readonly<Record<string, string>>): readonly (readonly [string, object])[] {
  const azure = { headers: { "x-identity-header": child["IDENTITY_HEADER"] } };
  const resource = "https%3A%2F%2Fstorage.azure.com";
  const identity = `${child["IDENTITY_ENDPOINT"]}?api-version=2019-08-01`;
  const terraform = `${child["ARM_MSI_ENDPOINT"]}?api-version=2018-02-01`;
  const google = { headers: { "metadata-flavor": "Google" } };
  const accounts = `http://${child["GCE_METADATA_HOST"]}/computeMetadata/v1/instance/service-accounts`;
  return [
    ...["client_id", "clientid", "object_id", "msi_res_id"].map(
      (name) => [`${identity}&resource=${resource}&${name}=${AZURE_GRANTER}`, azure] as const,
    ),
    // By its own principal, what the lease is not for: with that it could look at what it was given, and by whom.
    [`${identity}&resource=https%3A%2F%2Fmanagement.azure.com`, azure],
    [`${terraform}&resource=${resource}&client_id=${AZURE_GRANTER}`, { headers: { metadata: "true" } }],
    [`${terraform}&resource=https%3A%2F%2Fmanagement.azure.com`, { headers: { metadata: "true" } }],
    ...[GOOGLE_GRANTER, encodeURIComponent(GOOGLE_GRANTER), `default/../${GOOGLE_GRANTER}`].map(
      (account) => [`${accounts}/${account}/token`, google] as const,
    ),
    [`${accounts}/?recursive=true`, google],
  ];
}

/** Google's credentials file, of which a command could change what it likes. */
async function exchangeAsGranter(
  ask: OpenLease["ask"],
  child: Readonly<Record<string, string>>,
): Promise<readonly Answer[]> {
  const { audience, subject_token_type, token_url, credential_source } = JSON.parse(
    fs.readFileSync(child["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", "utf8"),
  );
  const subject = await ask("raw", credential_source.url, { headers: credential_source.headers });
  expect(subject.status).toBe(200);
  const json = { "content-type": "application/json" };
  const form = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: subject.body ?? "",
    subject_token_type,
  };
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const exchange = (changes: Readonly<Record<string, string>>) =>
    ask("raw", token_url, {
      method: "POST",
      headers,
      body: new URLSearchParams({ ...form, audience, ...changes }).toString(),
    });
  const scope = ["https://www.googleapis.com/auth/cloud-platform"];
  const impersonation = new URL(`/v1/projects/-/serviceAccounts/${GOOGLE_GRANTER}:generateAccessToken`, token_url).href;
  return [
    subject,
    await exchange({ audience: `//iam.googleapis.com/projects/-/serviceAccounts/${GOOGLE_GRANTER}` }),
    await exchange({ service_account: GOOGLE_GRANTER, subject: GOOGLE_GRANTER }),
    await ask("raw", impersonation, {
      method: "POST",
      headers: { ...json, authorization: `Bearer ${subject.body}` },
      body: JSON.stringify({ scope }),
    }),
  ];
}

test("the endpoint hands the granters' tokens to nobody, however it is asked, and none but for the lease's scopes", async () => {
  const { leak, clouds, env } = rights;
  const lease = await openLease(leak.stage, "served", [], { env });
  const child = await lease.ask<Record<string, string>>("env");
  const find = (answer: unknown) => ownersOf(clouds.tokens.find("an answer", JSON.stringify(answer)));
  const storage = `${AZURE_SERVED} for https://storage.azure.com/.default`;
  const files = await lease.ask("files");
  expect(find([child, files])).toEqual([GOOGLE_JIT]);
  // That there is something to be had.
  expect(find(await lease.ask("azure", "https://storage.azure.com"))).toEqual([storage]);
  if (HAS_PEER_CHECK) expect(find(await lease.ask("metadata"))).toEqual([GOOGLE_JIT]);
  expect(find(await lease.ask("gcp"))).toEqual([GOOGLE_JIT]);

  const answers: unknown[] = [...(await exchangeAsGranter(lease.ask, child))];
  for (const [url, request] of asGranter(child)) answers.push(await lease.ask("raw", url, request));
  for (const scope of ["https://management.azure.com/.default", `api://${AZURE_GRANTER}/.default`])
    answers.push(await lease.ask("azd", scope));
  const own = [storage, GOOGLE_JIT];
  expect(
    answers.flatMap(find).filter((owner) => !own.includes(owner)),
    JSON.stringify(answers),
  ).toEqual([]);
  expect(clouds.issued()).toContain(GOOGLE_GRANTER);

  expect(await lease.end(), lease.stderr()).toMatchObject({ code: 0 });
  expect(leak.findLeaks({ stdout: "", stderr: lease.stderr() })).toEqual([]);
});
