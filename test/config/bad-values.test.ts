import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

/** A file with one profile `p`, in which `line` stands at line 5, column 7. */
const inAws = (line: string) => `version: 1\nprofiles:\n  p:\n    aws:\n      ${line}\n`;
const inProfile = (line: string) => `version: 1\nprofiles:\n  p:\n    ${line}\n    aws: { role_arn: ${ROLE} }\n`;

const PROVIDER = "projects/1/locations/global/workloadIdentityPools/pool/providers/github";
const inGcp = (line: string) =>
  `version: 1\nprofiles:\n  p:\n    gcp:\n      workload_identity_provider: ${PROVIDER}\n      ${line}\n`;

/** What it is, the file, the line and column of the complaint, and its words. */
type Row = readonly [name: string, text: string | Uint8Array, at: string, says: RegExp];

const rows: readonly Row[] = [
  ["nothing in it", "", "1:1", /empty/],
  ["only a comment", "# later\n", "1:1", /empty/],
  ["bytes that are not UTF-8", Uint8Array.of(0x76, 0xff, 0xfe), " cannot", /UTF-8/],
  ["more than a mebibyte", `# ${"x".repeat(1024 * 1024)}`, " cannot", /1024 KiB/],
  ["a list", "- version: 1\n", "1:1", /must be a map of keys and values, not a list/],
  ["no version", "profiles: {}\n", "1:1", /version: is missing/],
  ["another version", "version: 2\nprofiles: {}\n", "1:10", /must be 1/],
  ["no profiles", "version: 1\n", "1:1", /profiles: is missing/],
  ["a profile with a bad name", "version: 1\nprofiles:\n  -p: {}\n", "3:3", /"-p" is not a profile name/],
  ["an empty profile", "version: 1\nprofiles:\n  p:\n", "3:5", /profiles\.p: is empty/],
  ["a key that only the user's file has", "version: 1\nprofiles: {}\nenv: {}\n", "3:1", /unknown key/],
  [
    "sinks in a project's file",
    "version: 1\nprofiles: {}\naudit: { sinks: [stderr] }\n",
    "3:10",
    /audit\.sinks: unknown key/,
  ],
  ["no cloud", "version: 1\nprofiles:\n  p: { ttl: 1h }\n", "3:3", /names no cloud/],
  ["an unknown key", inProfile("comands: [ls]"), "4:5", /profiles\.p\.comands: unknown key; did you mean "commands"\?/],
  ["a key of a later release", inProfile("delegates: [ls]"), "4:5", /unknown key/],
  ["another word for taking back", inProfile("revoke: always"), "4:13", /must be one of auto, required, none/],
  ["a number as ttl", inProfile("ttl: 3600"), "4:10", /no unit/],
  ["a ttl that is none", inProfile("ttl: soon"), "4:10", /"soon" is not a duration/],
  ["a ttl of nothing", inProfile("ttl: 0s"), "4:10", /not a duration/],
  ["a ttl that is too long", inProfile("ttl: 12h1s"), "4:10", /longer than 12h/],
  ["a ttl without a value", inProfile("ttl:"), "4:9", /ttl: is empty/],
  ["another word", inProfile("on_expiry: stopp"), "4:16", /must be one of warn, stop; did you mean "stop"/],
  ["another delivery", inProfile("deliver: endpont"), "4:14", /one of auto, env, endpoint; did you mean "endpoint"/],
  ["a credential_ttl that is too short", inProfile("credential_ttl: 4s"), "4:21", /shorter than 5s/],
  ["a credential_ttl that is too long", inProfile("credential_ttl: 13h"), "4:21", /longer than 12h/],
  ["another check", inProfile("peer_check: on"), "4:17", /must be one of auto, require, off/],
  ["a yes for a metadata server", inGcp("metadata: yes"), "6:17", /metadata: must be true or false/],
  [
    "a metadata server for everyone",
    inGcp("metadata: true"),
    "6:17",
    /profiles\.p\.gcp\.metadata: needs peer_check: require, and here it is auto/,
  ],
  [
    "a metadata server of a parent",
    inGcp("metadata: true").replace("  p:", "  p: { extends: base, peer_check: auto }\n  base:"),
    "7:17",
    /profiles\.base\.gcp\.metadata: needs peer_check: require/,
  ],
  ["nobody as actors", inProfile("actors: []"), "4:13", /empty list/],
  [
    "an unknown actor",
    inProfile("actors: [human, agnet]"),
    "4:21",
    /actors\[1\]: must be one of .* did you mean "agent"/,
  ],
  ["no commands", inProfile("commands: []"), "4:15", /empty list/],
  ["one command that is no list", inProfile("commands: aws s3 ls"), "4:15", /must be a list, not text/],
  ["a blank command", inProfile('commands: [" "]'), "4:16", /is empty/],
  ["a description of two lines", inProfile('description: "a\\nb"'), "4:18", /line break/],
  ["a number to set", inProfile("env: { set: { A: 1 } }"), "4:22", /put the number in quotes/],
  ["a bad variable", inProfile("env: { pass: [A-B] }"), "4:19", /"A-B" is not the name of a variable/],
  ["a bad variable to set", inProfile("env: { set: { A-B: x } }"), "4:19", /"A-B" is not the name of a variable/],
  ["a NUL to set", inProfile('env: { set: { A: "x\\0" } }'), "4:22", /NUL/],
  [
    "an identity that is an address",
    inProfile("identity: { source: https://example.org }"),
    "4:25",
    /not the name of an identity source/,
  ],
  [
    "an unknown parent",
    inProfile("extends: bose").replace("  p:", "  base: {}\n  p:"),
    "5:14",
    /no profile "bose" in this file; did you mean "base"/,
  ],
  [
    "an unknown parent in a list",
    inProfile("extends: [p2, bose]").replace("  p:", "  p2: {}\n  p:"),
    "5:19",
    /no profile "bose"/,
  ],
  ["its own parent", inProfile("extends: p"), "4:14", /circle: p → p/],
  [
    "a circle of parents",
    inProfile("extends: a").replace("  p:", "  a: { extends: b }\n  b: { extends: p }\n  p:"),
    "4:17",
    /circle: p → a → b → p/,
  ],
];

describe("a file whose values cannot be used", () => {
  it.each(rows)("%s", (_name, text, at, says) => {
    project = createProject();
    project.write("agentctl.yaml", text);
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
    expect(failure.message.startsWith(`agentctl.yaml:${at}`), failure.message).toBe(true);
    expect(failure.message).not.toContain("\n");
  });

  it("counts what else is wrong", () => {
    project = createProject({ "agentctl.yaml": "version: 1\nprofiles:\n  p: { tll: 1h, actors: [], ttl: x }\n" });
    const { message } = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(message).toMatch(/^agentctl\.yaml:3:8: .*\(and 2 more; agentctl profile lint shows all\)$/);
  });

  it("does not repeat a value that may be a secret", () => {
    const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for (const text of [
      inAws(`role_arn: ${secret}`),
      inAws(`region: ${secret}`),
      inProfile(`ttl: ${secret}`),
      `version: 1\na: "${secret}" x`,
    ]) {
      project = createProject({ "agentctl.yaml": text });
      const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
      expect(JSON.stringify(failure)).not.toContain(secret.slice(8, 24));
      project.remove();
    }
  });
});
