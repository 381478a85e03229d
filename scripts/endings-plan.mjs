// Which runs `npm run endings` makes to be killed: each step in turn with each variant, and moments spread over a life.
import { FINISHING, STEPS } from "./endings-steps.mjs";

/**
 * `kill`: agentctl alone; its whole tree, as a runner does it; the watchdog as well, so that a sweep has to do it (both);
 * or the watchdog later, while it ends the lease (twice).
 */
const VARIANTS = [
  { profile: "env", kill: "agentctl" },
  { profile: "endpoint", kill: "tree" },
  { profile: "env", traits: ["stubborn"], kill: "agentctl" },
  { profile: "endpoint", traits: ["daemon"], kill: "agentctl" },
  { profile: "env", traits: ["receipt"], kill: "both" },
  { profile: "endpoint", traits: ["receipt"], kill: "agentctl" },
  { profile: "env", traits: ["daemon", "stubborn"], kill: "tree" },
  { profile: "endpoint", traits: ["stubborn"], kill: "both" },
  { profile: "env", traits: ["receipt", "daemon"], kill: "agentctl" },
  { profile: "env", traits: ["daemon"], kill: "twice" },
  { profile: "endpoint", traits: ["receipt"], kill: "twice" },
];
/** Of all runs; the others are killed at a moment. */
const SHARE_OF_STEPS = 0.6;

/** `share`: of a life, for a run that is killed at a moment. */
export function planRuns(count) {
  const stepCount = Math.round(count * SHARE_OF_STEPS);
  const momentCount = count - stepCount;
  const steps = Array.from({ length: stepCount }, (_, number) => {
    const index = stepCount < STEPS.length ? Math.floor((number * STEPS.length) / stepCount) : number;
    const step = STEPS[index % STEPS.length];
    return { ...vary(index + Math.floor(index / STEPS.length), step.needs), step };
  });
  const moments = Array.from({ length: momentCount }, (_, number) => ({
    ...vary(number),
    share: (number + 0.5) / momentCount,
  }));
  return [...steps, ...moments].map((plan, number) => ({ ...plan, number, ...finishing(plan, number) }));
}

/** What agentctl had asked for when it was killed gets there all the same, or does not. */
function vary(number, needed) {
  const { profile, kill, traits = [] } = VARIANTS[number % VARIANTS.length];
  const missing = needed === undefined || traits.includes(needed) ? [] : [needed];
  return { profile, kill, traits: [...traits, ...missing], isLost: number % 2 === 1 };
}

function finishing({ kill }, number) {
  return kill === "twice" ? { finishing: FINISHING[number % FINISHING.length] } : {};
}

export function describePlan({ number, step, share, profile, kill, traits, isLost }) {
  const where = step === undefined ? `after ${(share * 100).toFixed(0)} % of a life` : step.name;
  const how = [profile, ...traits, `kill ${kill}`, ...(isLost ? ["its call is lost"] : [])].join(", ");
  return `run ${number}, ${where} (${how})`;
}
