import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project } from "./project.js";

let project: Project;
afterEach(() => project.remove());

/** What it is, the file, the line and column of the complaint, and its words. */
type Row = readonly [name: string, text: string | Uint8Array, at: string, says: RegExp];

const NESTED = "[".repeat(5000);
const LAUGHS = [
  "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]",
  ..."bcdef".split("").map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcde"[i]}`).join(", ")}]`),
];

const rows: readonly Row[] = [
  ["an open bracket", "version: 1\nprofiles: [\n", "3:1", /]/],
  ["an open quote", "version: 1\nidentity: 'x\n", "3:1", /quote/],
  ["a tab as indentation", "version: 1\nprofiles:\n\tp: {}\n", "3:1", /tab/],
  ["two keys on a line", "version: 1\ndefaults: ttl: 1h\n", "2:11", /quotes/],
  ["the same key twice", "version: 1\nprofiles:\n  p: {}\n  p: {}\n", "4:3", /"p" is there already/],
  ["a second document", "version: 1\n---\nversion: 1\n", "2:1", /second document/],
  ["a tag", "version: !!js/function x\n", "1:10", /tags/],
  ["an unknown alias", "version: *v\n", "1:10", /&v/],
  ["an alias in itself", "version: &v [*v]\n", "1:14", /inside/],
  ["aliases that multiply", `${LAUGHS.join("\n")}\n`, "1:1", /expand to too much/],
  ["very many aliases", `a: &a 1\nb: [${Array(200).fill("*a").join(",")}]\n`, "2:305", /more than 100 aliases/],
  ["nesting without end", `version: ${NESTED}`, "1", /nested too deeply/],
  ["a key __proto__", "version: 1\nprofiles: { __proto__: {} }\n", "2:13", /__proto__/],
  ["a map as a key", "? { a: 1 }\n: b\n", "1:3", /plain text/],
];

describe("a file that is not one YAML document", () => {
  it.each(rows)("%s", (_name, text, at, says) => {
    project = createProject();
    project.write("agentctl.yaml", text);
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_SYNTAX", message: expect.stringMatching(says) });
    expect(failure.message.startsWith(`agentctl.yaml:${at}`), failure.message).toBe(true);
    expect(failure.message).not.toContain("\n");
  });

  it("takes seconds at most for the largest file", () => {
    const text = `version: 1\nprofiles:\n${Array.from({ length: 40_000 }, (_, i) => `  p${i}: {}\n`).join("")}`;
    project = createProject({ "agentctl.yaml": text });
    expect(failureOf(() => loadProfile({ profileName: "q" }, project.runtime)).code).toBe("PROFILE_UNKNOWN");
  });
});
