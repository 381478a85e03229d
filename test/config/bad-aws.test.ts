import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

/** A file with one profile `p`, in which `line` stands at line 5, column 7. */
const inAws = (line: string) => `version: 1\nprofiles:\n  p:\n    aws:\n      ${line}\n`;

/** What it is, the file, the line and column of the complaint, and its words. */
type Row = readonly [name: string, text: string | Uint8Array, at: string, says: RegExp];

const rows: readonly Row[] = [
  ["an unknown key of AWS", inAws("role_arm: x"), "5:7", /did you mean "role_arn"\?/],
  ["a key in camel case", inAws("sessionPolicy: x"), "5:7", /did you mean "session_policy"\?/],
  ["an unknown key like no other", inAws("zzz: 1"), "5:7", /unknown key; known here: role_arn, region/],
  [
    "an unknown key in a list",
    inAws(`chain: [{ role_arn: "${ROLE}", external: x }]`),
    "5:68",
    /chain\[0\]\.external: unknown key; did you mean "external_id"/,
  ],
  ["a region that is none", inAws("region: Frankfurt"), "5:15", /not a region such as/],
  ["a policy that is a list", inAws("session_policy: []"), "5:23", /must be text, or a map/],
  [
    "eleven policies",
    inAws(`policy_arns: [${Array(11).fill("arn:aws:iam::aws:policy/A").join(", ")}]`),
    "5:20",
    /more than 10/,
  ],
  [
    "derived sessions by a word",
    inAws("allow_derived_sessions: maybe"),
    "5:31",
    /must be true or false, or a list, not text/,
  ],
  ["derived sessions of nobody", inAws("allow_derived_sessions: []"), "5:31", /empty list/],
  [
    "a bad ARN in a list",
    inAws("allow_derived_sessions: [role]"),
    "5:32",
    /allow_derived_sessions\[0\]: "role" is not an ARN/,
  ],
  [
    "a step of a chain without a role",
    inAws("chain: [{ external_id: ab }]"),
    "5:15",
    /chain\[0\]\.role_arn: is missing/,
  ],
  ["an external id of one character", inAws(`chain: [{ role_arn: "${ROLE}", external_id: a }]`), "5:81", /external id/],
  ["no role", inAws("region: eu-central-1"), "4:5", /profiles\.p\.aws\.role_arn: is missing/],
];

describe("a bad aws block", () => {
  it.each(rows)("%s", (_name, text, at, says) => {
    project = createProject();
    project.write("agentctl.yaml", text);
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
    expect(failure.message.startsWith(`agentctl.yaml:${at}`), failure.message).toBe(true);
    expect(failure.message).not.toContain("\n");
  });
});

const arns: readonly (readonly [name: string, arn: string, says: RegExp])[] = [
  ["no ARN", "deploy", /"deploy" is not an ARN; write it like arn:aws:iam::111122223333:role\/NAME/],
  ["too few parts", "arn:aws:iam::111122223333", /too few parts/],
  ["another partition", "arn:aws-mars:iam::111122223333:role/deploy", /partition "aws-mars" is none of aws, aws-cn/],
  ["another service", "arn:aws:s3:::bucket", /service is "s3", not iam/],
  ["a session", "arn:aws:sts::111122223333:assumed-role/deploy/me", /that of a session; write the role's own/],
  ["a region in it", "arn:aws:iam:eu-central-1:111122223333:role/deploy", /has no region/],
  ["no account", "arn:aws:iam:::role/deploy", /account is missing/],
  ["eleven digits", "arn:aws:iam::11112222333:role/deploy", /12 digits, not 11 digits/],
  ["letters in the account", "arn:aws:iam::ACCOUNT:role/deploy", /12 digits, not "ACCOUNT"/],
  ["AWS's own role", "arn:aws:iam::aws:role/deploy", /12 digits, not "aws"/],
  ["a user", "arn:aws:iam::111122223333:user/deploy", /names "user", not a role/],
  ["an instance profile", "arn:aws:iam::111122223333:instance-profile/deploy", /not a role/],
  ["no name", "arn:aws:iam::111122223333:role/", /no role name/],
  ["no name behind a path", "arn:aws:iam::111122223333:role/team/", /no role name/],
  ["a long name", `arn:aws:iam::111122223333:role/${"r".repeat(65)}`, /longer than 64/],
  ["a star", "arn:aws:iam::111122223333:role/dep*", /a character other than/],
  ["a space", "arn:aws:iam::111122223333:role/de ploy", /a character other than/],
  ["an empty piece of path", "arn:aws:iam::111122223333:role/team//deploy", /not one that IAM allows/],
  ["a long path", `arn:aws:iam::111122223333:role/${"p".repeat(520)}/deploy`, /not one that IAM allows/],
];

describe("a role that cannot be one", () => {
  it.each(arns)("%s", (_name, arn, says) => {
    project = createProject({ "agentctl.yaml": inAws(`role_arn: "${arn}"`) });
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
    expect(failure.message).toMatch(/^agentctl\.yaml:5:17: profiles\.p\.aws\.role_arn: /);
  });

  it.each([
    "arn:aws:iam::111122223333:role/deploy",
    "arn:aws-cn:iam::111122223333:role/team/ci/deploy+=,.@-_1",
    "arn:aws-us-gov:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    "arn:aws-eusc:iam::111122223333:role/deploy",
  ])("and %s, which can", (arn) => {
    project = createProject({ "agentctl.yaml": inAws(`role_arn: "${arn}"`) });
    expect(loadProfile({ profileName: "p" }, project.runtime).clouds.aws?.roleArn).toBe(arn);
  });

  it.each([
    ["a role as a policy", "arn:aws:iam::111122223333:role/deploy", /names "role", not a policy/],
    ["a short account", "arn:aws:iam::1:policy/Read", /12 digits, not 1 digits/],
  ] as const)("nor %s", (_name, arn, says) => {
    project = createProject({ "agentctl.yaml": inAws(`policy_arns: ["${arn}"]`) });
    expect(failureOf(() => loadProfile({ profileName: "p" }, project.runtime)).message).toMatch(says);
  });
});
