// A child with the AWS SDK and nothing of agentctl: does what its arguments say and prints a line for each.
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const s3 = new S3Client({ forcePathStyle: true });
const sts = new STSClient({});

const actions = {
  whoami: async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn,
  assume: async () => {
    const RoleArn = "arn:aws:iam::111122223333:role/agentctl-chained";
    await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "further" }));
    return "ok";
  },
  get: async (target) => {
    await read(target);
    return "ok";
  },
  put: async (target) => {
    await s3.send(new PutObjectCommand({ ...target, Body: "from a test" }));
    return "ok";
  },
  "until-denied": async (target) => {
    for (;;) {
      try {
        await read(target);
      } catch (error) {
        return `${error.name} ${/explicit deny in a session policy/.exec(error.message)?.[0] ?? error.message}`;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
};

/** The whole body: one that is not read keeps its connection, and so the process, for seconds. */
async function read(target) {
  const { Body } = await s3.send(new GetObjectCommand(target));
  return Body.transformToString();
}

for (const argument of process.argv.slice(2)) {
  const [verb, where = ""] = argument.split(":");
  const [Bucket, ...key] = where.split("/");
  const result = await actions[verb]({ Bucket, Key: key.join("/") }).catch((error) => error.name);
  process.stdout.write(`${argument} ${result}\n`);
}
