import type { AzureSettings } from "../../core/profile.js";

/** Who signs in: the lease's own application, another of its pool, or the granter. */
export interface Application extends Pick<AzureSettings, "tenantId" | "clientId" | "audiences"> {
  /** What the profile names it by; absent: `azure.client_id`. */
  readonly setting?: string;
}
