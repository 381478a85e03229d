import type { Runtime } from "../core/runtime.js";
import { chooseLogin, type LoginChoice } from "./login/default-login.js";
import type { LoginRecord } from "./login/login-record.js";
import { logInAgain } from "./login/login-secret.js";
import type { IdentitySource, SourceAdvice } from "./source.js";
import { makeVisible } from "./visible-text.js";

/** What `--identity` takes for it; `login:NAME` is the login of that name. */
export const LOGIN_SOURCE = "login";

/**
 * The identity of whoever has logged in at an OpenID provider, by `agentctl login`. An ID token is made by the login's
 * refresh token, for the client that logged in: its audience is that client's id, whatever is asked for.
 * @param wanted `login:NAME` for a certain one; anything else for the user's default
 */
export function loginSource(wanted: string, runtime: Runtime): IdentitySource {
  const name = wanted.startsWith(`${LOGIN_SOURCE}:`) ? wanted.slice(LOGIN_SOURCE.length + 1) : undefined;
  const choice = chooseLogin(name, runtime);
  if (!("record" in choice)) return missing(wanted, choice);
  const { record, why } = choice;
  return {
    // With its name, so that a lease that is renewed stays with it whatever logins come after.
    name: `${LOGIN_SOURCE}:${record.name}`,
    supply: record.endsAt === undefined ? "minted" : "fixed",
    advice: adviceFor(record),
    detect: () => ({ found: true, reason: `logged in at ${makeVisible(record.issuer)}${whereKept(record)}; ${why}` }),
    variables: () => [],
    obtainTokens: async () => {
      const { renewIdToken } = await import("./login/renew-id-token.js");
      return [{ token: await renewIdToken(record, runtime), origin: `the ID token of the login ${record.name}` }];
    },
  };
}

const FIRST_LOGIN = "agentctl login --issuer URL --client-id ID logs you in at your OpenID provider";

/** Where nobody asked for a login, that there is none is no news, and other sources have better advice. */
function missing(
  wanted: string,
  { reason, hint }: Exclude<LoginChoice, { readonly record: LoginRecord }>,
): IdentitySource {
  const isAsked = wanted.startsWith(LOGIN_SOURCE);
  const advice = hint ?? (isAsked ? FIRST_LOGIN : undefined);
  return {
    name: isAsked ? wanted : LOGIN_SOURCE,
    supply: "minted",
    detect: () => ({
      found: false,
      reason: makeVisible(reason),
      ...(advice !== undefined && { hint: makeVisible(advice) }),
    }),
    variables: () => [],
    obtainTokens: async () => [],
  };
}

/** Said each time: whoever may read the user's files may be the user. */
function whereKept({ store }: LoginRecord): string {
  return store === "file" ? ", the token in a file" : "";
}

function adviceFor({ name, clientId }: LoginRecord): SourceAdvice {
  return {
    whenAudienceMissing: () =>
      `a login's tokens are for its client: let the cloud trust the audience "${makeVisible(clientId)}", and add it to the profile's \`audience\`, which may be a list`,
    whenExpired: logInAgain(name),
  };
}
