// Asks for a token with a scope, by one client and the credentials that it finds by itself; prints what comes of it.
// Arguments: the client, and the scope.
const { Compute, GoogleAuth } = require("google-auth-library");
const { DefaultAzureCredential, ManagedIdentityCredential } = require("@azure/identity");

const CLIENTS = {
  "google-auth": async (scope) => (await new GoogleAuth({ scopes: [scope] }).getAccessToken()) ?? "",
  compute: async (scope) => (await new Compute({ scopes: [scope] }).getAccessToken()).token,
  DefaultAzureCredential: async (scope) => (await new DefaultAzureCredential().getToken(scope)).token,
  ManagedIdentityCredential: async (scope) => (await new ManagedIdentityCredential().getToken(scope)).token,
};

const [client, scope] = process.argv.slice(2);
CLIENTS[client](scope)
  .then((token) => (token ? "a token" : "nothing"))
  .catch((error) => `! ${error.name}: ${error.message.replace(/\s+/g, " ")}`)
  .then((line) => console.log(line));
