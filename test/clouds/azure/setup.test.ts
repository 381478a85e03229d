import { describe, expect, it } from "vitest";
import { azureTrust } from "../../../src/clouds/azure/setup/index.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import type { TrustFormat, TrustScope } from "../../../src/core/trust.js";
import { thrownBy } from "../../thrown.js";
import { HOSTILE } from "../setup/hostile.js";
import { GITHUB, SUBJECT, scopeOf } from "../setup/scopes.js";

const SETTINGS: AzureSettings = {
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "00000000-0000-0000-0000-000000000001",
  otherClientIds: [],
  assignments: [],
  allowUnbounded: false,
  scopes: ["https://management.azure.com/.default"],
  audiences: ["api://AzureADTokenExchange"],
};
const AUDIENCE = "api://AzureADTokenExchange";

function write(format: TrustFormat<"azure">, scope: TrustScope, settings: Partial<AzureSettings> = {}): string {
  const all = { ...SETTINGS, ...settings };
  return azureTrust.write({ profileName: "deploy.web", ttlSeconds: 1_800, settings: all, scope, format }).text;
}

/** What the script would send to Entra: the one JSON word in it. */
function credentialOf(text: string): unknown {
  const word = /^credential='(.*?)'$/ms.exec(text)?.[1] ?? "";
  return JSON.parse(word.replaceAll("'\\''", "'"));
}

describe("the federated credential", () => {
  const scope = scopeOf({ audience: AUDIENCE });

  it("has exactly the issuer, the subject and the audience", () => {
    expect(credentialOf(write("cli", scope))).toEqual({
      name: "agentctl-deploy-web",
      description: "agentctl: profile deploy.web",
      issuer: GITHUB,
      subject: SUBJECT,
      audiences: [AUDIENCE],
    });
  });

  it.each(HOSTILE.map((text) => ({ text })))("has $text as text", ({ text }) => {
    const subject = `robot ${text}x`;
    const hostile = scopeOf({ issuer: "https://login.acme.example", subject, claims: {}, audience: AUDIENCE });
    expect(credentialOf(write("cli", hostile))).toMatchObject({ subject });
  });

  it.each([
    { name: "a subject that says less than the claims", scope: scopeOf({ subject: "repository_owner:acme" }) },
    { name: "a pin", scope: scopeOf({}, ["job_workflow_ref"]) },
  ])("is not written for $name, which Entra cannot test", async ({ scope: wide }) => {
    expect((await thrownBy(() => write("cli", wide))).code).toBe("TRUST_TOO_WIDE");
  });

  it("says that the ids are not tested", () => {
    const request = { profileName: "p", ttlSeconds: 900, settings: SETTINGS, scope, format: "terraform" } as const;
    expect(azureTrust.write(request).notes.join("\n")).toMatch(/cannot test repository_id/);
  });
});

describe("the application", () => {
  const scope = scopeOf({ audience: AUDIENCE });
  it.each([
    { name: "the profile's", clientId: SETTINGS.clientId, want: /^data "azuread_application" "deploy_web_profile"/m },
    {
      name: "a new one, where the profile has none yet",
      clientId: "00000000-0000-0000-0000-000000000000",
      want: /^resource "azuread_application" "deploy_web_profile"/m,
    },
  ])("is $name", ({ clientId, want }) => {
    expect(write("terraform", scope, { clientId })).toMatch(want);
  });

  it.each(["terraform", "bicep", "cli"] as const)(
    "in %s is given no role, and nothing on the subscription",
    (format) => {
      const code = write(format, scope)
        .split("\n")
        .filter((line) => !/^\s*(#|\/\/)/.test(line))
        .join("\n");
      expect(code).not.toMatch(/role|subscription\b/i);
    },
  );

  it("is looked for in the profile's tenant only where that is told by its id", () => {
    expect(write("cli", scope)).toContain("!= 11111111-2222-3333-4444-555555555555 ]");
    expect(write("cli", scope, { tenantId: "contoso.onmicrosoft.com" })).not.toContain("az account show");
  });
});
