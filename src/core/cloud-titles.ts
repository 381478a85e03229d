import type { CloudName } from "./profile.js";

/** The clouds' names as a user reads them. */
export const CLOUD_TITLES: Readonly<Record<CloudName, string>> = { aws: "AWS", azure: "Azure", gcp: "Google Cloud" };
