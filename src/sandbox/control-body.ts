import type * as z from "zod/mini";
import { check } from "./check.js";

/** What a route of the remote control cannot do anything with; the message is its answer. */
export class UnfitBody extends Error {}

/** @throws {UnfitBody} */
export function readControlBody<Schema extends z.core.$ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const checked = check(schema, body);
  if ("data" in checked) return checked.data;
  throw new UnfitBody(`${checked.wrong.path || "the body"}: ${checked.wrong.message}`);
}
