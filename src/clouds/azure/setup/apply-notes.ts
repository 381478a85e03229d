import type { TrustFormat } from "../../../core/trust.js";
import { hclNamer } from "../../setup/hcl-name.js";
import { TERRAFORM_AWAY } from "../../setup/header.js";
import { type Application, NOT_MADE_YET } from "./applications.js";
import type { GranterPlan } from "./granter-plan.js";

/** What is made, by its names. */
interface Planned {
  readonly profileName: string;
  readonly clients: readonly Application[];
  readonly granter?: GranterPlan;
  readonly displayName: string;
  readonly credentialName: string;
}

/** What has to be there before, in which order it is done, and who may. */
export function applyNotes(plan: Planned, format: TrustFormat<"azure">): readonly string[] {
  const giver =
    plan.granter === undefined ? "" : "; and on each scope of the granter Owner or User Access Administrator";
  if (format === "bicep") return [`whoever applies it needs Contributor on the resource group${giver}`];
  return [
    ...orderNotes(plan, format),
    `whoever applies it needs Application Administrator in Microsoft Entra, or owns the applications${giver}`,
    "where Azure says that what was just made is not there, wait a minute and apply it again: nothing is made twice",
  ];
}

/** How what was made is taken away again, as it was written. */
export function awayNotes(plan: Planned, format: TrustFormat<"azure">): readonly string[] {
  const { displayName, credentialName, granter } = plan;
  const roles = granter === undefined ? [] : ["first delete the granter's role assignment on each scope"];
  if (format === "terraform") return [TERRAFORM_AWAY, "applications that this made go with it"];
  if (format === "bicep") {
    const names = [displayName, ...(granter === undefined ? [] : [`${displayName}-granter`])];
    return [...roles, `delete the managed identity ${names.join(" and ")}, with az identity delete`];
  }
  return [
    ...roles,
    `of each application: az ad app federated-credential delete --id CLIENT_ID --federated-credential-id ${credentialName}; or az ad app delete, which ends the application itself`,
  ];
}

function orderNotes({ profileName, clients, granter }: Planned, format: TrustFormat<"azure">): readonly string[] {
  const applications = [...clients, ...(granter === undefined ? [] : [granter.application])];
  const unmade = applications.filter(({ clientId }) => clientId === undefined);
  const there = applications.filter(({ clientId }) => clientId !== undefined);
  const notes: string[] = [];
  if (there.length > 0) {
    notes.push(
      `${keysOf(there)}: an application that has to be there already, with its service principal. With ${NOT_MADE_YET} in its place setup has one made`,
    );
  }
  if (unmade.length === 0) return notes;
  notes.push(`${keysOf(unmade)}: made anew. Apply this, then put the ids that it tells into the profile`);
  if (format === "terraform") {
    const name = hclNamer(profileName);
    const made = unmade.flatMap(({ label }) =>
      ["azuread_application", "azuread_service_principal"].map((type) => `${type}.${name(label)}`),
    );
    notes.push(
      `written again with the ids in the profile, this looks the applications up and would delete what it made: terraform state rm ${made.join(" ")} goes before`,
    );
  }
  return notes;
}

function keysOf(applications: readonly Application[]): string {
  return applications.map(({ key }) => key).join(", ");
}
