import { AgentctlError } from "../../../core/errors.js";
import type { GrantTerms, RightsContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Story } from "../../story.js";
import type { Arm } from "./arm.js";
import { type Busy, busyError, soonestOf, waitingLine } from "./busy.js";
import { give, type Holder } from "./give.js";
import { nameTarget } from "./names.js";
import type { Rights } from "./rights-settings.js";
import { type GivingTerms, lastGivingAt } from "./undo.js";

const FIRST_PAUSE_MS = 2_000;
/** Whoever has waited for long is not to be behind those who have only just come. */
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;
/** Of an application that is not let in: another one may be. */
export const NOT_LET_IN: readonly string[] = ["CLOUD_DENIED", "CONFIG_INVALID"];

export interface Taking {
  /** The granter's. */
  readonly arm: Arm;
  readonly rights: Rights;
  /** Of each assignment, its role's definition. */
  readonly roleDefinitionIds: readonly string[];
  readonly terms: Pick<GrantTerms, "leaseId"> & GivingTerms;
  readonly story: Story;
  /** The object id of an application of the pool. */
  findPrincipal(clientId: string): Promise<string>;
  /** What that application can do already, before it is given anything. */
  lookBefore(clientId: string): Promise<void>;
}

/** The applications that can be used, as far as is known. */
interface Pool {
  /** Of each, how many of the assignments it was given. */
  readonly progress: Map<string, number>;
  /** Why the first of those that cannot be used cannot be. */
  refusal?: AgentctlError;
}

type Telling = Pick<RightsContext, "onAsking" | "onNotice" | "freedAt">;

/**
 * Has all that the rights name assigned to the first application of the pool that nobody else has it of, waiting for
 * others where each is taken, and leaving out those that cannot be signed in. Answers which it is.
 * @throws {AgentctlError} ASSIGNMENT_BUSY, INTERRUPTED, and as `give` and `findPrincipal` do
 */
export async function takeRights(
  taking: Taking,
  context: Pick<RightsContext, "signal" | "onAsking" | "onProgress" | "onNotice" | "freedAt">,
  runtime: Pick<Runtime, "now" | "sleep" | "random">,
): Promise<string> {
  const { clientIds, waitSeconds } = taking.rights;
  const startedAt = runtime.now();
  const until = startedAt + waitSeconds * 1000;
  const pool: Pool = { progress: new Map(clientIds.map((clientId) => [clientId, 0])) };
  const waiting = { pauseMs: FIRST_PAUSE_MS, line: "" };
  while (true) {
    const round = await tryEach(taking, pool, context, runtime).catch((thrown: unknown) => {
      if (!isThrottling(thrown) || runtime.now() >= until) throw thrown;
      return undefined;
    });
    if (typeof round === "string") return round;
    if (round === undefined) {
      await pauseFor(LONGEST_PAUSE_MS * (0.75 + runtime.random() / 2), context.signal, runtime);
      continue;
    }
    const busy = soonestOf(round);
    const waitedSeconds = Math.round((runtime.now() - startedAt) / 1000);
    if (busy === undefined || runtime.now() >= until) {
      const sizes = { all: clientIds.length, usable: pool.progress.size };
      throw busyError(busy ?? (round[0] as Busy), sizes, waitedSeconds);
    }
    const line = waitingLine(busy);
    if (line !== waiting.line) context.onNotice(line);
    waiting.line = line;
    context.onProgress(line.replace("azure: ", ""), { since: startedAt, until });
    // Those who wait for one lease must not all come back at once.
    const pause = waiting.pauseMs * (0.75 + runtime.random() / 2);
    await pauseFor(Math.min(pause, until - runtime.now()), context.signal, runtime);
    waiting.pauseMs = Math.min(waiting.pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

/** What was given by then stays with who has it: nobody has to wait for it once more. */
function isThrottling(thrown: unknown): boolean {
  return thrown instanceof AgentctlError && thrown.code === "THROTTLED";
}

/** Whom of the pool all was given to, or why none could be. Who was given something is stayed with: Azure takes nothing back at once. */
async function tryEach(
  taking: Taking,
  pool: Pool,
  context: Telling,
  runtime: Pick<Runtime, "now">,
): Promise<string | readonly Busy[]> {
  const { progress } = pool;
  const begun = [...progress].find(([, count]) => count > 0)?.[0];
  const round: Busy[] = [];
  for (const clientId of begun === undefined ? progress.keys() : [begun]) {
    const principalId = await findUsable(taking, clientId, pool, context);
    if (principalId === undefined) continue;
    const busy = await tryOne(taking, { clientId, principalId }, progress, context, runtime);
    if (busy === undefined) return clientId;
    round.push(busy);
    if ((progress.get(clientId) ?? 0) > 0) return [busy];
  }
  return round;
}

/** The object id; undefined for an application that is not let in, which is told once and left out from then on. */
async function findUsable(
  { findPrincipal }: Taking,
  clientId: string,
  pool: Pool,
  { onNotice }: Telling,
): Promise<string | undefined> {
  try {
    return await findPrincipal(clientId);
  } catch (thrown) {
    if (!(thrown instanceof AgentctlError) || !NOT_LET_IN.includes(thrown.code)) throw thrown;
    pool.refusal ??= thrown;
    pool.progress.delete(clientId);
    if (pool.progress.size === 0) throw pool.refusal;
    const hint = thrown.hint === undefined ? "" : `; ${thrown.hint}`;
    onNotice(`azure: application ${clientId} of the pool cannot be used: ${thrown.message}${hint}`);
    return undefined;
  }
}

async function tryOne(
  { arm, rights, roleDefinitionIds, terms, story, lookBefore }: Taking,
  { clientId, principalId }: { readonly clientId: string; readonly principalId: string },
  progress: Map<string, number>,
  { onAsking, freedAt }: Telling,
  runtime: Pick<Runtime, "now">,
): Promise<Busy | undefined> {
  const { assignments, allowUnbounded } = rights;
  const given = progress.get(clientId) ?? 0;
  if (given === 0) await lookBefore(clientId);
  onAsking();
  for (let index = given; index < assignments.length; index += 1) {
    const { role, scope } = assignments[index] as Rights["assignments"][number];
    const roleDefinitionId = roleDefinitionIds[index] ?? "";
    if (runtime.now() > lastGivingAt(rights, terms)) throw tooLate(scope);
    const subject = { leaseId: terms.leaseId, clientId, role, scope, principalId, roleDefinitionId };
    const outcome = await give(arm, subject, { endsAt: terms.latestEndsAt, allowUnbounded }, runtime);
    if (outcome.kind === "busy") return { clientId, role, scope, holder: withFreedAt(outcome.holder, freedAt) };
    progress.set(clientId, index + 1);
    const how =
      outcome.kind === "plain"
        ? " by an assignment that does not end by itself, with the description"
        : ", with the justification";
    const mark = outcome.mark === undefined ? "" : `${how} '${outcome.mark}'`;
    story.tell(`gave ${nameTarget({ role, scope })} to application ${clientId}${mark}`);
  }
  return undefined;
}

function withFreedAt(holder: Holder, freedAt: RightsContext["freedAt"]): Holder {
  const at = holder.leaseId === undefined ? undefined : freedAt?.(holder.leaseId);
  return at === undefined ? holder : { ...holder, freedAt: at };
}

/** Such as on a machine that has slept meanwhile. */
function tooLate(scope: string): AgentctlError {
  return new AgentctlError(
    "NOT_READY",
    `the time in which something could be assigned at ${scope} for this lease is over`,
    {
      hint: "run it again; this machine may have slept meanwhile",
    },
  );
}
