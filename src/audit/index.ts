export { type Account, appendAccount } from "./account.js";
export type { AuditRecord, ChainHead } from "./chain.js";
export type { BreakKind, ChainBreak } from "./chain-break.js";
export { describeCommand } from "./command.js";
export { EXPORT_FORMATS, type ExportFormat, exportEvents, writeExport } from "./export.js";
export type { EventFilter } from "./filter.js";
export {
  appendFinishedLease,
  type FinishedLease,
  findRecordedEnd,
  type RecordedEnd,
  writeFinishedReceipt,
} from "./finished-lease.js";
export {
  appendRenewal,
  appendRenewalFailure,
  appendRequest,
  type RecordedRequest,
} from "./lease-events.js";
export { appendEvent, checkAuditWritable } from "./log.js";
export { type FollowRules, followEvents, type LoggedRecord, readEvents, readLastEvents } from "./read.js";
export { type Receipt, reserveReceipt } from "./receipt.js";
export { type HappeningRecorder, recordHappenings } from "./record-happenings.js";
export { concludeRun, recordEnd, recordFailure } from "./record-lease.js";
export { type Verification, verifyLog } from "./verify.js";
