import type { AzureSettings } from "../../core/profile.js";

/** Who signs in: the lease's own application, another of its pool, or the granter. */
export type Application = Pick<AzureSettings, "tenantId" | "clientId" | "audiences">;
