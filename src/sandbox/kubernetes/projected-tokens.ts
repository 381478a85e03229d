import path from "node:path";
import { writePrivateFile } from "../../core/private-files.js";
import type { Runtime } from "../../core/runtime.js";
import type { CloudAudiences } from "../oidc/audiences.js";
import type { OidcIssuer } from "../oidc/issuer.js";

/** What the kubelet asks for by default. */
const LIFE_SECONDS = 3600;

export interface ProjectedTokens {
  /** What points at the files: in a pod on EKS and on AKS, and by Google's instructions for any cluster. */
  readonly variables: Readonly<Record<string, string>>;
  /** Puts new tokens in the place of the old, as the kubelet does. */
  rotate(): Promise<void>;
}

/** Service account tokens in files under `dir`, one a cloud, as a cluster projects them into a pod. */
export async function projectTokens(
  issuer: OidcIssuer,
  audiences: CloudAudiences,
  dir: string,
  { fs }: Pick<Runtime, "fs">,
): Promise<ProjectedTokens> {
  const fileOf = (cloud: string): string => path.join(dir, cloud, "token");
  const rotate = async (): Promise<void> => {
    await Promise.all(
      Object.entries(audiences).map(async ([cloud, audience]) => {
        // A service account's token names its audiences in a list, however few.
        const token = await issuer.mintToken({ audience: [audience], expiresInSeconds: LIFE_SECONDS });
        writePrivateFile(fileOf(cloud), token, fs);
      }),
    );
  };
  for (const cloud of Object.keys(audiences))
    fs.mkdirSync(path.dirname(fileOf(cloud)), { recursive: true, mode: 0o700 });
  await rotate();
  const credentialFile = path.join(dir, "google-credential.json");
  writePrivateFile(credentialFile, credentialConfiguration(audiences.gcp, fileOf("gcp")), fs);
  return {
    variables: {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: "443",
      AWS_WEB_IDENTITY_TOKEN_FILE: fileOf("aws"),
      AZURE_FEDERATED_TOKEN_FILE: fileOf("azure"),
      GOOGLE_APPLICATION_CREDENTIALS: credentialFile,
    },
    rotate,
  };
}

/** What `gcloud iam workload-identity-pools create-cred-config` writes. */
function credentialConfiguration(audience: string, file: string): string {
  const configuration = {
    type: "external_account",
    audience: audience.replace(/^https:/, ""),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: { file, format: { type: "text" } },
  };
  return `${JSON.stringify(configuration, undefined, 2)}\n`;
}
