// AWS, for `npm run endings`: a role whose sessions a revoker takes back. Asked with AWS's own SDK.
import { DeleteRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mintToken } from "../clouds.mjs";

const { env } = process;
const region = "us-east-1";
export const ROLE = "agentctl-demo";
const roleArn = (name) => `arn:aws:iam::111122223333:role/${name}`;
const AWS = `aws: { role_arn: "${roleArn(ROLE)}", region: ${region}, revoker: { role_arn: "${roleArn("agentctl-revoker")}" } }`;

export const cloud = {
  profiles: {
    env: `{ deliver: env, ${AWS} }`,
    endpoint: `{ deliver: endpoint, ${AWS} }`,
    "env-required": `{ deliver: env, revoke: required, ${AWS} }`,
  },
  otherProfiles: [],
  upstream: { from: "AWS_ENDPOINT_URL_STS", variables: { AWS_ENDPOINT_URL_STS: "", AWS_ENDPOINT_URL_IAM: "" } },
  /** `Action:role`. */
  nameCall({ form }) {
    const role = form.get("RoleName") ?? form.get("RoleArn")?.split("/").at(-1);
    return role === undefined ? form.get("Action") : `${form.get("Action")}:${role}`;
  },
  readIssued(name, { form }, xml) {
    const part = (tag) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(xml)?.[1];
    const accessKeyId = part("AccessKeyId");
    if (accessKeyId === undefined || !name.endsWith(`:${ROLE}`)) return undefined;
    const keys = { accessKeyId, secretAccessKey: part("SecretAccessKey"), sessionToken: part("SessionToken") };
    return { name: form.get("RoleSessionName"), keys };
  },
  refusalOf,
  isTakenBack: (refusal) => /^AccessDenied: .* with an explicit deny in an identity-based policy/.test(refusal),
  isPast: (refusal) => /^AccessDenied: .* with an explicit deny in a session policy/.test(refusal),
  judge: "s3",
  async openSide() {
    const role = await openRole();
    return {
      role,
      // Denies stay until they are past their fence.
      left: async () => [],
      clear: async () => {
        for (const name of await role.names()) await role.remove(name);
      },
      close: role.close,
    };
  },
};

/** Undefined when S3 lets them list a bucket, else S3's own words. S3's clock may be ahead of this machine's. */
async function refusalOf(keys, systemClockOffset = 0) {
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
        WebIdentityToken: await mintToken("sts.amazonaws.com"),
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials;
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  } finally {
    client.destroy();
  }
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
