import { afterEach, describe, expect, it } from "vitest";
import { planAwsTrust } from "../../../src/clouds/aws/setup/trust-plan.js";
import { orderOf } from "../../../src/clouds/end-order.js";
import { endGrants, issueGrants, planGrants } from "../../../src/clouds/index.js";
import type { Ending } from "../../../src/core/lease.js";
import type { AwsSettings, Profile } from "../../../src/core/profile.js";
import type { Sandbox } from "../../../src/sandbox/index.js";
import type { RoleDefinition } from "../../../src/sandbox/world.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { startSandbox } from "../../start-sandbox.js";
import { JOB, scopeOf } from "../setup/scopes.js";
import { failureOf, idToken } from "./issuing.js";
import { awsSettings, leaseTerms } from "./settings.js";

const SETTINGS = awsSettings({
  roleArn: "arn:aws:iam::111122223333:role/ci/deploy",
  region: "eu-central-1",
  revoker: { roleArn: "arn:aws:iam::111122223333:role/ci/deploy-revoker" },
  sessionPolicy: {
    document: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::demo/*" }],
    },
    origin: "inline",
  },
});

let sandbox: Sandbox;
afterEach(() => sandbox.close());

/** A world whose roles are as setup describes them, but for boundaries that somebody has taken off. */
async function startAsSetUp(written: AwsSettings, bounded: boolean): Promise<void> {
  const common = { profileName: "deploy", ttlSeconds: 900, scope: scopeOf(), format: "cli" } as const;
  const roles = planAwsTrust({ ...common, settings: written }).roles.map((role): [string, RoleDefinition] => {
    const arn = `arn:aws:iam::${role.accountId}:policy${role.path}${role.boundaryName}`;
    const boundary = { permissionsBoundary: { arn, document: role.boundary } };
    const { trust, permissions } = role;
    return [role.arn, { trust, policies: [permissions], ...((bounded || role.kind === "revoker") && boundary) }];
  });
  sandbox = await startSandbox({ roles: Object.fromEntries(roles), claims: JOB });
}

/** A lease on the profile: issued, and ended at once. */
async function lease(settings: AwsSettings): Promise<Ending | undefined> {
  const runtime = fakeRuntime({ env: sandbox.env });
  const profile = { revoke: "required", clouds: { aws: settings } } as Profile;
  const terms = { ...leaseTerms(600, Date.now()), deliver: "env" } as const;
  const { signal } = new AbortController();
  const mintToken = async () => idToken(await sandbox.mintToken());
  const plans = await planGrants(profile, terms, runtime);
  const grants = await issueGrants(profile, plans, terms, { mintToken, signal }, runtime);
  const orders = grants.map((grant) => orderOf(grant, plans, terms));
  const context = { mintToken, signal, unwatched: signal, onProgress: () => {} };
  return (await endGrants(orders, context, runtime))[0];
}

describe("the roles as setup describes them", () => {
  it("give a session that their revoker takes back", async () => {
    await startAsSetUp(SETTINGS, true);
    expect(await lease(SETTINGS)).toMatchObject({ word: "revoked" });
  });

  it("give none once the boundary is off", async () => {
    await startAsSetUp(SETTINGS, false);
    expect(await failureOf(lease(SETTINGS))).toMatchObject({ code: "ESCALATION_POSSIBLE" });
  });

  it("and their revoker writes nothing then, even when the profile accepts it", async () => {
    await startAsSetUp(SETTINGS, false);
    expect(await lease({ ...SETTINGS, acceptEscalation: true })).toMatchObject({
      word: "failed",
      detail: expect.stringMatching(/refused iam:PutRolePolicy on arn:aws:iam::111122223333:role\/ci\/deploy to /),
    });
  });

  it("do it without the boundary where setup was told that it is accepted", async () => {
    const accepting = { ...SETTINGS, acceptEscalation: true };
    await startAsSetUp(accepting, false);
    expect(await lease(accepting)).toMatchObject({ word: "revoked" });
  });
});
