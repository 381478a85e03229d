import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gcpTrust } from "../../../src/clouds/gcp/setup/index.js";
import { planGcpTrust } from "../../../src/clouds/gcp/setup/trust-plan.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import type { TrustFormat } from "../../../src/core/trust.js";
import { scopeOf } from "../setup/scopes.js";

const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
const ACCOUNT = "deploy@my-project.iam.gserviceaccount.com";
const SETTINGS: GcpSettings = {
  workloadIdentityProvider: "projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github",
  serviceAccount: ACCOUNT,
  scopes: [],
  accessBoundary: [{ availableResource: BUCKET, availablePermissions: ["inRole:roles/storage.objectUser"] }],
  bindings: [],
  metadata: false,
};
const GIVING: GcpSettings = {
  ...SETTINGS,
  accessBoundary: [],
  granter: { serviceAccount: "granter@other.iam.gserviceaccount.com" },
  bindings: [
    { role: "roles/storage.objectUser", resource: BUCKET },
    { role: "roles/browser", resource: "//cloudresourcemanager.googleapis.com/folders/1" },
  ],
  entitlement: "projects/my-project/locations/global/entitlements/deploy",
};

function request(format: TrustFormat<"gcp">, settings: GcpSettings, profileName = "deploy-web") {
  return { profileName, ttlSeconds: 1_800, settings, scope: scopeOf(), format };
}

/** Answers as gcloud would, where $THERE is the provider; fails to bind as often as $FAILS has lines. */
const FAKE_GCLOUD = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"providers describe "*"--format="*) cat "$THERE" ;;
  *"providers describe "*) [ -s "$THERE" ] ;;
  *"service-accounts describe "*) [ "$ACCOUNTS" = there ] ;;
  *"add-iam-policy-binding "*)
    [ -s "$FAILS" ] || exit 0
    tail -n +2 "$FAILS" > "$FAILS.left"
    mv "$FAILS.left" "$FAILS"
    echo "NOT_FOUND" >&2
    exit 1 ;;
esac
`;
const FAKE_SLEEP = `#!/bin/sh\necho "sleep $1" >> "$CALLS"\n`;

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-gcloud-"));
  fs.writeFileSync(path.join(dir, "gcloud"), FAKE_GCLOUD, { mode: 0o755 });
  fs.writeFileSync(path.join(dir, "sleep"), FAKE_SLEEP, { mode: 0o755 });
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

interface Google {
  /** The provider's issuer, audience, mapping and condition; absent where there is none. */
  readonly there?: readonly string[];
  readonly accounts?: "there" | "none";
  /** How many bindings fail. */
  readonly fails?: number;
  readonly keep?: string;
}

/** Runs the script where Google has that. */
function run({ there = [], accounts = "there", fails = 0, keep = "" }: Google) {
  const files = { calls: "", there: there.map((line) => `${line}\n`).join(""), fails: "x\n".repeat(fails) };
  const env: Record<string, string> = {
    PATH: `${dir}:/usr/bin:/bin`,
    ACCOUNTS: accounts,
    ...(keep !== "" && { AGENTCTL_SETUP_KEEP: keep }),
  };
  for (const [name, text] of Object.entries(files)) {
    env[name.toUpperCase()] = path.join(dir, name);
    fs.writeFileSync(path.join(dir, name), text);
  }
  const input = gcpTrust.write(request("cli", SETTINGS)).text;
  const { status, stderr } = spawnSync("sh", [], { input, env, encoding: "utf8" });
  const calls = fs.readFileSync(path.join(dir, "calls"), "utf8").split("\n");
  return { status, stderr, calls, bindings: calls.filter((call) => call.includes("add-iam-policy-binding")).length };
}

const PLAN = planGcpTrust(request("cli", SETTINGS));
const OURS = [PLAN.issuer, PLAN.audience, "google.subject=assertion.sub", PLAN.condition];

describe("the script, where the provider is there", () => {
  it.each([
    { name: "as it has to be", there: OURS, keep: "", through: true },
    {
      name: "under a condition of others too",
      there: OURS.with(3, `(${PLAN.condition}) || x`),
      keep: "yes",
      through: true,
    },
    { name: "under another condition", there: OURS.with(3, "true"), keep: "", through: false },
    {
      name: "under another condition, and it is not to be kept",
      there: OURS.with(3, "true"),
      keep: "no",
      through: false,
    },
    { name: "for another issuer", there: OURS.with(0, "https://evil.example"), keep: "yes", through: false },
    { name: "for another audience", there: OURS.with(1, "x"), keep: "yes", through: false },
    {
      name: "with another mapping",
      there: OURS.with(2, "google.subject=assertion.actor"),
      keep: "yes",
      through: false,
    },
  ])("$name", ({ there, keep, through }) => {
    const done = run({ there, keep });
    expect(done, done.stderr).toMatchObject({ status: through ? 0 : 1, bindings: through ? 2 : 0 });
    expect(done.calls.some((call) => call.includes("create-oidc"))).toBe(false);
    if (!through) expect(done.stderr).toContain("it is left as it is");
  });
});

