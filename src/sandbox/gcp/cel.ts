import { Environment } from "@marcbachmann/cel-js";

export type CelValues = Readonly<Record<string, unknown>>;
/** Attributes of the API call itself, by name. */
export type ApiAttributes = Readonly<Record<string, unknown>>;

/** What `api` is in a condition. */
class ApiCall {
  readonly attributes: ReadonlyMap<string, unknown>;

  constructor(attributes: ApiAttributes) {
    this.attributes = new Map(Object.entries(attributes));
  }
}

const environment = withGooglesOwn(
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false }),
);

/** Knows no more than what a condition of a binding may ask for. */
const ofConditions = withGooglesOwn(new Environment({ homogeneousAggregateLiterals: false }))
  .registerVariable("request", { schema: { time: "google.protobuf.Timestamp", path: "string", host: "string" } })
  .registerVariable("resource", { schema: { name: "string", type: "string", service: "string" } });

function withGooglesOwn(bare: Environment): Environment {
  return (
    bare
      .registerType("ApiCall", { ctor: ApiCall, fields: {} })
      .registerVariable("api", "ApiCall")
      .registerFunction("ApiCall.getAttribute(string, dyn): dyn", (call: ApiCall, name: string, fallback: unknown) =>
        call.attributes.has(name) ? call.attributes.get(name) : fallback,
      )
      // IAM's own additions to the language.
      .registerFunction("list.hasOnly(list): bool", (values: readonly unknown[], allowed: readonly unknown[]) =>
        values.every((value) => allowed.includes(value)),
      )
      .registerFunction("string.extract(string): string", extract)
  );
}

/** Whether Google would take the text for an expression. */
export function isExpression(text: string): boolean {
  try {
    environment.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is an expression over what a binding's condition may ask for, and true or false. */
export function isCondition(text: string): boolean {
  const { valid, type } = ofConditions.check(text);
  return valid && (type === "bool" || type === "dyn");
}

/** The value of an expression; undefined where it has none, as when it asks for a claim that is not there. */
export function evaluateExpression(text: string, values: CelValues, api: ApiAttributes = {}): unknown {
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
