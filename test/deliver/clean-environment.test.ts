import { describe, expect, it } from "vitest";
import {
  AWS_VARIABLES,
  AZURE_VARIABLES,
  GOOGLE_VARIABLES,
  MINTING_VARIABLES,
  STRICT_VARIABLES,
} from "../../src/core/sensitive-variables.js";
import { type CleaningRules, cleanEnvironment } from "../../src/deliver/clean-environment.js";

const CLOUD: CleaningRules = { mode: "cloud", pass: [], set: {}, alsoRemove: [] };
const STRICT: CleaningRules = { ...CLOUD, mode: "strict" };
const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2dpdGxhYi5jb20ifQ.c2ln";

const JOB = {
  PATH: "/bin",
  HOME: "/home/u",
  LC_ALL: "C",
  GITHUB_TOKEN: "ghs_1",
  GITHUB_ENV: "/tmp/env",
  CI_JOB_TOKEN: "glcbt",
  TF_VAR_a: "1",
  KUBECONFIG: "/k",
  NODE_OPTIONS: "--no-warnings",
  AWS_CA_BUNDLE: "/ca",
  AWS_REGION: "eu-central-1",
  AWS_ENDPOINT_URL_STS: "https://127.0.0.1:1",
  https_proxy: "http://p:1",
};

describe("cleanEnvironment", () => {
  const listed = [AWS_VARIABLES, AZURE_VARIABLES, GOOGLE_VARIABLES, MINTING_VARIABLES]
    .flat()
    .flatMap((entry) => entry.names)
    .map((name) => (name.endsWith("*") ? `${name.slice(0, -1)}_ANYTHING` : name));

  it.each(["cloud", "strict"] as const)("takes out every listed variable in %s mode, in any case", (mode) => {
    for (const names of [listed, listed.map((name) => name.toLowerCase())]) {
      const parent = { PATH: "/bin", ...Object.fromEntries(names.map((name) => [name, "x"])) };
      const { env, removed } = cleanEnvironment(parent, { ...CLOUD, mode });
      expect(env).toEqual({ PATH: "/bin" });
      expect(removed).toEqual([...names].sort());
    }
  });

  it("keeps in cloud mode what a job needs and no cloud reads as a credential", () => {
    expect(cleanEnvironment(JOB, CLOUD)).toEqual({ env: JOB, removed: [] });
  });

  it("keeps in strict mode the terminal, the machine and the way to the clouds", () => {
    const { env, removed } = cleanEnvironment(JOB, STRICT);
    expect(Object.keys(env).sort()).toEqual([
      "AWS_CA_BUNDLE",
      "AWS_ENDPOINT_URL_STS",
      "AWS_REGION",
      "HOME",
      "LC_ALL",
      "PATH",
      "https_proxy",
    ]);
    expect(removed).toEqual(["CI_JOB_TOKEN", "GITHUB_ENV", "GITHUB_TOKEN", "KUBECONFIG", "NODE_OPTIONS", "TF_VAR_a"]);
  });

  it("lets every allowed variable through in strict mode", () => {
    const names = STRICT_VARIABLES.flatMap((entry) => entry.names).map((name) => name.replace("*", "X"));
    const parent = Object.fromEntries(names.map((name) => [name, "x"]));
    expect(cleanEnvironment(parent, STRICT).removed).toEqual([]);
  });

  const cases: {
    name: string;
    parent: Record<string, string | undefined>;
    rules: Partial<CleaningRules>;
    env: Record<string, string>;
    removed: string[];
  }[] = [
    {
      name: "keeps what is passed by name, spelled exactly",
      parent: { AWS_PROFILE: "dev", aws_profile: "other", NPM_TOKEN: "n" },
      rules: { mode: "strict", pass: ["AWS_PROFILE", "NPM_TOKEN", "ABSENT"] },
      env: { AWS_PROFILE: "dev", NPM_TOKEN: "n" },
      removed: ["aws_profile"],
    },
    {
      name: "adds what the profile sets, in either mode",
      parent: { TF_IN_AUTOMATION: "0" },
      rules: { mode: "strict", set: { TF_IN_AUTOMATION: "1" } },
      env: { TF_IN_AUTOMATION: "1" },
      removed: ["TF_IN_AUTOMATION"],
    },
    {
      name: "takes out the variables that the identity came from",
      parent: { MY_OIDC: TOKEN, OTHER: "o" },
      rules: { alsoRemove: ["MY_OIDC"] },
      env: { OTHER: "o" },
      removed: ["MY_OIDC"],
    },
    {
      name: "takes out a copy of the caller's token under any other name",
      parent: { AGENTCTL_ID_TOKEN: TOKEN, GITLAB_OIDC: TOKEN, CI_JOB_TOKEN: `${TOKEN}x` },
      rules: {},
      env: { CI_JOB_TOKEN: `${TOKEN}x` },
      removed: ["AGENTCTL_ID_TOKEN", "GITLAB_OIDC"],
    },
    {
      name: "does not take out what merely equals a short value of a listed variable",
      parent: { AGENTCTL_TOKEN_FILE: "1", CI: "1" },
      rules: {},
      env: { CI: "1" },
      removed: ["AGENTCTL_TOKEN_FILE"],
    },
    { name: "skips what is not set", parent: { A: undefined, B: "" }, rules: {}, env: { B: "" }, removed: [] },
  ];
  it.each(cases)("$name", ({ parent, rules, env, removed }) => {
    expect(cleanEnvironment(parent, { ...CLOUD, ...rules })).toEqual({ env, removed });
  });
});
