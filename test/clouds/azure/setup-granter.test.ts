import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { givingCondition } from "../../../src/clouds/azure/setup/granter-plan.js";
import { azureTrust } from "../../../src/clouds/azure/setup/index.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import type { TrustFormat } from "../../../src/core/trust.js";
import { scopeOf } from "../setup/scopes.js";

const AUDIENCE = "api://AzureADTokenExchange";
const NOT_MADE = "00000000-0000-0000-0000-000000000000";
const CLIENT = "00000000-0000-0000-0000-000000000001";
const OTHER = "00000000-0000-0000-0000-000000000002";
const GRANTER = "00000000-0000-0000-0000-000000000003";
const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const WEB = "/subscriptions/s/resourceGroups/web";
const DATA = "/subscriptions/s/resourceGroups/data";
const SETTINGS: AzureSettings = {
  tenantId: "contoso.onmicrosoft.com",
  clientId: CLIENT,
  otherClientIds: [],
  granter: { clientId: GRANTER },
  assignments: [{ role: "Reader", scope: WEB }],
  allowUnbounded: false,
  scopes: ["https://management.azure.com/.default"],
  audiences: [AUDIENCE],
};

function write(format: TrustFormat<"azure">, settings: Partial<AzureSettings> = {}) {
  const all = { ...SETTINGS, ...settings };
  const scope = scopeOf({ audience: AUDIENCE });
  return azureTrust.write({ profileName: "deploy.web", ttlSeconds: 1_800, settings: all, scope, format });
}

/** Answers as az would, where the only role that there is is Reader; each call is a line of its own, its words between tabs. */
const FAKE_AZ = `#!/bin/sh
printf '%s\\t' "$@" | tr '\\n' ' ' >> "$CALLS"
echo >> "$CALLS"
case "$*" in
  "ad sp show --id $MISSING" | "ad sp show --id $MISSING "*) exit 3 ;;
  "ad sp show --id "*) echo "object-of-$5" ;;
  "role definition list --name Reader "*) echo ${READER} ;;
  "ad app create "*) echo new-client ;;
  "ad app federated-credential list "*) cat "$THERE" ;;
  "role assignment create "*) if [ -n "$CONDITION" ]; then echo "$CONDITION"; else shift 14; echo "$1"; fi ;;
esac
`;

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-az-"));
  fs.writeFileSync(path.join(dir, "az"), FAKE_AZ, { mode: 0o755 });
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

interface Az {
  /** The credential that the applications have already. */
  readonly there?: string;
  /** Of the granter's assignment, where it has one already. */
  readonly condition?: string;
  /** An application that has no service principal. */
  readonly missing?: string;
}

/** Runs the script with that az. */
function run(settings: Partial<AzureSettings> = {}, { there = "", condition = "", missing = "none" }: Az = {}) {
  const [calls, credential] = ["calls", "there"].map((name) => path.join(dir, name)) as [string, string];
  fs.writeFileSync(calls, "");
  fs.writeFileSync(credential, there);
  const env = { PATH: `${dir}:/usr/bin:/bin`, CALLS: calls, THERE: credential, CONDITION: condition, MISSING: missing };
  const input = write("cli", settings).text;
  const { status, stdout, stderr } = spawnSync("sh", [], { input, env, encoding: "utf8" });
  const lines = fs.readFileSync(calls, "utf8").split("\n");
  return { status, stdout, stderr, calls: lines.map((line) => line.split("\t").slice(0, -1)) };
}

function optionsOf(call: readonly string[]): Record<string, string> {
  const names = call.flatMap((word, index) => (word.startsWith("--") ? [[word, call[index + 1] ?? ""]] : []));
  return Object.fromEntries(names) as Record<string, string>;
}

const assignmentsOf = ({ calls }: ReturnType<typeof run>) =>
  calls.filter(([first, second]) => first === "role" && second === "assignment").map(optionsOf);
const federatedOf = ({ calls }: ReturnType<typeof run>) =>
  calls
    .filter((call) => call[2] === "federated-credential" || call[3] === "create")
    .filter((call) => call[3] === "create");

