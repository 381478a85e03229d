import { describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { planGcpGrant } from "../../../src/clouds/gcp/plan.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { thrownBy } from "../../thrown.js";
import { grantTerms } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings, PROVIDER } from "./fake-google.js";

const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
const ENTITLEMENT = "projects/my-project/locations/global/entitlements/deploy";
const VIEWER = "roles/storage.objectViewer";
const READY = { permissions: ["storage.objects.get"], timeoutSeconds: 120 };

function rightsSettings(overrides: Partial<GcpSettings> = {}): GcpSettings {
  const bindings = [{ role: VIEWER, resource: BUCKET }];
  return gcpSettings({ granter: { serviceAccount: GRANTER }, bindings, ready: READY, ...overrides });
}

function plan(settings: GcpSettings, env: Record<string, string> = {}, latestEndsAt = 1_020_000) {
  return planGcpGrant(settings, { ...grantTerms(900, 0), latestEndsAt }, fakeRuntime({ env }));
}

describe("the plan of what is given for a lease", () => {
  it("says what is given by whom, how it is waited for, and how it is taken back", () => {
    const planned = plan(rightsSettings());
    expect(planned.steps.slice(0, 2)).toEqual([
      `as ${GRANTER}, give ${ACCOUNT} ${VIEWER} on ${BUCKET}`,
      `as ${ACCOUNT}, by a token that the command does not get, wait, 2m at the most, until storage.objects.get on ${BUCKET} works`,
    ]);
    expect(planned.steps[2]).toMatch(/^then, for the command, trade the OIDC token/);
    expect(planned.ending.detail.split("; ").slice(0, 2)).toEqual([
      "or revoked, where the lease's own token is seen to have lost it",
      `at the end ${GRANTER} takes the roles off ${BUCKET}`,
    ]);
    expect(plan(gcpSettings({ entitlement: ENTITLEMENT })).ending.detail).not.toContain("or revoked");
    expect(planned.narrowing[0]).toBe(
      `${VIEWER} on ${BUCKET}, for this lease alone, until 1970-01-01T00:17:00Z at the latest`,
    );
    expect(planned.ending).toMatchObject({
      word: "removed",
      detail: expect.stringMatching(/7 or longer; failing that/),
    });
    expect(planned.facts).toMatchObject({ granter: GRANTER, bindings: [`${VIEWER} on ${BUCKET}`], revoke: "auto" });
    expect(planned.undo).toEqual({
      revoke: "auto",
      boundAt: "1970-01-01T00:17:00Z",
      provider: PROVIDER,
      serviceAccount: ACCOUNT,
      granter: GRANTER,
      resources: [BUCKET],
      roles: [VIEWER],
      readyAt: BUCKET,
      permissions: ["storage.objects.get"],
      audiences: [`https://iam.googleapis.com/${PROVIDER}`],
    });
  });

  it("of an entitlement counts the half hour that Google gives at least, from when it is active", () => {
    const { steps, undo } = plan(gcpSettings({ entitlement: ENTITLEMENT }));
    expect(steps[0]).toBe(`as ${ACCOUNT}, ask for a grant of ${ENTITLEMENT}, and wait until it is active`);
    expect(undo).toMatchObject({ entitlement: ENTITLEMENT, resources: [], boundAt: "1970-01-01T00:35:00Z" });
  });

  it("with revoke: none ends as the token does, and takes nothing back", () => {
    const settings = rightsSettings();
    const { steps, ending, undo } = planGcpGrant(settings, { ...grantTerms(900, 0), revoke: "none" }, fakeRuntime());
    expect(ending).toMatchObject({ word: "expires", detail: expect.stringContaining("ends by itself") });
    expect(steps.at(-1)).toMatch(/impersonate/);
    expect(undo).toEqual({ revoke: "none", boundAt: "1970-01-01T00:15:00Z" });
  });

  it("has rights only where something is given", () => {
    expect(
      [gcpSettings(), rightsSettings(), gcpSettings({ entitlement: ENTITLEMENT })].map((one) =>
        gcpCloud.hasRights?.(one),
      ),
    ).toEqual([false, true, true]);
  });

  it.each<{ name: string; settings: GcpSettings; said: RegExp }>([
    {
      name: "nobody who gives",
      settings: (({ granter: _none, ...rest }) => rest)(rightsSettings()),
      said: /by nobody/,
    },
    {
      name: "a granter that is the command's own account",
      settings: rightsSettings({ granter: { serviceAccount: ACCOUNT } }),
      said: /what the command itself is/,
    },
    ...["owner", "editor", "viewer"].map((role) => ({
      name: `the basic role ${role}`,
      settings: rightsSettings({ bindings: [{ role: `roles/${role}`, resource: PROJECT }] }),
      said: /takes no condition/,
    })),
    {
      name: "a resource of another kind",
      settings: rightsSettings({
        bindings: [{ role: VIEWER, resource: "//pubsub.googleapis.com/projects/p/topics/t" }],
      }),
      said: /nothing can be given/,
    },
    { name: "an entitlement that is none", settings: gcpSettings({ entitlement: "deploy" }), said: /which is none/ },
    {
      name: "two places to try what is ready",
      settings: rightsSettings({ bindings: [BUCKET, PROJECT].map((resource) => ({ role: VIEWER, resource })) }),
      said: /does not say where/,
    },
    {
      name: "a place to try it that is none",
      settings: rightsSettings({ ready: { ...READY, at: "my-bucket" } }),
      said: /gcp.ready.at names my-bucket/,
    },
  ])("is CONFIG_INVALID with $name", async ({ settings, said }) => {
    const error = await thrownBy(() => plan(settings));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(said), exitCode: 78 });
    expect(error.hint).toBeDefined();
  });

  it("tells overrides of the services that it uses, and of no others", () => {
    const names = ["CLOUDRESOURCEMANAGER", "STORAGE", "IAM", "PRIVILEGEDACCESSMANAGER"];
    const variables = names.map((name) => `CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`);
    const env = Object.fromEntries(variables.map((variable) => [variable, "http://127.0.0.1:1/x"]));
    const [, storage, , pam] = variables;
    const told = (settings: GcpSettings) => plan(settings, env).endpoints.map(({ variable }) => variable);
    expect(told(rightsSettings())).toEqual([storage]);
    expect(told(gcpSettings({ entitlement: ENTITLEMENT }))).toEqual([pam]);
    expect(told(gcpSettings())).toEqual([]);
    expect(plan(rightsSettings(), { [storage ?? ""]: "https://storage.googleapis.com/storage/v1" }).endpoints).toEqual(
      [],
    );
  });

  it("refuses an override that would send tokens without TLS", async () => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "http://storage.example/" };
    expect(await thrownBy(() => plan(rightsSettings(), env))).toMatchObject({ code: "ENDPOINT_INVALID" });
  });
});
