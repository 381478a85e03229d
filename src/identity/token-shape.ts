/** Texts that people put where an OIDC token belongs, with what to call them. */
const WELL_KNOWN_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/^gh[pousr]_/, "a GitHub token (gh?_…)"],
  [/^github_pat_/, "a GitHub personal access token (github_pat_…)"],
  [/^gl[a-z]+-/, "a GitLab token (gl…-…)"],
  [/^(?:AKIA|ASIA)[A-Z0-9]{12,}/, "an AWS access key id"],
  [/^ya29\./, "a Google access token (ya29.…)"],
  [/^xox[a-z]-/, "a Slack token (xox…)"],
  [/^npm_/, "an npm token (npm_…)"],
  [/^hv[sbr]\./, "a Vault token (hv….…)"],
  [/^bearer\s/i, 'a header value: leave out the word "Bearer"'],
  [/^[{[]/, "JSON: perhaps the whole answer of a token service rather than the token in it"],
  [/^-----BEGIN/, "a PEM key or certificate"],
  [/^https?:\/\//, "a URL"],
  [/^[/~.][^\s]*$/, "the path of a file: AGENTCTL_TOKEN_FILE takes one"],
];

const JWE_PARTS = 5;

/** Says what a text that is not a JWT looks like, without repeating any of it. */
export function describeShape(text: string): string {
  for (const [pattern, name] of WELL_KNOWN_SHAPES) if (pattern.test(text)) return `it looks like ${name}`;
  const parts = text.split(".").length;
  if (parts === JWE_PARTS) return "it looks like an encrypted JWT, which no cloud can read";
  if (parts === 3) return "its three parts are not base64url-encoded JSON";
  return `it is ${text.length} characters in ${parts === 1 ? "one part" : `${parts} parts`}, and a JWT has three parts`;
}
