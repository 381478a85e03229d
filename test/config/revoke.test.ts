import { afterEach, describe, expect, it } from "vitest";
import { lintConfig, loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, USER_CONFIG } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const ROLE = "arn:aws:iam::111122223333:role/ci/deploy";
const REVOKER = "arn:aws:iam::111122223333:role/revoker";
const AZURE = "azure: { tenant_id: example.org, client_id: 66666666-7777-8888-9999-000000000000 }";
const GCP =
  "gcp: { workload_identity_provider: projects/1/locations/global/workloadIdentityPools/pool/providers/github }";

const aws = (more = "") => `aws: { role_arn: "${ROLE}"${more} }`;
const revoker = (arn = REVOKER) => `, revoker: { role_arn: "${arn}" }`;
const file = (profile: string, head = "") => `version: 1\n${head}profiles:\n  p: { ${profile} }\n`;

const load = (text: string, own?: string) => {
  project = createProject({
    "agentctl.yaml": text,
    ...(own !== undefined && { [USER_CONFIG]: `version: 1\n${own}` }),
  });
  return loadProfile({ profileName: "p" }, project.runtime);
};

describe("revoke", () => {
  it.each([
    { name: "is auto", profile: "", want: "auto" },
    { name: "is the profile's", head: "defaults: { revoke: auto }\n", profile: "revoke: none, ", want: "none" },
    { name: "is the project's", head: "defaults: { revoke: none }\n", profile: "", want: "none" },
    { name: "is the user's own", own: "none", profile: "", want: "none" },
    { name: "is made stricter by a profile", own: "none", profile: "revoke: required, ", want: "required" },
    { name: "is not made laxer by a profile", own: "required", profile: "revoke: none, ", want: "required" },
    { name: "nor by a profile's auto", own: "required", profile: "revoke: auto, ", want: "required" },
    {
      name: "nor by the project's defaults",
      own: "required",
      head: "defaults: { revoke: none }\n",
      profile: "",
      want: "required",
    },
  ])("$name", ({ head = "", profile, own, want }) => {
    const text = file(`${profile}${aws(revoker())}`, head);
    expect(load(text, own && `defaults: { revoke: ${own} }\n`).revoke).toBe(want);
  });

  it("of a profile of the user's own is as it is written there", () => {
    const own = `defaults: { revoke: required }\nprofiles:\n  mine: { revoke: none, ${aws()} }\n  other: { ${aws(revoker())} }\n`;
    load(file(aws(revoker()), "defaults: { revoke: none }\n"), own);
    expect(loadProfile({ profileName: "mine" }, project.runtime).revoke).toBe("none");
    expect(loadProfile({ profileName: "other" }, project.runtime).revoke).toBe("required");
  });

  it("goes with a revoker of the profile's, which one that it extends may name", () => {
    const text = `version: 1\nprofiles:\n  base: { revoke: required, aws: { revoker: { role_arn: "${REVOKER}" }, accept_escalation: true } }\n  p: { extends: base, ${aws()} }\n`;
    const { revoke, clouds } = load(text);
    expect(revoke).toBe("required");
    expect(clouds.aws).toMatchObject({ revoker: { roleArn: REVOKER }, acceptEscalation: true });
  });
});

