// What a command under a lease finds of AWS.
import fs from "node:fs";

export async function readKeys(env) {
  if (env.AWS_CONTAINER_CREDENTIALS_FULL_URI === undefined) {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
    return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN };
  }
  const authorization = fs.readFileSync(env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "utf8").trim();
  const answer = await (await fetch(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization } })).json();
  return { accessKeyId: answer.AccessKeyId, secretAccessKey: answer.SecretAccessKey, sessionToken: answer.Token };
}
