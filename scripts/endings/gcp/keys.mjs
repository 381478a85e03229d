// What a command under a lease finds of Google Cloud: with the endpoint as Google's own library finds it.
export async function readKeys(env) {
  if (env.CLOUDSDK_AUTH_ACCESS_TOKEN !== undefined) return { token: env.CLOUDSDK_AUTH_ACCESS_TOKEN };
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });
  return { token: await auth.getAccessToken() };
}
