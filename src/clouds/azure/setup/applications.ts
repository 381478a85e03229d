import type { AzureSettings } from "../../../core/profile.js";

/** What a profile has that was written before its application was made. */
export const NOT_MADE_YET = "00000000-0000-0000-0000-000000000000";

/** An application that takes the caller's token. */
export interface Application {
  /** What it is called in what is written: `profile`, `profile_2`, …, `granter`. */
  readonly label: string;
  /** Absent where there is none yet: it is made then, and its id goes into the profile. */
  readonly clientId?: string;
  readonly displayName: string;
  /** The key of the profile that names it. */
  readonly key: string;
}

/** Those that a lease may be, the first first. */
export function applicationsOf({ clientId, otherClientIds }: AzureSettings, name: string): readonly Application[] {
  return [clientId, ...otherClientIds].map((id, index) => ({
    label: index === 0 ? "profile" : `profile_${index + 1}`,
    ...idOf(id),
    // az takes an application of the same display name for the one that it was to make.
    displayName: index === 0 ? name : `${name}-${index + 1}`,
    key: otherClientIds.length === 0 ? "client_id" : `client_ids[${index}]`,
  }));
}

/** Who gives the assignments; undefined where nothing is assigned. */
export function granterOf({ granter, assignments }: AzureSettings, name: string): Application | undefined {
  if (granter === undefined || assignments.length === 0) return undefined;
  return { label: "granter", ...idOf(granter.clientId), displayName: `${name}-granter`, key: "granter.client_id" };
}

function idOf(clientId: string): Pick<Application, "clientId"> {
  return clientId === NOT_MADE_YET ? {} : { clientId };
}
