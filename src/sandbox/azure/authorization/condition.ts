import { matchesAction } from "./actions.js";
import { findOperator } from "./condition-operators.js";
import { type ConditionToken, splitCondition } from "./condition-tokens.js";

/** What a condition is asked about: the action, and attributes by `Request:` or `Resource:` and their name. */
export interface ConditionFacts {
  readonly action: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

export type Condition = (facts: ConditionFacts) => boolean;

/**
 * Reads the condition of a role assignment, version 2.0: `ActionMatches`, and attributes of the request and the
 * resource under the operators on strings and GUIDs. An attribute that is not there makes a comparison false.
 * Undefined where it is no such condition.
 */
export function parseCondition(text: string): Condition | undefined {
  const tokens = splitCondition(text);
  if (tokens === undefined) return undefined;
  const reader = { tokens, at: 0 };
  const condition = readEither(reader);
  return reader.at === tokens.length ? condition : undefined;
}

interface Reader {
  readonly tokens: readonly ConditionToken[];
  at: number;
}

function takeMark(reader: Reader, text: string): boolean {
  const token = reader.tokens[reader.at];
  const isThere = token?.kind === "mark" && token.text === text;
  if (isThere) reader.at += 1;
  return isThere;
}

function readEither(reader: Reader): Condition | undefined {
  let left = readBoth(reader);
  while (left !== undefined && takeMark(reader, "OR")) {
    const [one, other] = [left, readBoth(reader)];
    left = other && ((facts) => one(facts) || other(facts));
  }
  return left;
}

function readBoth(reader: Reader): Condition | undefined {
  let left = readOne(reader);
  while (left !== undefined && takeMark(reader, "AND")) {
    const [one, other] = [left, readOne(reader)];
    left = other && ((facts) => one(facts) && other(facts));
  }
  return left;
}

function readOne(reader: Reader): Condition | undefined {
  if (takeMark(reader, "!")) {
    const inner = readOne(reader);
    return inner && ((facts) => !inner(facts));
  }
  if (takeMark(reader, "(")) {
    const inner = readEither(reader);
    return takeMark(reader, ")") ? inner : undefined;
  }
  const token = reader.tokens[reader.at];
  reader.at += 1;
  if (token?.kind === "word" && token.text === "ActionMatches") return readActionMatches(reader);
  return token?.kind === "attribute" ? readComparison(reader, `${token.source}:${token.name}`) : undefined;
}

function readActionMatches(reader: Reader): Condition | undefined {
  const patterns = readValues(reader);
  return patterns && (({ action }) => patterns.some((pattern) => matchesAction(action, pattern)));
}

function readComparison(reader: Reader, attribute: string): Condition | undefined {
  const token = reader.tokens[reader.at];
  reader.at += 1;
  const compare = token?.kind === "word" ? findOperator(token.text) : undefined;
  const values = readValues(reader);
  if (compare === undefined || values === undefined) return undefined;
  return ({ attributes }) => {
    const value = attributes[attribute];
    return value !== undefined && compare([value], values);
  };
}

/** One value, or several between braces. */
function readValues(reader: Reader): readonly string[] | undefined {
  if (!takeMark(reader, "{")) {
    const value = readValue(reader);
    return value === undefined ? undefined : [value];
  }
  const values: string[] = [];
  do {
    const value = readValue(reader);
    if (value === undefined) return undefined;
    values.push(value);
  } while (takeMark(reader, ","));
  return takeMark(reader, "}") ? values : undefined;
}

function readValue(reader: Reader): string | undefined {
  const token = reader.tokens[reader.at];
  reader.at += 1;
  return token?.kind === "text" || token?.kind === "word" ? token.text : undefined;
}
