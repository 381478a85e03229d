export { type EndedStrays, endStrays, type StraysOrder } from "./end-strays.js";
export { type Interruption, watchInterruption } from "./interruption.js";
export { findOnPath, resolveCommand } from "./resolve-command.js";
export { type ChildOrder, runChild } from "./run-child.js";
export { type ClosingStage, type ClosingWatch, ignoreSignals, watchClosing } from "./watch-closing.js";
