import type { CloudName } from "../core/profile.js";

/** The clouds' names as a user reads them. */
export const TITLES: Readonly<Record<CloudName, string>> = { aws: "AWS", azure: "Azure", gcp: "Google Cloud" };
