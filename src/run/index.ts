export { type Interruption, watchInterruption } from "./interruption.js";
export { resolveCommand } from "./resolve-command.js";
export { type ChildOrder, runChild } from "./run-child.js";
