import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { quoteValue } from "./problems.js";

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** A YAML text with its syntax tree, from which every value's position can be told. */
export interface ParsedYaml {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** The text as plain values; undefined when there are faults. */
  readonly data: unknown;
  readonly faults: readonly YamlFault[];
}

export interface YamlFault extends Position {
  readonly message: string;
}

/** More is not a hand-written file any more; and resolving an alias costs the length of the document. */
const MAX_ALIASES = 100;
const MAX_FAULTS = 20;

/**
 * Parses one YAML 1.2 document. The library's own check for duplicate keys is quadratic (a file of 1 MiB takes
 * minutes), so it is made here, as are those for what the library only warns of.
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: "error",
  });
  const syntax = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    ...positionAt(lines, pos[0]),
    message: explain(code, message),
  }));
  const faults = (syntax.length > 0 ? syntax : findFaults(document, lines)).slice(0, MAX_FAULTS);
  if (faults.length > 0) return { document, lines, data: undefined, faults };
  return { document, lines, ...expand(document) };
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Values, with aliases put in place; a "billion laughs" of nested aliases is refused by their count. */
function expand(document: Document.Parsed): Pick<ParsedYaml, "data" | "faults"> {
  try {
    return { data: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, faults: [] };
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    return { data: undefined, faults: [{ line: 1, column: 1, message: "its aliases (*name) expand to too much" }] };
  }
}

function findFaults(document: Document.Parsed, lines: LineCounter): readonly YamlFault[] {
  const faults: YamlFault[] = [];
  const report = (node: Node, message: string): void => {
    faults.push({ ...positionAt(lines, node.range?.[0] ?? 0), message });
  };
  const anchors = new Map<string, Node>();
  let aliases = 0;
  visit(document, {
    Node: (_key, node) => {
      if (isMap(node)) checkKeys(node, report);
      if (isAlias(node)) {
        aliases += 1;
        const meant = anchors.get(node.source);
        if (meant === undefined) report(node, `there is no anchor &${node.source} before this alias`);
        else if (isInside(node, meant)) report(node, `the alias *${node.source} stands inside what it refers to`);
        else if (aliases === MAX_ALIASES + 1) report(node, `more than ${MAX_ALIASES} aliases`);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return faults;
}

function checkKeys(map: YAMLMap, report: (node: Node, message: string) => void): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const text = keyText(key);
    if (seen.has(text)) report(key as Node, `the key ${quoteValue(text)} is there already`);
    if (text === "__proto__") report(key as Node, "the key __proto__ is not allowed");
    seen.add(text);
  }
}

/** The text of a map's key; `stringKeys` has made sure that it is a scalar. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function isInside(node: Node, outer: Node): boolean {
  const [start = 0, end = 0] = outer.range ?? [];
  const at = node.range?.[0] ?? 0;
  return at >= start && at < end;
}

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document begins (---); one file holds one",
  NON_STRING_KEY: "a key must be plain text",
  TAB_AS_INDENT: "a tab is used as indentation; YAML takes spaces only",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  BLOCK_AS_IMPLICIT_KEY: "a second key on one line; a value with a colon in it goes in quotes",
  TAG_RESOLVE_FAILED: "tags (!name) are not read here",
};

/** The library's words, with a small first letter; without what it may quote from the text. */
function explain(code: string, message: string): string {
  const text = PLAIN_WORDS[code] ?? message.replace(/:? ".*$/s, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
}
