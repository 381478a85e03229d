import type { ServiceRequest, TakeNotes } from "../../service.js";
import type { Caller } from "../arm-caller.js";
import type { AzureContext } from "../context.js";
import type { AuthorizationTarget } from "./target.js";

/** One request to Microsoft.Authorization, of somebody known. */
export interface AuthorizationCall {
  readonly request: ServiceRequest;
  readonly target: AuthorizationTarget;
  readonly caller: Caller;
  readonly context: AzureContext;
  /** The parameter `$filter`. */
  readonly filter: string | undefined;
  /** For what the request is about: the log's. */
  readonly note: TakeNotes;
}
