import type { ErrorCode } from "../core/errors.js";
import type { PeerCheck } from "../core/profile.js";
import { isCredentialVariable, isMintingVariable } from "../core/sensitive-variables.js";
import { FORBIDDEN_VARIABLES } from "./forbidden-variables.js";
import type { ConfigPath } from "./problems.js";
import type { ConfigData } from "./schema.js";

interface Refusal {
  readonly code: ErrorCode;
  readonly path: ConfigPath;
  readonly part: "key" | "value";
  readonly message: string;
  readonly hint: string;
}

/** What a project's file may not do, since an agent or a pull request may have written it; the user's own may. */
export function findForbidden(data: ConfigData): readonly Refusal[] {
  const inProfiles = Object.entries(data.profiles ?? {}).flatMap(([name, profile]) => [
    ...refuseUnchecked(["profiles", name, "peer_check"], profile.peer_check),
    ...(profile.env?.pass ?? []).flatMap((variable, index) =>
      refuse(["profiles", name, "env", "pass", index], "value", variable, whyNotPassable(variable)),
    ),
    ...Object.entries(profile.env?.set ?? {}).flatMap(([variable, value]) =>
      refuse(["profiles", name, "env", "set", variable], "key", variable, whyNotSettable(variable, value)),
    ),
  ]);
  return [...refuseUnchecked(["defaults", "peer_check"], data.defaults?.peer_check), ...inProfiles];
}

/** Without the check, any process of the user that reads the address out of the child may ask the endpoint. */
function refuseUnchecked(path: ConfigPath, written: PeerCheck | undefined): Refusal[] {
  if (written !== "off") return [];
  return [
    {
      code: "CONFIG_FORBIDDEN",
      path,
      part: "value",
      message: "a project's file may not turn the check off: it says who may ask for the credentials",
      hint: "put peer_check: off under defaults in your own config.yaml; auto already lets through whom it cannot tell",
    },
  ];
}

function refuse(path: ConfigPath, part: "key" | "value", variable: string, reason: string | undefined): Refusal[] {
  if (reason === undefined) return [];
  const verb = part === "value" ? "pass" : "set";
  const own = `put env.${verb} in your own config.yaml`;
  return [
    {
      code: "CONFIG_FORBIDDEN",
      path,
      part,
      message: `a project's file may not ${verb} ${variable}: it ${reason}`,
      hint:
        verb === "pass"
          ? `name it with --pass-env, or ${own}, if the child is to have it`
          : `${own} if the child is to have it`,
    },
  ];
}

const RULES = FORBIDDEN_VARIABLES.map((entry) => ({
  ...entry,
  pattern: new RegExp(`^(?:${entry.names.map((name) => name.replaceAll("*", ".*")).join("|")})$`, "s"),
}));

/** Why a project's file may not set a variable for the child, or undefined when it may. */
export function whyNotSettable(name: string, value: string): string | undefined {
  const sensitive = whyNotPassable(name);
  if (sensitive !== undefined) return sensitive;
  const upper = name.toUpperCase();
  const rule = RULES.find(
    ({ pattern, except, emptyIsHarmless }) =>
      pattern.test(upper) && except?.includes(upper) !== true && !(emptyIsHarmless === true && value === ""),
  );
  return rule?.reason;
}

/** Why a project's file may not keep a variable for the child that would be removed, or undefined when it may. */
export function whyNotPassable(name: string): string | undefined {
  if (isCredentialVariable(name)) return "holds a cloud's credential or identity, or where it is found";
  if (isMintingVariable(name)) return "holds the caller's identity, or the means to mint it again";
  return undefined;
}