describe("the condition", () => {
  it("is for those roles and principals alone, given and taken", () => {
    const condition = givingCondition("R", "P");
    const [written, deleted] = condition.split(" AND ((!");
    expect(written).toContain("ActionMatches{'Microsoft.Authorization/roleAssignments/write'}");
    expect(written).toMatch(
      /@Request\[[^\]]*:RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals \{R\} AND @Request\[[^\]]*:PrincipalId\] ForAnyOfAnyValues:GuidEquals \{P\}/,
    );
    expect(deleted).toContain("ActionMatches{'Microsoft.Authorization/roleAssignments/delete'}");
    expect(deleted).toMatch(
      /@Resource\[[^\]]*:RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals \{R\} AND @Resource\[[^\]]*:PrincipalId\] ForAnyOfAnyValues:GuidEquals \{P\}/,
    );
    expect(condition.split("(").length).toBe(condition.split(")").length);
  });
});

describe("the script", () => {
  it("gives the granter its role on exactly the scopes, for the roles of each", () => {
    const assignments = [
      { role: "Reader", scope: WEB },
      { role: BLOB_READER, scope: DATA },
    ];
    const done = run({ otherClientIds: [OTHER], assignments });
    expect(done, done.stderr).toMatchObject({ status: 0 });
    const principals = `object-of-${CLIENT}, object-of-${OTHER}`;
    const common = {
      "--role": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
      "--assignee-object-id": `object-of-${GRANTER}`,
      "--condition-version": "2.0",
    };
    expect(assignmentsOf(done)).toEqual([
      expect.objectContaining({ ...common, "--scope": WEB, "--condition": givingCondition(READER, principals) }),
      expect.objectContaining({ ...common, "--scope": DATA, "--condition": givingCondition(BLOB_READER, principals) }),
    ]);
  });

  it("has the caller's token taken by the pool and by the granter", () => {
    const done = run({ otherClientIds: [OTHER] });
    expect(federatedOf(done).map((call) => optionsOf(call)["--id"])).toEqual([CLIENT, OTHER, GRANTER]);
    expect(done.stdout).toBe(
      `ready: client_ids[0] ${CLIENT}\nready: client_ids[1] ${OTHER}\nready: granter.client_id ${GRANTER}\n`,
    );
  });

  it("makes what is still to be made", () => {
    const done = run({ clientId: NOT_MADE, granter: { clientId: NOT_MADE } });
    const made = done.calls.filter((call) => call.slice(0, 3).join(" ") === "ad app create");
    expect(made.map((call) => optionsOf(call)["--display-name"])).toEqual([
      "agentctl-deploy-web",
      "agentctl-deploy-web-granter",
    ]);
  });

  it("makes no service principal twice, and no application of the pool for another", () => {
    const made = (missing: string) =>
      run({ clientId: CLIENT, otherClientIds: [NOT_MADE] }, { missing }).calls.map((call) =>
        call.slice(0, 5).join(" "),
      );
    expect(made("new-client")).toEqual(expect.arrayContaining(["ad sp create --id new-client"]));
    const again = made("none");
    expect(again.filter((call) => call.startsWith("ad sp create"))).toEqual([]);
    expect(again).toContain("ad app create --display-name agentctl-deploy-web-2");
  });

  it("gives nothing where a role is not found", () => {
    const done = run({ assignments: [{ role: "Raeder", scope: WEB }] });
    expect(done).toMatchObject({ status: 1, stderr: `there is no role Raeder at ${WEB}\n` });
    expect(assignmentsOf(done)).toEqual([]);
  });

  it("keeps a credential that is the same, and stops at another", () => {
    const { issuer, subject } = scopeOf();
    const same = run({}, { there: `${issuer}\t${subject}\t${AUDIENCE}\n` });
    expect(same, same.stderr).toMatchObject({ status: 0 });
    expect(federatedOf(same)).toEqual([]);
    const other = run({}, { there: `${issuer}\trepo:acme/other\t${AUDIENCE}\n` });
    expect(other.status).toBe(1);
    expect(other.stderr).toContain("another credential agentctl-deploy-web already");
    expect(assignmentsOf(other)).toEqual([]);
  });
});

describe("a script that was run before", () => {
  const principals = `object-of-${CLIENT}`;

  it("is through where the granter's condition is the same", () => {
    expect(run({}, { condition: givingCondition(READER, principals) })).toMatchObject({ status: 0 });
  });

  it.each([
    { name: "another", condition: givingCondition(READER, `${principals}, object-of-${OTHER}`) },
    { name: "none", condition: "None" },
  ])("stops where it is $name: az leaves what is there as it is", ({ condition }) => {
    const done = run({}, { condition });
    expect(done).toMatchObject({ status: 1, stdout: "" });
    expect(done.stderr).toContain(`Role Based Access Control Administrator on ${WEB} already, under another condition`);
  });

  it("gives nothing where an application of the pool has no service principal", () => {
    const done = run({ otherClientIds: [OTHER] }, { missing: CLIENT });
    expect(done.status).toBe(3);
    expect(assignmentsOf(done)).toEqual([]);
  });
});

