import * as fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findConfig } from "../../src/config/index.js";
import type { Runtime } from "../../src/core/runtime.js";
import { createProject, failureOf, type Project } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const EMPTY = "version: 1\nprofiles: {}\n";

/** The file system, with one file, or only the link that it is, in the hands of another user. */
function ownedBy(uid: number, file: string, kind: "file" | "link" = "file"): Runtime["fs"] {
  const change = (target: unknown, stat: fs.Stats | undefined) => {
    if (stat !== undefined && target === file) stat.uid = uid;
    return stat;
  };
  const options = { throwIfNoEntry: false };
  const lstatSync = (target: string) => change(target, fs.lstatSync(target, options));
  const statSync = (target: string) => change(target, fs.statSync(target, options));
  return { ...fs, lstatSync, ...(kind === "file" && { statSync }) } as Runtime["fs"];
}

describe("findConfig", () => {
  it.each([
    ["in the working directory", { "a/b/agentctl.yaml": EMPTY, "agentctl.yaml": EMPTY }, "a/b", "a/b/agentctl.yaml"],
    [
      "in the nearest directory above",
      { "a/agentctl.yaml": EMPTY, "agentctl.yaml": EMPTY },
      "a/b/c",
      "a/agentctl.yaml",
    ],
    ["in the repository's root", { "agentctl.yaml": EMPTY }, "a/b/c", "agentctl.yaml"],
    ["in no place", {}, "a/b/c", undefined],
    ["above the repository, where it is not taken", { "../agentctl.yaml": EMPTY }, "a", undefined],
    [
      "above a submodule, where it is not taken",
      { "agentctl.yaml": EMPTY, "sub/.git": "gitdir: x\n" },
      "sub/a",
      undefined,
    ],
  ] as const)("finds the file %s", (_name, files, cwd, want) => {
    project = createProject(files);
    const found = findConfig({}, project.at(cwd));
    expect(found).toEqual(want === undefined ? undefined : { file: path.join(project.dir, want), by: "search" });
  });

  it("looks at the working directory only outside a repository", () => {
    project = createProject({ "../plain/agentctl.yaml": EMPTY });
    expect(findConfig({}, project.at("../plain"))?.file).toBe(path.join(project.dir, "../plain/agentctl.yaml"));
    expect(findConfig({}, project.at("../plain/below"))).toBeUndefined();
  });

  it("takes --config before AGENTCTL_CONFIG before the search", () => {
    project = createProject({ "agentctl.yaml": EMPTY, "one.yaml": EMPTY, "two.yaml": EMPTY });
    const runtime = project.at(".", { env: { AGENTCTL_CONFIG: "two.yaml" } });
    expect(findConfig({ configPath: "one.yaml" }, runtime)).toEqual({
      file: path.join(project.dir, "one.yaml"),
      by: "--config",
    });
    expect(findConfig({}, runtime)).toEqual({ file: path.join(project.dir, "two.yaml"), by: "AGENTCTL_CONFIG" });
    expect(findConfig({}, project.at(".", { env: { AGENTCTL_CONFIG: "" } }))?.by).toBe("search");
  });

  it("says which setting named a file that is not there", () => {
    project = createProject({ "agentctl.yaml": EMPTY });
    const named = failureOf(() => findConfig({ configPath: "x.yaml" }, project.runtime));
    expect(named).toMatchObject({ code: "CONFIG_NOT_FOUND", message: "there is no x.yaml (from --config)" });
    const runtime = project.at(".", { env: { AGENTCTL_CONFIG: "/x.yaml" } });
    expect(failureOf(() => findConfig({}, runtime)).message).toBe("there is no /x.yaml (from AGENTCTL_CONFIG)");
  });
});

describe("a found file of another user", () => {
  it.each([
    ["is refused", "file"],
    ["is refused when only the link is theirs", "link"],
  ] as const)("%s", (_name, kind) => {
    project = createProject({ "agentctl.yaml": EMPTY });
    const other = ownedBy(4242, path.join(project.dir, "agentctl.yaml"), kind);
    const failure = failureOf(() => findConfig({}, project.at("a", { uid: 1000, fs: other })));
    expect(failure).toMatchObject({ code: "CONFIG_FORBIDDEN", message: expect.stringContaining("(uid 4242)") });
    expect(failure.hint).toContain("--config");
  });

  it("is taken when it is named, or root's, or our own", () => {
    project = createProject({ "agentctl.yaml": EMPTY });
    const file = path.join(project.dir, "agentctl.yaml");
    const at = (owner: number, uid: number) => project.at(".", { uid, fs: ownedBy(owner, file) });
    expect(findConfig({ configPath: "agentctl.yaml" }, at(4242, 1000))?.file).toBe(file);
    expect(findConfig({}, at(0, 1000))?.file).toBe(file);
    expect(findConfig({}, at(1000, 1000))?.file).toBe(file);
  });
});
