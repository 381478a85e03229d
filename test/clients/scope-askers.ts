import { type Need, program } from "./tools.js";

/** A client that asks for a token with a scope, and prints what comes of it; `programs/ask-scope.*`. */
export interface Asker {
  readonly name: string;
  readonly profile: "azure" | "storage";
  readonly needs: readonly Need[];
  /** To be followed by the scope. */
  readonly argv: readonly string[];
}

const inPython = (name: string, profile: Asker["profile"], client: string, module: string): Asker => ({
  name: `${name} in Python`,
  profile,
  needs: [{ tool: "python3", modules: [module] }],
  argv: ["python3", program("ask-scope.py"), client],
});
const inJavascript = (name: string, profile: Asker["profile"], client: string): Asker => ({
  name: `${name} in JavaScript`,
  profile,
  needs: [],
  argv: [process.execPath, program("ask-scope.cjs"), client],
});

export const ASKERS: readonly Asker[] = [
  inPython("DefaultAzureCredential", "azure", "default_azure_credential", "azure.identity"),
  inPython("ManagedIdentityCredential", "azure", "managed_identity_credential", "azure.identity"),
  inPython("google-auth", "storage", "google_auth", "google.auth"),
  inPython("Compute Engine's credentials", "storage", "compute_engine", "google.auth"),
  inJavascript("DefaultAzureCredential", "azure", "DefaultAzureCredential"),
  inJavascript("ManagedIdentityCredential", "azure", "ManagedIdentityCredential"),
  inJavascript("google-auth-library", "storage", "google-auth"),
  inJavascript("Compute Engine's credentials", "storage", "compute"),
];
