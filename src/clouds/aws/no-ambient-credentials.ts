/**
 * Stands in for the SDK's package of this export, which would look for credentials in the environment, in files and
 * in the machine's metadata: the bundle holds none of that (scripts/build.mjs).
 */
export const defaultProvider = () => refuseAmbientCredentials;

async function refuseAmbientCredentials(): Promise<never> {
  throw new Error("agentctl looks for no ambient AWS credentials");
}
