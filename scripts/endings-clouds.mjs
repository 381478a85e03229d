// What `npm run endings` asks the sandbox itself, with AWS's own SDK: whether keys still work, and what is on the role.
import { DeleteRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const { env } = process;
const region = "us-east-1";
export const ROLE = "agentctl-demo";
export const roleArn = (name) => `arn:aws:iam::111122223333:role/${name}`;

/** Undefined when S3 lets them list a bucket, else S3's own words. S3's clock may be ahead of this machine's. */
export async function refusalOf(keys, systemClockOffset = 0) {
  const client = new S3Client({ region, credentials: keys, forcePathStyle: true, maxAttempts: 1, systemClockOffset });
  try {
    await client.send(new ListObjectsV2Command({ Bucket: "demo" }));
    return undefined;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  } finally {
    client.destroy();
  }
}

/** A session that is not agentctl's. */
export async function assume(role, sessionName) {
  const client = new STSClient({ region, endpoint: env.AWS_ENDPOINT_URL_STS });
  try {
    const { Credentials } = await client.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn(role),
        RoleSessionName: sessionName,
        WebIdentityToken: await mintToken(),
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials;
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  } finally {
    client.destroy();
  }
}

async function mintToken() {
  const url = `${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=sts.amazonaws.com`;
  const answer = await fetch(url, { headers: { authorization: `bearer ${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` } });
  return (await answer.json()).value;
}

/** The role's inline policies, as somebody else of the same account sees and changes them. */
export async function openRole(systemClockOffset = 0) {
  const credentials = await assume("agentctl-revoker", "endings");
  const client = new IAMClient({ region, credentials, systemClockOffset });
  const send = (Command, more = {}) => client.send(new Command({ RoleName: ROLE, ...more }));
  return {
    names: async () => {
      const names = [];
      for (let Marker, more = true; more; ) {
        const page = await send(ListRolePoliciesCommand, Marker && { Marker });
        names.push(...page.PolicyNames);
        Marker = page.Marker;
        more = page.IsTruncated === true;
      }
      return names;
    },
    put: (PolicyName, document) => send(PutRolePolicyCommand, { PolicyName, PolicyDocument: JSON.stringify(document) }),
    remove: (PolicyName) => send(DeleteRolePolicyCommand, { PolicyName }),
    close: () => client.destroy(),
  };
}

/** The sandbox's remote control. */
export async function control(method, resource, body) {
  const answer = await fetch(`${env.AGENTCTL_SANDBOX_CONTROL_URL}/${resource}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${resource}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}