describe("a binding that Google refuses", () => {
  it("is tried again where the service account was just made", () => {
    const done = run({ accounts: "none", fails: 2 });
    expect(done, done.stderr).toMatchObject({ status: 0, bindings: 4 });
    expect(done.calls.filter((call) => call.startsWith("sleep "))).toEqual(["sleep 5", "sleep 10"]);
  });

  it("stops the script, when it is refused for good", () => {
    expect(run({ accounts: "none", fails: 9 })).toMatchObject({ status: 1, bindings: 5 });
  });

  it("stops it at once where nothing was made", () => {
    expect(run({ fails: 1 })).toMatchObject({ status: 1, bindings: 1 });
  });
});

describe("the Terraform of two profiles with one provider", () => {
  it("makes pool and provider only where the file's own switches say so", () => {
    const { text } = gcpTrust.write(request("terraform", SETTINGS, "g-ent"));
    for (const [type, what] of [
      ["google_iam_workload_identity_pool", "pool"],
      ["google_iam_workload_identity_pool_provider", "provider"],
    ]) {
      expect(text).toMatch(
        new RegExp(`^variable "g_ent_create_${what}" \\{\\n.*\\n.*bool\\n +default += true\\n`, "m"),
      );
      expect(text).toMatch(new RegExp(`"${type}" "\\w+" \\{\\n +count += var\\.g_ent_create_${what} \\? 1 : 0\\n`));
    }
    expect(text.replaceAll(/\n# +/g, " ")).toContain("g_ent_create_pool and g_ent_create_provider are set to false");
  });
});

describe("what is to be known to apply it", () => {
  const notesOf = (settings: GcpSettings) => gcpTrust.write(request("terraform", settings)).notes.join("\n");
  const apis = (settings: GcpSettings) =>
    [...notesOf(settings).matchAll(/(\w+)\.googleapis\.com(?=[ \n])/g)].map(([, name]) => name);

  it.each([
    { name: "a service account", settings: SETTINGS, want: ["iam", "sts", "iamcredentials", "storage"] },
    {
      name: "roles for the time of a lease",
      settings: GIVING,
      want: ["iam", "sts", "iamcredentials", "cloudresourcemanager", "storage", "privilegedaccessmanager"],
    },
  ])("are the APIs that $name takes", ({ settings, want }) => {
    expect(apis(settings)).toEqual(want);
  });

  it("are those of the principal alone, where it is nothing else", () => {
    const { serviceAccount: _, ...settings } = { ...SETTINGS, accessBoundary: [] };
    expect(apis(settings)).toEqual(["iam", "sts"]);
  });

  it("are the projects, and the roles of whoever applies it", () => {
    const notes = notesOf(GIVING);
    expect(notes).toContain("in the project of the pool (123456789012) and in my-project and in other: gcloud");
    expect(notes).toContain(
      "needs roles/iam.workloadIdentityPoolAdmin on the project 123456789012; roles/iam.serviceAccountAdmin on the project my-project and the project other; " +
        "roles/iam.roleAdmin on the project other and the project my-project; roles/storage.admin on the bucket site; " +
        "roles/iam.organizationRoleAdmin on the organization; roles/resourcemanager.folderIamAdmin on the folder 1; " +
        "roles/resourcemanager.projectIamAdmin on the project my-project",
    );
  });

  it.each([
    { format: "terraform", settings: SETTINGS, want: ["delete this file and apply", "for 30 days"] },
    { format: "cli", settings: SETTINGS, want: [`delete ${ACCOUNT}, or take`, "delete the provider github"] },
    { format: "cli", settings: GIVING, want: ["agentctl_deploy_web_bucket, agentctl_deploy_web_folder", "for 37"] },
  ] as const)("is how it is taken away again, in $format", ({ format, settings, want }) => {
    const text = gcpTrust.write(request(format, settings)).text.replaceAll(/\n# +/g, " ");
    for (const part of want) expect(text.split("To take it away again:")[1]).toContain(part);
  });
});
