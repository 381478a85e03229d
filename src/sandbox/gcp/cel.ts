import { Environment } from "@marcbachmann/cel-js";

export type CelValues = Readonly<Record<string, unknown>>;

/** What `api` is in a condition: the attributes of the API call itself. */
class ApiCall {
  readonly attributes: ReadonlyMap<string, string>;

  constructor(attributes: Readonly<Record<string, string>>) {
    this.attributes = new Map(Object.entries(attributes));
  }
}

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  .registerType("ApiCall", { ctor: ApiCall, fields: {} })
  .registerVariable("api", "ApiCall")
  .registerFunction("ApiCall.getAttribute(string, dyn): dyn", (call: ApiCall, name: string, fallback: unknown) =>
    call.attributes.has(name) ? call.attributes.get(name) : fallback,
  )
  // IAM's own addition to the language.
  .registerFunction("string.extract(string): string", extract);

/** Whether Google would take the text for an expression. */
export function isExpression(text: string): boolean {
  try {
    environment.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The value of an expression; undefined where it has none, as when it asks for a claim that is not there. */
export function evaluateExpression(
  text: string,
  values: CelValues,
  api: Readonly<Record<string, string>> = {},
): unknown {
  try {
    return environment.evaluate(text, { ...values, api: new ApiCall(api) });
  } catch {
    return undefined;
  }
}

/** `"projects/p/x".extract("projects/{name}/")` is `p`; what does not fit is the empty text. */
function extract(text: string, template: string): string {
  const match = /^([^{]*)\{\w+\}([^{]*)$/.exec(template);
  if (match === null) return "";
  const [, before = "", after = ""] = match;
  const start = text.indexOf(before);
  const end = after === "" ? text.length : text.indexOf(after, start + before.length);
  return start < 0 || end < 0 ? "" : text.slice(start + before.length, end);
}
