import { AgentctlError } from "../../../core/errors.js";
import type { Secret } from "../../../core/secret.js";
import type { Refusal, Service } from "../../exchange/failed-try.js";
import { fieldOf, textOf, type WireAnswer } from "../../exchange/wire.js";
import { armHint } from "./arm-hints.js";
import type { ResourceManager } from "./resource-manager.js";

/** Such as SubscriptionRequestsThrottled, which Resource Manager also says with other statuses than 429. */
const BUSY = /Throttled|^TooManyRequests$/;

/** What is asked of Azure Resource Manager. */
export interface ArmQuestion {
  readonly manager: ResourceManager;
  /** The application that asks. */
  readonly clientId: string;
  /** Such as `give Reader on /subscriptions/… to 1234`. */
  readonly what: string;
  readonly token: Secret;
}

/** Azure Resource Manager, as far as its failures go. */
export function armService({ manager, clientId, what, token }: ArmQuestion): Service {
  const { override, url } = manager;
  const at = override === undefined ? `at ${new URL(url).host}` : `at ${url} (${override.variable})`;
  return {
    place: `Azure Resource Manager ${at}`,
    facts: { client: clientId, resourceManager: url },
    secrets: [token],
    readRefusal,
    explainRefusal: ({ code, text }, facts) =>
      new AgentctlError("CLOUD_DENIED", `Azure did not let application ${clientId} ${what}: ${text} (${code})`, {
        facts,
        hint: armHint(code, clientId, text),
      }),
  };
}

/** Azure's code of a refusal; undefined for any other failure. */
export function azureCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof AgentctlError) || thrown.code !== "CLOUD_DENIED") return undefined;
  const code = thrown.facts["azureCode"];
  return typeof code === "string" ? code : undefined;
}

/** `{error: {code: "RoleAssignmentExists", message: "The Role assignment already exists."}}` */
function readRefusal({ status, json }: WireAnswer): Refusal | undefined {
  const error = fieldOf(json, "error");
  const code = textOf(error, "code");
  if (code === undefined || status < 400) return undefined;
  const text = textOf(error, "message") ?? code;
  return { code, text, kind: BUSY.test(code) ? "busy" : "refused", facts: { azureCode: code } };
}
