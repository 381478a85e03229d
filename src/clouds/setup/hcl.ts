/** A value as HCL has it; numbers and booleans as they are. `raw` is an expression. */
export type HclValue =
  | string
  | number
  | boolean
  | { readonly raw: string }
  | readonly HclValue[]
  | { readonly [name: string]: HclValue };

const WIDTH = 100;

/** A quoted template in which nothing is a template: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md */
export function hclString(text: string): string {
  const escaped = JSON.stringify(text).replace(/\$\{/g, "$$${").replace(/%\{/g, "%%{");
  return escaped.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `raw` is put into the text as it is: for references and calls, never for what comes from outside. */
export function raw(expression: string): { readonly raw: string } {
  return { raw: expression };
}

/** A block, as `terraform fmt` would have it. The labels are quoted. */
export function hclBlock(type: string, labels: readonly string[], body: HclBody): string {
  const head = [type, ...labels.map(hclString)].join(" ");
  return `${head} {\n${bodyLines(body, "  ").join("\n")}\n}\n`;
}

/** Attributes, by name, and nested blocks, by their type with a `$` before it; and comments, by a `#`. */
export type HclBody = readonly (readonly [name: string, value: HclValue | HclBlockBody])[];
export interface HclBlockBody {
  readonly block: HclBody;
}

export function nested(body: HclBody): HclBlockBody {
  return { block: body };
}

function bodyLines(body: HclBody, indent: string): string[] {
  const lines: string[] = [];
  let run: (readonly [string, string])[] = [];
  const flush = () => {
    lines.push(...alignRun(run, indent));
    run = [];
  };
  for (const [name, value] of body) {
    if (isBlock(value)) {
      flush();
      if (lines.length > 0) lines.push("");
      lines.push(`${indent}${name} {`, ...bodyLines(value.block, `${indent}  `), `${indent}}`);
      continue;
    }
    const text = hclValue(value, indent);
    if (!text.includes("\n")) {
      run.push([name, text]);
      continue;
    }
    flush();
    lines.push(`${indent}${name} = ${text}`);
  }
  flush();
  return lines;
}

function isBlock(value: HclValue | HclBlockBody): value is HclBlockBody {
  return typeof value === "object" && "block" in value;
}

/** Lines that stand together have their `=` below one another. */
function alignRun(run: readonly (readonly [string, string])[], indent: string): string[] {
  const width = Math.max(0, ...run.map(([name]) => name.length));
  return run.map(([name, text]) => `${indent}${name.padEnd(width)} = ${text}`);
}

/** A value from `indent` on, on one line where it fits. */
export function hclValue(value: HclValue, indent: string): string {
  if (typeof value === "string") return hclString(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return listText(value as readonly HclValue[], indent);
  if (isRaw(value)) return value.raw;
  return objectText(value as Readonly<Record<string, HclValue>>, indent);
}

function isRaw(value: object): value is { readonly raw: string } {
  return "raw" in value;
}

function listText(values: readonly HclValue[], indent: string): string {
  if (values.length === 0) return "[]";
  const inner = `${indent}  `;
  const texts = values.map((value) => hclValue(value, inner));
  const line = `[${texts.join(", ")}]`;
  if (!line.includes("\n") && indent.length + line.length <= WIDTH) return line;
  return `[\n${texts.map((text) => `${inner}${text},\n`).join("")}${indent}]`;
}

function objectText(object: Readonly<Record<string, HclValue>>, indent: string): string {
  const entries = Object.entries(object);
  if (entries.length === 0) return "{}";
  const quoted = entries.map(([name, value]) => [hclKey(name), value] as const);
  return `{\n${bodyLines(quoted, `${indent}  `).join("\n")}\n${indent}}`;
}

function hclKey(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : hclString(name);
}