describe("what cannot be taken back, and a revoker that cannot be one", () => {
  const chained = ', chain: [{ role_arn: "arn:aws:iam::444455556666:role/far" }]';
  const rows = [
    {
      name: "required, and no revoker",
      profile: `revoke: required, ${aws()}`,
      at: /^agentctl\.yaml:3:\d+: profiles\.p\.aws\.revoker: is missing/,
      hint: /agentctl setup aws .*; or write revoke: auto$/,
    },
    {
      name: "required by the project's defaults",
      head: "defaults: { revoke: required }\n",
      profile: aws(),
      at: /^agentctl\.yaml:4:\d+: profiles\.p\.aws\.revoker: is missing/,
      hint: /or write revoke: auto$/,
    },
    {
      name: "required by the user",
      own: "defaults: { revoke: required }\n",
      profile: aws(),
      at: /^agentctl\.yaml:3:\d+: profiles\.p\.aws\.revoker: is missing/,
      hint: /your own config\.yaml asks for it/,
    },
    {
      name: "required of Azure",
      profile: `revoke: required, ${AZURE}`,
      at: /^agentctl\.yaml:3:33: profiles\.p\.azure: .* nothing takes a token of Azure back, only what was given/,
      hint: /^give .* with assignments and a granter, or put azure into a profile that does not require it; or write revoke: auto$/,
    },
    {
      name: "required of Google, beside an AWS that could",
      profile: `revoke: required, ${aws(revoker())}, ${GCP}`,
      at: /^agentctl\.yaml:3:\d+: profiles\.p\.gcp: .* nothing takes a token of Google Cloud back, only what/,
      hint: /with bindings and a granter, or an entitlement, or put gcp into/,
    },
    {
      name: "a revoker of another account",
      profile: aws(revoker(REVOKER.replace("1111", "4444"))),
      at: /^agentctl\.yaml:3:\d+: profiles\.p\.aws\.revoker\.role_arn: is of account 444422223333, and .* account 111122223333$/,
      hint: /name a role of account 111122223333$/,
    },
    {
      name: "a revoker of another partition",
      profile: aws(revoker(REVOKER.replace("arn:aws:", "arn:aws-cn:"))),
      at: /\.role_arn: is of account 111122223333 in aws-cn, and .* is of account 111122223333$/,
      hint: /account 111122223333$/,
    },
    {
      name: "a revoker of the first role's account, where the last is of another",
      profile: aws(`${chained}${revoker()}`),
      at: /\.role_arn: is of account 111122223333, and .* is of account 444455556666$/,
      hint: /account 444455556666$/,
    },
    {
      name: "the role itself",
      profile: aws(revoker(ROLE)),
      at: /\.revoker\.role_arn: is a role that the profile's own sessions are of/,
      hint: /name a role that does nothing else/,
    },
    {
      name: "the role itself, in other words",
      profile: aws(revoker("arn:aws:iam::111122223333:role/Deploy")),
      at: /\.revoker\.role_arn: is a role that the profile's own sessions are of/,
      hint: /name a role/,
    },
    {
      name: "a role before the last",
      profile: aws(`, chain: [{ role_arn: "arn:aws:iam::111122223333:role/last" }]${revoker(ROLE)}`),
      at: /\.revoker\.role_arn: is a role that the profile's own sessions are of/,
      hint: /name a role/,
    },
    {
      name: "a revoker that the child may assume",
      profile: aws(`, allow_derived_sessions: ["${ROLE}2", "${REVOKER}"]${revoker()}`),
      at: /^agentctl\.yaml:3:\d+: profiles\.p\.aws\.allow_derived_sessions\[1\]: is the revoker/,
      hint: /leave it out/,
    },
  ];
  it.each(rows)("$name", ({ head, own, profile, at, hint }) => {
    const failure = failureOf(() => load(file(profile, head), own));
    expect(failure).toEqual({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(at),
      hint: expect.stringMatching(hint),
    });
  });

  it("is told where it was written, also in a profile that this one extends", () => {
    const text = `version: 1\nprofiles:\n  base:\n    aws:\n      revoker:\n        role_arn: "${ROLE}"\n  p: { extends: base, ${aws()} }\n`;
    expect(failureOf(() => load(text)).message).toMatch(
      /^agentctl\.yaml:6:19: profiles\.base\.aws\.revoker\.role_arn: /,
    );
  });

  it("is all told at once by lint", async () => {
    project = createProject({ "agentctl.yaml": file(`revoke: required, ${aws()}, ${AZURE}, ${GCP}`) });
    const { findings } = await lintConfig({}, project.runtime);
    expect(findings.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      "error profiles.p.aws.revoker",
      "error profiles.p.azure",
      "error profiles.p.gcp",
    ]);
  });

  it("is told of a revoker that is no role, or none", () => {
    const of = (text: string) => failureOf(() => load(file(aws(`, revoker: ${text}`)))).message;
    expect(of("{ role_arn: revoker }")).toMatch(/\.aws\.revoker\.role_arn: "revoker" is not an ARN/);
    project.remove();
    expect(of("{}")).toMatch(/\.aws\.revoker\.role_arn: is missing/);
    project.remove();
    expect(of(`"${REVOKER}"`)).toMatch(/\.aws\.revoker: must be a map/);
  });
});

describe("what lint says of taking back", () => {
  const accepting = `${revoker()}, accept_escalation: true`;
  it.each([
    { name: "nothing of a revoker", profile: aws(revoker()), want: [] },
    { name: "nothing of what is not accepted", profile: aws(", accept_escalation: false"), want: [] },
    {
      name: "that nothing is accepted without a revoker",
      profile: aws(", accept_escalation: true"),
      want: [/^3:\d+: profiles\.p\.aws\.accept_escalation: has no effect/],
    },
    {
      name: "that a revoker is not used",
      profile: `revoke: none, ${aws(revoker())}`,
      want: [/^3:\d+: profiles\.p\.aws\.revoker: is never used/],
    },
    {
      name: "that a project's file accepts an escalation",
      profile: aws(accepting),
      want: [/^3:\d+: profiles\.p\.aws\.accept_escalation: a project's file accepts here/],
    },
    {
      name: "that further sessions stay",
      profile: aws(`${revoker()}, allow_derived_sessions: true`),
      want: [/^3:\d+: profiles\.p\.aws\.allow_derived_sessions: sessions that the child makes further/],
    },
  ])("$name", async ({ profile, want }) => {
    project = createProject({ "agentctl.yaml": file(profile) });
    const { findings } = await lintConfig({}, project.runtime);
    const told = findings.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
    expect(told).toEqual(want.map((pattern) => expect.stringMatching(pattern)));
    for (const finding of findings) expect(finding).toMatchObject({ severity: "warning", hint: expect.any(String) });
  });

  it("nothing of an escalation that the user accepts", async () => {
    project = createProject({ [USER_CONFIG]: file(aws(accepting)) });
    expect((await lintConfig({}, project.runtime)).findings).toEqual([]);
  });
});