describe("Terraform", () => {
  it("looks names up, and takes ids as they are", () => {
    const assignments = [
      { role: "Reader", scope: WEB },
      { role: `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${BLOB_READER}`, scope: WEB },
    ];
    const { text } = write("terraform", { assignments });
    expect(text.match(/data "azurerm_role_definition"/g)).toHaveLength(1);
    expect(text).toContain(
      `join(", ", [basename(data.azurerm_role_definition.deploy_web_given_1_1.id), "${BLOB_READER}"])`,
    );
    expect(text).toContain('join(", ", [data.azuread_service_principal.deploy_web_profile.object_id])');
    expect(text).toMatch(/role_definition_name = "Role Based Access Control Administrator"/);
    expect(text).toMatch(/principal_type += "ServicePrincipal"/);
  });

  it.each([
    { name: "a scope's subscription", scope: WEB, want: /subscription_id += "s"\n/ },
    {
      name: "no subscription, where none is told",
      scope: "/providers/Microsoft.Management/managementGroups/acme",
      want: /takes the subscription of ARM_SUBSCRIPTION_ID\.\nprovider "azurerm" \{\n(?! *subscription_id)/,
    },
  ])("has a provider of its own, which cannot be planned without, for $name", ({ scope, want }) => {
    const { text } = write("terraform", { assignments: [{ role: "Reader", scope }] });
    expect(text).toMatch(want);
    expect(text).toMatch(/alias += "deploy_web_azure"\n[^}]*features \{\}\n\}/);
    const uses = text.split(/^(?=data |resource )/m).filter((block) => /^\w+ "azurerm_/.test(block));
    expect(uses).toHaveLength(2);
    for (const block of uses) expect(block).toMatch(/^ {2}provider += azurerm\.deploy_web_azure$/m);
  });
});

describe("what is to be known", () => {
  it.each(["terraform", "bicep", "cli"] as const)("stands in %s, which gives the task nothing for good", (format) => {
    const { text, notes } = write(format);
    expect(text).not.toContain("TO BE FILLED IN");
    expect(notes.join("\n")).toMatch(/could not be verified/);
    expect(notes.join("\n")).toMatch(/by default they refuse a permanent one, and one without a justification/);
  });

  const UNMADE = { clientId: NOT_MADE, granter: { clientId: NOT_MADE } };
  it.each([
    { format: "terraform", settings: {}, told: ["has to be there already", NOT_MADE], not: ["made anew", "state rm"] },
    { format: "cli", settings: {}, told: ["has to be there already", NOT_MADE], not: ["made anew"] },
    {
      format: "terraform",
      settings: UNMADE,
      told: [
        "client_id, granter.client_id: made anew. Apply this, then put the ids",
        "terraform state rm azuread_application.deploy_web_profile azuread_service_principal.deploy_web_profile azuread_application.deploy_web_granter ",
      ],
      not: ["has to be there already"],
    },
    { format: "cli", settings: UNMADE, told: ["made anew"], not: ["has to be there already", "state rm"] },
  ] as const)("is which applications $format makes, and in which order", ({ format, settings, told, not }) => {
    const notes = write(format, settings).notes.join("\n");
    for (const part of told) expect(notes).toContain(part);
    for (const part of not) expect(notes).not.toContain(part);
  });

  it.each([
    { format: "terraform", want: "delete this file and apply" },
    { format: "cli", want: "first delete the granter's role assignment on each scope" },
    { format: "bicep", want: "delete the managed identity agentctl-deploy-web and agentctl-deploy-web-granter" },
  ] as const)("is how it is taken away again, in $format", ({ format, want }) => {
    const text = write(format).text.replaceAll(/\n(?:#|\/\/) +/g, " ");
    expect(text.split("To take it away again:")[1]).toContain(want);
  });

  it("is that what is given without an end may stay", () => {
    expect(write("cli", { allowUnbounded: true }).notes.join("\n")).toMatch(/allow_unbounded needs no PIM/);
  });
});
