import { type Need, program } from "./tools.js";

/** One of AWS's own clients, as a child that does tasks and prints a line for each; `programs/aws-tasks.*`. */
export interface AwsClient {
  readonly name: string;
  readonly needs: readonly Need[];
  /** argv for tasks such as `whoami`, `put:BUCKET/KEY=TEXT`, `get:BUCKET/KEY`, `keys:BUCKET`. */
  command(...tasks: readonly string[]): readonly string[];
  /** What it says to a read that is refused. */
  readonly refusedRead: RegExp;
  /** What it says when there is no credential. */
  readonly noCredentials: RegExp;
  /** What it says when the time in AWS_CREDENTIAL_EXPIRATION has passed. */
  readonly expired: RegExp;
}

const EXPLICIT_DENY = /AccessDenied.*with an explicit deny in a session policy/;

export const AWS_CLIENTS: readonly AwsClient[] = [
  {
    name: "the AWS CLI",
    needs: [{ tool: "aws" }],
    command: (...tasks) => ["sh", program("aws-tasks.sh"), ...tasks],
    // `aws s3 cp` asks with HEAD first, and an answer to HEAD has no words.
    refusedRead: /\(403\) when calling the HeadObject operation: Forbidden/,
    noCredentials: /Unable to locate credentials/,
    expired: /refreshed credentials are still expired/,
  },
  {
    name: "boto3",
    needs: [{ tool: "python3", modules: ["boto3"] }],
    command: (...tasks) => ["python3", program("aws-tasks.py"), ...tasks],
    refusedRead: /AccessDenied.*no session policy allows the s3:GetObject action/,
    noCredentials: /NoCredentialsError: Unable to locate credentials/,
    expired: /RuntimeError: Credentials were refreshed, but the refreshed credentials are still expired/,
  },
  {
    name: "the AWS SDK for JavaScript",
    needs: [],
    // Without the warnings that it gives of older versions of Node.
    command: (...tasks) => [process.execPath, "--no-warnings", program("aws-tasks.mjs"), ...tasks],
    refusedRead: /AccessDenied.*no session policy allows the s3:GetObject action/,
    noCredentials: /CredentialsProviderError: Could not load credentials from any providers/,
    // It goes on with what it has, so that AWS has the last word.
    expired: EXPLICIT_DENY,
  },
];
