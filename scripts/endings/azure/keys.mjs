// What a command under a lease finds of Azure: with the endpoint as Azure's own library finds it.
const SCOPES = { arm: "https://management.azure.com/.default", blob: "https://storage.azure.com/.default" };

export async function readKeys(env) {
  if (env.AZURE_ACCESS_TOKEN !== undefined)
    return { arm: env.AZURE_ACCESS_TOKEN, blob: env.AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM };
  const { ManagedIdentityCredential } = await import("@azure/identity");
  const credential = new ManagedIdentityCredential();
  const [arm, blob] = await Promise.all(Object.values(SCOPES).map((scope) => credential.getToken(scope)));
  return { arm: arm.token, blob: blob.token };
}
