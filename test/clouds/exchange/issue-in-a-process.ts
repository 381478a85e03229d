// Run by ambient.test.ts, bundled: issues one grant with this process's own environment, and prints what came of it.
import { azureCloud } from "../../../src/clouds/azure/index.js";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { fetchOverHttp } from "../../../src/core/http.js";
import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { grantTerms, idToken } from "./identity.js";

const PROVIDER = "projects/1/locations/global/workloadIdentityPools/ci/providers/github";

async function issueOne(cloud: string, tenantId: string): Promise<Grant> {
  const runtime = fakeRuntime({ env: { ...process.env }, fetch: fetchOverHttp });
  const context = {
    mintToken: async ([audience = ""]: readonly string[]) => idToken(audience),
    signal: new AbortController().signal,
  };
  const terms = grantTerms(900, runtime.now());
  if (cloud === "azure") {
    const scopes = ["https://management.azure.com/.default"];
    const settings = { tenantId, clientId: tenantId, scopes, audiences: ["api://x"] };
    const nothing = { otherClientIds: [], assignments: [], allowUnbounded: false };
    return azureCloud.issue({ ...settings, ...nothing }, terms, context, runtime);
  }
  const account = { serviceAccount: "deploy@my-project.iam.gserviceaccount.com" };
  const settings = {
    workloadIdentityProvider: PROVIDER,
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
    accessBoundary: [],
    bindings: [],
    metadata: false,
    ...(cloud === "gcp-account" && account),
  };
  return gcpCloud.issue(settings, terms, context, runtime);
}

async function main(): Promise<void> {
  const before = JSON.stringify(process.env);
  const grant = await issueOne(process.argv[2] ?? "", process.argv[3] ?? "");
  const tokens = Object.values(grant.variables).flatMap((value) => (value instanceof Secret ? [value.reveal()] : []));
  console.log(JSON.stringify({ grant, tokens, environmentKept: before === JSON.stringify(process.env) }));
}

main();
