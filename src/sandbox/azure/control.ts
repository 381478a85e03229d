import * as z from "zod/mini";
import { readControlBody } from "../control-body.js";
import { type Assignments, AZURE_AUTHORIZERS } from "./authorization/assignments.js";

const count = z.optional(z.int().check(z.minimum(0)));
const azureSchema = z.strictObject({
  propagationMs: count,
  service: z.optional(z.enum(AZURE_AUTHORIZERS)),
  releaseMs: count,
  minimumAgeMs: count,
  provisioningMs: count,
});

/**
 * `POST azure` ({propagationMs?, service?, releaseMs?, minimumAgeMs?, provisioningMs?}), `GET azure` (all of it, and the
 * role assignments as they stand).
 */
export function createAzureControl(assignments: Assignments): Readonly<Record<string, (body: unknown) => unknown>> {
  return {
    "POST azure": (body) => {
      const { propagationMs, service, releaseMs, minimumAgeMs, provisioningMs } = readControlBody(azureSchema, body);
      if (propagationMs !== undefined) assignments.setPropagation(propagationMs, service);
      if (releaseMs !== undefined) assignments.setRelease(releaseMs);
      if (minimumAgeMs !== undefined) assignments.setMinimumAge(minimumAgeMs);
      if (provisioningMs !== undefined) assignments.setProvisioning(provisioningMs);
    },
    "GET azure": () => ({
      propagationMs: assignments.propagation(),
      releaseMs: assignments.release(),
      minimumAgeMs: assignments.minimumAge(),
      provisioningMs: assignments.provisioning(),
      roleAssignments: assignments.current(),
    }),
  };
}
