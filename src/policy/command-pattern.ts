import { AgentctlError } from "../core/errors.js";

/**
 * One token of a pattern, as the literal texts between its wildcards: `a*b` is ["a", "b"], a lone `*`
 * is ["", ""], and a token without a wildcard is one text.
 */
export type PatternToken = readonly [string, ...string[]];

/** A pattern such as `aws s3 *`, split into tokens. */
export interface CommandPattern {
  /** As written. */
  readonly text: string;
  readonly program: PatternToken;
  readonly args: readonly PatternToken[];
  /** True when it ended in a lone `*`, which stands for any number of further arguments, also none; not one of `args`. */
  readonly openEnded: boolean;
}

/**
 * Splits a pattern into tokens. Blanks separate them; 'single' and "double" quotes and a backslash keep what they hold
 * together and literal, as in a shell, a `*` too. Nothing is expanded: no variable, no `~`, no `?` or `[…]`.
 * @throws {AgentctlError} CONFIG_INVALID for an empty pattern or a quote that is not closed
 */
export function parseCommandPattern(text: string): CommandPattern {
  const [program, ...args] = splitTokens(text);
  if (program === undefined) throw badPattern(text, "it is empty");
  const openEnded = isWildcard(args.at(-1) ?? program);
  return { text, program, args: openEnded ? args.slice(0, -1) : args, openEnded };
}

/** Whether a token is a lone, unquoted `*`. */
export function isWildcard(token: PatternToken): boolean {
  return token.length > 1 && token.every((text) => text === "");
}

/** Matches arguments against a pattern's: one token one argument, and the rest only where it is open-ended. */
export function matchArguments(pattern: CommandPattern, args: readonly string[]): boolean {
  if (args.length < pattern.args.length) return false;
  if (args.length > pattern.args.length && !pattern.openEnded) return false;
  return pattern.args.every((token, index) => matchToken(token, args[index] ?? ""));
}

/**
 * Whether a text fits a token, where a wildcard stands for any characters, also none. Taking the leftmost place for each
 * literal is always right when the last one is tied to the end, so nothing is ever tried twice.
 */
export function matchToken(token: PatternToken, text: string): boolean {
  const [head, ...rest] = token;
  const tail = rest.pop();
  if (tail === undefined) return text === head;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const literal of rest) {
    const found = text.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}

type Quote = "'" | '"';

interface Draft {
  texts: [string, ...string[]];
}

function splitTokens(pattern: string): readonly PatternToken[] {
  const tokens: PatternToken[] = [];
  let draft: Draft | undefined;
  let quote: Quote | undefined;
  const characters = pattern[Symbol.iterator]();
  for (const character of characters) {
    if (quote === undefined && /\s/.test(character)) {
      if (draft !== undefined) tokens.push(draft.texts);
      draft = undefined;
      continue;
    }
    draft ??= { texts: [""] };
    if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
    else if (character === "\\" && quote !== "'") appendLiteral(draft, takeEscaped(characters, pattern));
    else if (character === "*" && quote === undefined) draft.texts.push("");
    else appendLiteral(draft, character);
  }
  if (quote !== undefined) throw badPattern(pattern, `a ${quote} is not closed`);
  if (draft !== undefined) tokens.push(draft.texts);
  return tokens;
}

function takeEscaped(characters: Iterator<string>, pattern: string): string {
  const next = characters.next();
  if (next.done === true) throw badPattern(pattern, "it ends in a backslash");
  return next.value;
}

function appendLiteral({ texts }: Draft, literal: string): void {
  texts[texts.length - 1] = `${texts[texts.length - 1] ?? ""}${literal}`;
}

function badPattern(pattern: string, why: string): AgentctlError {
  return new AgentctlError("CONFIG_INVALID", `the command pattern ${JSON.stringify(pattern)} cannot be read: ${why}`, {
    hint: 'write it like "aws s3 *" or "terraform plan -out=*"',
  });
}
