import { describe, expect, it } from "vitest";
import { awsTrust } from "../../../src/clouds/aws/setup/index.js";
import { azureTrust } from "../../../src/clouds/azure/setup/index.js";
import { gcpTrust } from "../../../src/clouds/gcp/setup/index.js";
import { hclNamer } from "../../../src/clouds/setup/hcl-name.js";
import type { AwsSettings, AzureSettings, GcpSettings } from "../../../src/core/profile.js";
import { scopeOf } from "./scopes.js";

const AWS: AwsSettings = {
  roleArn: "arn:aws:iam::123456789012:role/agentctl-deploy",
  policyArns: ["arn:aws:iam::123456789012:policy/reader"],
  chain: [{ roleArn: "arn:aws:iam::123456789012:role/next" }],
  revoker: { roleArn: "arn:aws:iam::123456789012:role/agentctl-revoker" },
  allowDerivedSessions: false,
  fenceForwarded: false,
  acceptEscalation: false,
  audiences: ["sts.amazonaws.com"],
};
const AZURE: AzureSettings = {
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "00000000-0000-0000-0000-000000000000",
  otherClientIds: ["00000000-0000-0000-0000-000000000002"],
  granter: { clientId: "00000000-0000-0000-0000-000000000003" },
  assignments: [{ role: "Reader", scope: "/subscriptions/s/resourceGroups/web" }],
  allowUnbounded: false,
  scopes: [],
  audiences: ["api://AzureADTokenExchange"],
};
const GCP: GcpSettings = {
  workloadIdentityProvider: "projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github",
  serviceAccount: "deploy@my-project.iam.gserviceaccount.com",
  scopes: [],
  accessBoundary: [
    {
      availableResource: "//storage.googleapis.com/projects/_/buckets/site",
      availablePermissions: ["inRole:roles/storage.objectUser"],
    },
  ],
  granter: { serviceAccount: "granter@my-project.iam.gserviceaccount.com" },
  bindings: [{ role: "roles/browser", resource: "//cloudresourcemanager.googleapis.com/folders/1" }],
  metadata: false,
};

/** What each cloud writes for a profile of this name, in which all that there can be is. */
const WRITERS = [
  { cloud: "aws", write: (to: Wanted) => awsTrust.write({ ...to, settings: AWS }).text },
  { cloud: "azure", write: (to: Wanted) => azureTrust.write({ ...to, settings: AZURE }).text },
  { cloud: "gcp", write: (to: Wanted) => gcpTrust.write({ ...to, settings: GCP }).text },
];
type Wanted = ReturnType<typeof wantedOf>;

function wantedOf(profileName: string) {
  return { profileName, ttlSeconds: 1_800, scope: scopeOf(), format: "terraform" } as const;
}

/** Such as `resource aws_iam_role deploy_web_role`; a provider with its alias. */
function blocksOf(text: string): string[] {
  const provider = /^provider "(\w+)" \{\n {2}alias += "(\w+)"/gm;
  const named = text.replace(provider, 'provider "$1" "$2" {').matchAll(/^(\w+)((?: "[\w-]+")*) \{/gm);
  return [...named].map(([, type, labels]) => `${type}${String(labels).replaceAll('"', "")}`);
}

describe("the Terraform of several profiles in one directory", () => {
  it.each(WRITERS)("of $cloud has no block twice", ({ write }) => {
    const blocks = ["deploy-web", "deploy.api"].flatMap((name) => blocksOf(write(wantedOf(name))));
    expect(blocks.length).toBeGreaterThan(10);
    expect(blocks.filter((block, index) => blocks.indexOf(block) !== index)).toEqual([]);
  });

  it.each(WRITERS)("of $cloud speaks of nothing that is not in the profile's own", ({ write }) => {
    const text = write(wantedOf("deploy-web")).replaceAll(/^ *#.*$/gm, "");
    const blocks = blocksOf(text);
    const references = [
      ...[...text.matchAll(/\bdata\.(\w+)\.(\w+)/g)].map(([, type, name]) => `data ${type} ${name}`),
      ...[...text.matchAll(/(?<!data\.)\b((?:aws|azuread|azurerm|google)_\w+)\.(\w+)/g)].map(
        ([, type, name]) => `resource ${type} ${name}`,
      ),
      ...[...text.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => `variable ${name}`),
      ...[...text.matchAll(/^ *provider += (\w+)\.(\w+)$/gm)].map(([, type, name]) => `provider ${type} ${name}`),
    ];
    expect(references.length).toBeGreaterThan(3);
    expect(blocks).toEqual(expect.arrayContaining(references));
  });
});

describe("a name in Terraform", () => {
  it.each([
    { profile: "deploy-web", want: "deploy_web_role" },
    { profile: "a.b", want: "a_b_role" },
    { profile: "2fa", want: "_2fa_role" },
  ])("is $want for $profile", ({ profile, want }) => {
    expect(hclNamer(profile)("role")).toBe(want);
  });
});
