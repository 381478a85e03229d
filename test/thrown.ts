import { AgentctlError } from "../src/core/errors.js";

/** The AgentctlError that an operation fails with; anything else fails the test. */
export async function thrownBy(operation: () => unknown): Promise<AgentctlError> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof AgentctlError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
