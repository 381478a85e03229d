import type { CloudName } from "../core/profile.js";
import { projectSchema } from "./schema.js";
import { validate } from "./validate.js";

/** What `profile lint` would say of one value of a profile's cloud; undefined when it is well. */
export function explainCloudValue(cloud: CloudName, key: string, value: string): string | undefined {
  return firstComplaint({ profile: { [cloud]: { [key]: value } } });
}

/** What `profile lint` would say of a profile's name; undefined when it is well. */
export function explainProfileName(name: string): string | undefined {
  return firstComplaint({ [name]: {} });
}

function firstComplaint(profiles: Readonly<Record<string, object>>): string | undefined {
  const checked = validate(projectSchema, { version: 1, profiles });
  return "invalid" in checked ? checked.invalid[0]?.message : undefined;
}
