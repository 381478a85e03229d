import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, type Node } from "yaml";
import { keyText, type ParsedYaml, type Position, positionAt } from "./parse-yaml.js";
import type { ConfigPath } from "./problems.js";

/**
 * Where in the text a path is: its key or its value. A path that is not there is answered with the nearest
 * thing above it that is, since that is where something is missing.
 */
export function locate(yaml: ParsedYaml, segments: ConfigPath, part: "key" | "value" = "value"): Position {
  let node: unknown = yaml.document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [index, segment] of segments.entries()) {
    const step = stepInto(isAlias(node) ? node.resolve(yaml.document) : node, segment);
    if (step === undefined) break;
    const wantsValue = index === segments.length - 1 && part === "value" && standsBesideKey(step.value);
    offset = (wantsValue ? startOf(step.value) : undefined) ?? startOf(step.name) ?? offset;
    node = step.value;
  }
  return positionAt(yaml.lines, offset);
}

/** Whether the text holds this path. */
export function holds(yaml: ParsedYaml, segments: ConfigPath): boolean {
  let node: unknown = yaml.document.contents;
  for (const segment of segments) {
    const step = stepInto(isAlias(node) ? node.resolve(yaml.document) : node, segment);
    if (step === undefined) return false;
    node = step.value;
  }
  return true;
}

function stepInto(node: unknown, segment: string | number): { name: unknown; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => keyText(key) === String(segment));
    return pair === undefined ? undefined : { name: pair.key, value: pair.value };
  }
  if (!isSeq(node)) return undefined;
  const item = node.items[Number(segment)];
  return item === undefined ? undefined : { name: item, value: item };
}

/** A block that begins on a line of its own is better found by its key. */
function standsBesideKey(value: unknown): boolean {
  return isScalar(value) || isAlias(value) || (isCollection(value) && value.flow === true);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
