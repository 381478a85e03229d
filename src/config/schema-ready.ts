import * as z from "zod/mini";
import { tryParseDuration } from "../core/durations.js";
import type { ReadySettings } from "../core/profile.js";
import { quoteValue } from "./problems.js";
import { durationValue, filledList, textValue } from "./schema-values.js";

/** Where a profile does not say how long is waited. */
export const DEFAULT_TIMEOUT_SECONDS = 300;
const MAX_TIMEOUT_SECONDS = 1800;

/**
 * The `ready` block of a cloud's: `permission` is what one looks like there (a regular expression), `example` is one,
 * and `at` where they are tried.
 */
export function readyValue<At extends z.core.$ZodType>(permission: string, example: string, at: At) {
  const expression = new RegExp(permission);
  const permissions = filledList(
    `What has to work before the command starts, such as ${example}`,
    textValue(
      "A permission",
      (value) => (expression.test(value) ? undefined : `${quoteValue(value)} is not a permission such as ${example}`),
      { pattern: permission, examples: [example] },
    ),
  );
  return z
    .strictObject({
      permissions,
      at: z.optional(at),
      timeout: z.optional(durationValue("How long is waited for it, 1s to 30m. Default 5m", 1, MAX_TIMEOUT_SECONDS)),
    })
    .register(z.globalRegistry, {
      description: "What is tried, as the lease, until it works; the lease's time begins then",
    });
}

interface WrittenReady {
  readonly permissions: readonly string[];
  readonly at?: string | undefined;
  readonly timeout?: string | undefined;
}

/** `at`, where it is written, in the words that the cloud's room knows. */
export function resolveReady(ready: WrittenReady, at: string | undefined): ReadySettings {
  return {
    permissions: ready.permissions,
    ...(at !== undefined && { at }),
    timeoutSeconds:
      (ready.timeout === undefined ? undefined : tryParseDuration(ready.timeout)) ?? DEFAULT_TIMEOUT_SECONDS,
  };
}
