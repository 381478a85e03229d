import { escapeControlCharacters } from "../../core/control-characters.js";
import type { CloudName } from "../../core/profile.js";
import type { ClaimTest, TrustRequest } from "../../core/trust.js";

const WIDTH = 108;

/** How what Terraform made is taken away again. */
export const TERRAFORM_AWAY =
  "delete this file and apply; where nothing else is in the directory, terraform destroy does it";

/**
 * What stands above the generated text, each line a comment.
 * @param away how the trust is taken away again
 */
export function headerLines(
  request: Pick<TrustRequest<CloudName>, "profileName" | "scope">,
  what: string,
  notes: readonly string[],
  away: readonly string[],
): readonly string[] {
  const { profileName, scope } = request;
  return [
    `${what} for the profile ${profileName}, written by agentctl setup.`,
    "Nothing was changed: read it, then apply it.",
    "",
    `issuer:   ${scope.issuer}`,
    `subject:  ${scope.subject}`,
    `audience: ${scope.audience}`,
    `from:     ${scope.origin}`,
    ...listed("To know:", notes),
    ...listed("To take it away again:", away),
  ];
}

function listed(title: string, notes: readonly string[]): readonly string[] {
  return notes.length === 0 ? [] : ["", title, ...notes.flatMap((note) => wrap(note, "- ", "  "))];
}

/** One line a condition: what is tested and why. */
export function conditionLines(
  tests: readonly Pick<ClaimTest, "claim" | "why">[],
  nameOf = (claim: string) => claim,
): readonly string[] {
  return tests.flatMap(({ claim, why }) => wrap(`${nameOf(claim)}: ${why}`, "- ", "  "));
}

/** Comments of a language, one a line; no text in them can begin a line of its own. */
export function comments(mark: string, lines: readonly string[]): string {
  return lines.map((line) => `${mark} ${escapeControlCharacters(line)}`.trimEnd()).join("\n");
}

function wrap(text: string, first: string, further: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    if (line.length > further.length && line.length + word.length + 1 > WIDTH) {
      lines.push(line.trimEnd());
      line = further;
    }
    line += `${line.endsWith(" ") ? "" : " "}${word}`;
  }
  return [...lines, line];
}
