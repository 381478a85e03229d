export { detectActor } from "./actor.js";
export { parseCommandPattern } from "./command-pattern.js";
export { type DecisionInput, decide, permitActor } from "./decide.js";
