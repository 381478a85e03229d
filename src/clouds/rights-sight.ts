import { type AgentctlError, toAgentctlError } from "../core/errors.js";

/**
 * One thing that was looked at before anything is given. `note` is worth knowing, or was not tried; with a `warn` a run
 * goes on without it; with a `fail` it stops.
 */
export type RightsSight =
  | { readonly status: "ok" | "note"; readonly text: string }
  | { readonly status: "warn" | "fail"; readonly text: string; readonly error: AgentctlError };

export type RightsSights = readonly RightsSight[];

/** As it should be, in a sentence. */
export function seen(text: string): RightsSight {
  return { status: "ok", text };
}

/** What nobody has to mend, in a sentence. */
export function remark(text: string): RightsSight {
  return { status: "note", text };
}

/** What a run would stop with; `text` is what was looked at. */
export function wrong(text: string, error: AgentctlError): RightsSight {
  return { status: "fail", text, error };
}

/** What a run would go on without; `text` is what was looked at. */
export function doubtful(text: string, error: AgentctlError): RightsSight {
  return { status: "warn", text, error };
}

/**
 * What `look` sees, or why it could not; `text` is what is looked at.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export async function sightsOf(text: string, look: () => Promise<RightsSights>): Promise<RightsSights> {
  try {
    return await look();
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    return [wrong(text, error)];
  }
}
