import fs from "node:fs";
import path from "node:path";
import {
  AWS_VARIABLES,
  AZURE_VARIABLES,
  GOOGLE_VARIABLES,
  MINTING_VARIABLES,
  type VariableEntry,
} from "../../../src/core/sensitive-variables.js";
import type { CanarySearch } from "./canary-search.js";

export interface Ambient {
  readonly env: Readonly<Record<string, string>>;
  /** The files that hold canaries, as absolute paths. */
  readonly files: ReadonlySet<string>;
}

/** A canary in every variable that a cloud tool or a token source reads, and in every file they fall back to. */
export function plantAmbient(home: string, search: CanarySearch): Ambient {
  const lists = [...AWS_VARIABLES, ...AZURE_VARIABLES, ...GOOGLE_VARIABLES, ...MINTING_VARIABLES];
  const names = lists.flatMap(namesOf);
  return {
    env: Object.fromEntries(names.map((name) => [name, search.plant(`the variable ${name}`)])),
    files: new Set(HOME_FILES.map((file) => plantFile(path.join(home, file.name), file.text, search))),
  };
}

/** A prefix stands for itself and for a name that no list spells out. */
function namesOf({ names, except = [] }: VariableEntry): string[] {
  const all = names.flatMap((name) => (name.endsWith("*") ? [name.slice(0, -1), name.replace("*", "_ANY")] : [name]));
  return all.filter((name) => !except.includes(name));
}

type Write = (canary: () => string) => string;

const ini =
  (profile: string): Write =>
  (canary) =>
    `[${profile}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = ${canary()}\naws_session_token = ${canary()}\n`;
const json =
  (...keys: readonly string[]): Write =>
  (canary) =>
    JSON.stringify(Object.fromEntries(keys.map((key) => [key, canary()])));

const HOME_FILES: readonly { readonly name: string; readonly text: Write }[] = [
  { name: ".aws/credentials", text: ini("default") },
  { name: ".aws/config", text: ini("profile mine") },
  { name: ".aws/sso/cache/0123456789abcdef.json", text: json("accessToken", "refreshToken", "clientSecret") },
  { name: ".aws/cli/cache/0123456789abcdef.json", text: json("SecretAccessKey", "SessionToken") },
  { name: ".boto", text: (canary) => `[Credentials]\naws_secret_access_key = ${canary()}\n` },
  { name: ".azure/msal_token_cache.json", text: json("secret") },
  { name: ".azure/accessTokens.json", text: json("accessToken", "refreshToken") },
  { name: ".azure/azureProfile.json", text: json("subscriptions") },
  { name: ".azure/service_principal_entries.json", text: json("client_secret") },
  { name: ".azd/auth/msal/cache.json", text: json("secret") },
  { name: ".IdentityService/msal.cache", text: json("secret") },
  {
    name: ".config/gcloud/application_default_credentials.json",
    text: json("type", "client_id", "client_secret", "refresh_token"),
  },
  { name: ".config/gcloud/credentials.db", text: json("refresh_token") },
  { name: ".config/gcloud/access_tokens.db", text: json("access_token") },
  { name: ".config/gcloud/legacy_credentials/me@example.test/adc.json", text: json("refresh_token") },
];

function plantFile(file: string, write: Write, search: CanarySearch): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    file,
    write(() => search.plant(`the file ${file}`)),
    { mode: 0o600 },
  );
  return file;
}
