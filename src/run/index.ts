export { type Interruption, watchInterruption } from "./interruption.js";
export { findOnPath, resolveCommand } from "./resolve-command.js";
export { type ChildOrder, runChild } from "./run-child.js";
export { watchClosing } from "./watch-closing.js";
