import { AgentctlError } from "../../core/errors.js";
import type { IdToken } from "../../core/identity.js";
import { claimFacts, claimsSeen } from "../claims-seen.js";
import type { Refusal, Service } from "../exchange/failed-try.js";
import { fieldOf, textOf, type WireAnswer } from "../exchange/wire.js";
import type { Application } from "./application.js";
import type { Authority } from "./authority.js";
import { refusalHint } from "./refusals.js";

/** AADSTS codes that Microsoft's reference calls transient, and those that ask for fewer requests. */
const BROKEN: readonly string[] = ["AADSTS50033", "AADSTS90006", "AADSTS90012", "AADSTS90024", "AADSTS90033"];
const BUSY: readonly string[] = ["AADSTS50196", "AADSTS90055"];

/** Microsoft Entra's token endpoint, as far as its failures go. */
export function entraService(
  application: Application,
  scope: string,
  authority: Authority,
  token: IdToken | undefined,
): Service {
  const { override, url } = authority;
  const at = override === undefined ? `at ${new URL(url).host}` : `at ${url} (${override.variable})`;
  return {
    place: `Microsoft Entra ${at}`,
    facts: { tenant: application.tenantId, client: application.clientId, scope, authority: url },
    secrets: token === undefined ? [] : [token.token],
    readRefusal,
    explainRefusal({ code, text }, facts) {
      const said = `Microsoft Entra refused ${application.clientId}: ${text} (${code})`;
      return new AgentctlError("CLOUD_DENIED", token === undefined ? said : `${said}${claimsSeen(token)}`, {
        facts: { ...facts, ...(token !== undefined && claimFacts(token)) },
        hint: refusalHint(code, application, scope, token),
      });
    },
  };
}

/** `{error, error_description: "AADSTS700213: …\r\nTrace ID: …", error_codes, trace_id, correlation_id}` */
function readRefusal({ status, json }: WireAnswer): Refusal | undefined {
  const [error, description] = [textOf(json, "error"), textOf(json, "error_description") ?? ""];
  if (error === undefined || status < 400) return undefined;
  const code = codeOf(json, description) ?? error;
  return {
    code,
    text: wordsOf(description) ?? error,
    kind: kindOf(code, error),
    facts: {
      azureCode: code,
      ...idFact("correlationId", textOf(json, "correlation_id")),
      ...idFact("traceId", textOf(json, "trace_id")),
    },
  };
}

function codeOf(json: unknown, description: string): string | undefined {
  const written = /^AADSTS\d{3,9}(?=:)/.exec(description)?.[0];
  if (written !== undefined) return written;
  const codes = fieldOf(json, "error_codes");
  const first: unknown = Array.isArray(codes) ? codes[0] : undefined;
  return typeof first === "number" ? `AADSTS${first}` : undefined;
}

/** Links to Microsoft's documentation; an issuer or a resource that is named is a URL as well, and stays. */
const LINK = "https:\\/\\/(?:(?:learn|docs|go)\\.microsoft\\.com|aka\\.ms)\\/";
const END = new RegExp(`\\s*(?:[\\r\\n]|Trace ID:|${LINK})`);

/** Without the code before, and the ids and links after. */
function wordsOf(description: string): string | undefined {
  const words = description.replace(/^AADSTS\d+:\s*/, "").split(END, 1)[0];
  return words === undefined || words === "" ? undefined : words;
}

function kindOf(code: string, error: string): Refusal["kind"] {
  if (BUSY.includes(code)) return "busy";
  return BROKEN.includes(code) || error === "temporarily_unavailable" ? "broken" : "refused";
}

function idFact(name: string, id: string | undefined): Record<string, string> {
  return id !== undefined && /^[\w-]{1,64}$/.test(id) ? { [name]: id } : {};
}
