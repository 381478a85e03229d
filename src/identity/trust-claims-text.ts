import { escapeControlCharacters } from "../core/control-characters.js";
import { AgentctlError } from "../core/errors.js";
import type { Claims } from "../core/identity.js";
import type { ClaimTest, TrustScope } from "../core/trust.js";
import { makeVisible } from "./visible-text.js";

/** What a kind of issuer makes of a caller: how its trust is to be narrowed. */
export type Narrowing = Pick<TrustScope, "subjectWhy" | "tests" | "bans" | "needs" | "notes">;

/** Microsoft Entra compares no more; AWS and Google take less for some of it and say so themselves. */
const MAX_CHARACTERS = 600;

/** A trust that somebody else than the caller meant could use. */
export function tooWide(message: string, hint: string): AgentctlError {
  return new AgentctlError("TRUST_TOO_WIDE", `no trust is written: ${message}`, { hint });
}

/** One thing that a caller lacks: what, and how it is mended. */
export interface Gap {
  readonly lacks: string;
  readonly hint: string;
}

/** All that is missing at once, so that nobody mends one thing to be told of the next. @throws {AgentctlError} TRUST_TOO_WIDE */
export function refuseGaps(gaps: readonly Gap[]): void {
  if (gaps.length === 0) return;
  throw tooWide(gaps.map(({ lacks }) => lacks).join("; and "), gaps.map(({ hint }) => hint).join("; and "));
}

/** What was said of the caller does not fit together. */
export function contradiction(message: string, hint = "describe one identity: all its claims are of one token"): Error {
  return new AgentctlError("CONFIG_INVALID", message, { hint });
}

/** A value that a trust can compare: one line of visible text, meant literally. */
export function checkText(name: string, value: string): string {
  if (value.trim() !== value || value === "") throw contradiction(`the ${name} is empty or has a space at an end`);
  if (escapeControlCharacters(value) !== value) {
    throw contradiction(`the ${name} has a control or an invisible character in it: ${makeVisible(value)}`);
  }
  if (value.length > MAX_CHARACTERS) throw contradiction(`the ${name} is longer than ${MAX_CHARACTERS} characters`);
  if (/[*?]/.test(value)) {
    throw tooWide(
      `the ${name} ${makeVisible(value)} has a wildcard in it`,
      "a trust is for one subject: write it out, and make a profile for each further one",
    );
  }
  return value;
}

/** A claim that is text, checked; undefined when it is absent or something else. */
export function textClaim(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof value === "string" ? checkText(`claim ${name}`, value) : undefined;
}

/** A test for each of the claims that are there. */
export function testsOf(claims: Claims, whys: Readonly<Record<string, string>>): readonly ClaimTest[] {
  return Object.entries(whys).flatMap(([claim, why]) => {
    const value = textClaim(claims, claim);
    return value === undefined ? [] : [{ claim, value, why }];
  });
}

/** Refuses a claim that says something else than the subject does. */
export function checkAgreement(claims: Claims, name: string, inSubject: string | undefined): void {
  const value = textClaim(claims, name);
  if (value === undefined || inSubject === undefined || encodeColons(value) === encodeColons(inSubject)) return;
  throw contradiction(`the subject says ${name} ${makeVisible(inSubject)}, and the claim ${makeVisible(value)}`);
}

/** GitHub writes a colon within a part of the subject so. */
function encodeColons(text: string): string {
  return text.replaceAll(":", "%3A");
}
