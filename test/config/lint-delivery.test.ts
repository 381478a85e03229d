import { afterEach, describe, expect, it } from "vitest";
import { lintConfig } from "../../src/config/index.js";
import { createProject, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const PROVIDER = "projects/1/locations/global/workloadIdentityPools/pool/providers/github";
const FEDERATED = `gcp: { workload_identity_provider: ${PROVIDER} }`;
const ACCOUNT = `gcp: { workload_identity_provider: ${PROVIDER}, service_account: deploy@my-project.iam.gserviceaccount.com }`;
const METADATA = `peer_check: require, gcp: { metadata: true, workload_identity_provider: ${PROVIDER} }`;
const AZURE = "azure: { tenant_id: example.org, client_id: 66666666-7777-8888-9999-000000000000 }";

describe("what a profile asks of its delivery and will not get", () => {
  it.each([
    { name: "a service account for 2h", profile: `ttl: 2h, ${ACCOUNT}`, want: [/^3:13: .*\.ttl: a service account's/] },
    { name: "a federated token for 2h", profile: `ttl: 2h, ${FEDERATED}`, want: [/\.ttl: Google's federated token/] },
    { name: "Azure for 2h", profile: `ttl: 2h, ${AZURE}`, want: [/\.ttl: a token of Azure's lasts 60 to 90 min/] },
    { name: "both", profile: `ttl: 2h, ${AZURE}, ${FEDERATED}`, want: [/Azure/, /Google/] },
    { name: "a metadata server", profile: METADATA, want: [/\.gcp\.metadata: there is no metadata server/] },
    { name: "AWS for 2h", profile: `ttl: 2h, aws: { role_arn: ${ROLE} }`, want: [] },
    { name: "an hour", profile: `ttl: 1h, ${ACCOUNT}, ${AZURE}`, want: [] },
    { name: "renewal", profile: `deliver: auto, ttl: 12h, ${ACCOUNT}, ${AZURE}`, want: [] },
  ])("$name", async ({ profile, want }) => {
    const text = `version: 1\nprofiles:\n  p: { ${profile} }\ndefaults: { deliver: env }\n`;
    project = createProject({ "agentctl.yaml": text });
    const { findings } = await lintConfig({}, project.runtime);
    const told = findings.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
    expect(told).toEqual(want.map((pattern) => expect.stringMatching(pattern)));
    for (const finding of findings) expect(finding).toMatchObject({ severity: "warning", hint: expect.any(String) });
  });
});
