import { formatDuration, formatInstant } from "../core/durations.js";
import type { Actor } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";
import type { IdentityInspection, TokenFinding } from "../identity/index.js";
import type { WhoamiReport } from "../whoami-session.js";
import { printable } from "./printable.js";

type Row = readonly [label: string, text: string];

/** These have lines of their own, or say nothing to police. */
const NOT_LISTED: readonly string[] = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"];

const SUPPLIES: Readonly<Record<IdentityInspection["supply"], string>> = {
  minted: "a new one is minted for each use",
  rotated: "read anew at each use, and renewed by whoever put it there",
  fixed: "no other can be minted",
};

const STORES = { keychain: "keychain", file: "file that was asked for" } as const;

/** The caller in lines, for a person. */
export function renderCaller(report: WhoamiReport, runtime: Pick<Runtime, "now">): string {
  const { identity, actor, profile, sources, logins } = report;
  const rows: Row[] = [
    ...(identity === undefined ? [["identity", "none"] as const] : identityRows(identity, runtime)),
    ["actor", describeActor(actor)],
    ...(profile === undefined ? [] : profileRows(profile)),
    ...sources.map(({ source, taken, reason, hint }, index): Row => {
      const advice = hint === undefined ? "" : ` (${hint})`;
      return [index === 0 ? "sources" : "", `${source}: ${taken ? "taken: " : "not taken: "}${reason}${advice}`];
    }),
    ...logins.map((login, index): Row => [index === 0 ? "logins" : "", describeLogin(login)]),
  ];
  return rows.map(([label, text]) => `${`${label.padEnd(12)}${printable(text)}`.trimEnd()}\n`).join("");
}

function identityRows(identity: IdentityInspection, runtime: Pick<Runtime, "now">): Row[] {
  const shown = identity.tokens.find(({ token }) => token !== undefined)?.token;
  const rows: Row[] = [
    ["identity", shown?.subject ?? "none"],
    ...(shown === undefined ? [] : [["", `issuer ${shown.issuer}`] as const]),
    ["", `from ${identity.source}: ${identity.reason}`],
    ...identity.tokens.flatMap((finding) => tokenRows(finding, runtime)),
    ["renewal", SUPPLIES[identity.supply]],
  ];
  if (shown === undefined) return rows;
  const claims = Object.entries(shown.claims).filter(([name]) => !NOT_LISTED.includes(name));
  return [
    ...rows,
    ...claims.map(([name, value], index): Row => [index === 0 ? "claims" : "", `${name} ${describeValue(value)}`]),
    ["trust", `starts with ${shown.issuer}, which signed this (${describeSignature(shown.signature)})`],
    ["", "only read here: the signature is for each cloud to verify, with the issuer's published keys"],
  ];
}

function tokenRows({ wanted, clouds, token, problem }: TokenFinding, { now }: Pick<Runtime, "now">): Row[] {
  const forWhom = wanted ?? token?.audience.join(", ") ?? "";
  const whose = clouds.length === 0 ? "" : ` (${clouds.join(", ")})`;
  if (problem !== undefined)
    return [["token", `${forWhom === "" ? "" : `for ${forWhom}${whose}: `}${problem.message}`]];
  if (token === undefined) return [];
  const left = formatDuration((token.expiresAt - now()) / 1000);
  return [["token", `for ${forWhom}${whose}, until ${formatInstant(token.expiresAt)} (${left})`]];
}

function profileRows({ name, permitted, reason, envMode }: NonNullable<WhoamiReport["profile"]>): Row[] {
  return [
    ["profile", permitted ? `${name} may be used: ${reason}` : `${name} may not be used: ${reason}`],
    ["", `the command's environment is ${envMode}`],
  ];
}

function describeActor({ kind, name, reason }: Actor): string {
  return `${kind}${name === undefined ? "" : ` ${name}`} (${reason})`;
}

function describeLogin({
  name,
  subject,
  issuer,
  store,
  loggedInAt,
  isDefault,
}: WhoamiReport["logins"][number]): string {
  const standard = isDefault ? " (the default)" : "";
  return `${name}${standard}: ${subject} of ${issuer}, since ${formatInstant(loggedInAt)}, its token in the ${STORES[store]}`;
}

function describeSignature({ algorithm, keyId }: { readonly algorithm: string; readonly keyId?: string }): string {
  return keyId === undefined ? algorithm : `${algorithm}, key ${keyId}`;
}

function describeValue(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** The caller as JSON. */
export function presentCaller({ sources, logins, identity, actor, profile, error }: WhoamiReport): object {
  return {
    ok: error === undefined,
    ...(identity !== undefined && { identity: presentIdentity(identity) }),
    actor,
    ...(profile !== undefined && { profile }),
    sources,
    logins: logins.map(({ loggedInAt, endsAt, ...login }) => ({
      ...login,
      loggedInAt: formatInstant(loggedInAt),
      ...(endsAt !== undefined && { endsAt: formatInstant(endsAt) }),
    })),
    ...(error !== undefined && { error: presentError(error) }),
  };
}

function presentIdentity({ source, reason, supply, tokens }: IdentityInspection): object {
  const shown = tokens.find(({ token }) => token !== undefined)?.token;
  return {
    source,
    reason,
    ...(shown !== undefined && { issuer: shown.issuer, subject: shown.subject }),
    renewal: supply,
    verified: false,
    tokens: tokens.map(presentToken),
  };
}

function presentToken({ wanted, clouds, token, problem }: TokenFinding): object {
  return {
    ...(wanted !== undefined && { wanted }),
    clouds,
    ...(token !== undefined && { ...token, expiresAt: formatInstant(token.expiresAt) }),
    ...(problem !== undefined && { error: presentError(problem) }),
  };
}

function presentError({ code, message, hint }: NonNullable<WhoamiReport["error"]>): object {
  return { code, message, ...(hint !== undefined && { hint }) };
}
