import type { GcpSettings } from "../../../core/profile.js";

/** Of the settings, whom to be. */
export type Identities = Pick<GcpSettings, "workloadIdentityProvider" | "serviceAccount" | "granter" | "audiences">;
