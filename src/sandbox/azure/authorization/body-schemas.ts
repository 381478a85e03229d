import * as z from "zod/mini";

const text = z.optional(z.nullable(z.string()));

/** The body of a role assignment. */
export const assignmentSchema = z.looseObject({
  properties: z.looseObject({
    roleDefinitionId: z.string(),
    principalId: z.string(),
    principalType: text,
    description: text,
    condition: text,
    conditionVersion: text,
  }),
});
export type AssignmentBody = z.infer<typeof assignmentSchema>["properties"];

/** The body of a management lock. */
export const lockSchema = z.looseObject({
  properties: z.looseObject({ level: z.enum(["CanNotDelete", "ReadOnly"]), notes: text }),
});
export type LockBody = z.infer<typeof lockSchema>["properties"];

/** The body of a request to Privileged Identity Management. */
export const scheduleSchema = z.looseObject({
  properties: z.looseObject({
    roleDefinitionId: z.string(),
    principalId: z.string(),
    requestType: z.string(),
    justification: text,
    condition: text,
    conditionVersion: text,
    scheduleInfo: z.optional(
      z.nullable(
        z.looseObject({
          startDateTime: text,
          expiration: z.optional(z.nullable(z.looseObject({ type: text, endDateTime: text, duration: text }))),
        }),
      ),
    ),
  }),
});
export type ScheduleBody = z.infer<typeof scheduleSchema>["properties"];
