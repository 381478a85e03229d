import { quoteValue } from "./problems.js";
import { textValue } from "./schema-values.js";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, and the isolated and European partitions of the SDKs' partitions.json. */
const PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];
const EXAMPLE = "arn:aws:iam::111122223333:role/NAME";

/** A role: partition, 12-digit account, path and name, each checked, so that the message says which is wrong. */
export const roleArn = textValue(
  "The ARN of an IAM role",
  (value) => explainArn(value, EXAMPLE) ?? explainRole(value),
  { pattern: "^arn:aws[a-z-]*:iam::\\d{12}:role/([!-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", examples: [EXAMPLE] },
);

/** A managed policy, of an account or AWS's own. */
export const policyArn = textValue(
  "The ARN of a managed IAM policy",
  (value) => explainArn(value, "arn:aws:iam::aws:policy/NAME") ?? explainPolicy(value),
  { pattern: "^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/([!-~]+/)*[A-Za-z0-9_+=,.@-]{1,128}$" },
);

export const region = textValue(
  "The AWS region: where the role is assumed, and what the child finds as AWS_REGION",
  (value) =>
    /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(value)
      ? undefined
      : `${quoteValue(value)} is not a region such as eu-central-1`,
  { pattern: "^[a-z]{2,4}(-[a-z]+)+-\\d{1,2}$", examples: ["eu-central-1"] },
);

/** `arn:partition:iam::account:resource`, whatever the resource. */
function explainArn(value: string, example: string): string | undefined {
  const [prefix, partition, service, region, account, ...resource] = value.split(":");
  if (prefix !== "arn") return `${quoteValue(value)} is not an ARN; write it like ${example}`;
  if (resource.length === 0) return `the ARN ${quoteValue(value)} has too few parts; write it like ${example}`;
  if (!PARTITIONS.includes(partition ?? ""))
    return `the ARN's partition ${quoteValue(partition ?? "")} is none of ${PARTITIONS.join(", ")}`;
  if (service === "sts") return "the ARN is that of a session; write the role's own, arn:…:iam::…:role/NAME";
  if (service !== "iam") return `the ARN's service is ${quoteValue(service ?? "")}, not iam`;
  if (region !== "") return "an IAM ARN has no region: write :: between iam and the account";
  return account === "" ? "the ARN's account is missing: 12 digits" : undefined;
}

function explainRole(value: string): string | undefined {
  return explainAccount(value, []) ?? explainResource(value, "role", 64);
}

function explainPolicy(value: string): string | undefined {
  return explainAccount(value, ["aws"]) ?? explainResource(value, "policy", 128);
}

function explainAccount(value: string, also: readonly string[]): string | undefined {
  const account = value.split(":")[4] ?? "";
  if (/^\d{12}$/.test(account) || also.includes(account)) return undefined;
  const found = /^\d+$/.test(account) ? `${account.length} digits` : quoteValue(account);
  return `the ARN's account must be 12 digits, not ${found}`;
}

/** `kind/path/name`: the path of printable ASCII up to 512 characters, the name of IAM's own characters. */
function explainResource(value: string, kind: "role" | "policy", maxName: number): string | undefined {
  const resource = value.split(":").slice(5).join(":");
  const [type, ...segments] = resource.split("/");
  if (type !== kind) return `the ARN names ${quoteValue(type ?? "")}, not a ${kind}: …:${kind}/NAME`;
  const name = segments.pop() ?? "";
  if (name === "") return `the ARN has no ${kind} name after ${kind}/`;
  if (name.length > maxName) return `the ${kind} name is longer than ${maxName} characters`;
  if (!/^[\w+=,.@-]+$/.test(name))
    return `the ${kind} name ${quoteValue(name)} has a character other than letters, digits and _+=,.@-`;
  const path = `/${segments.map((segment) => `${segment}/`).join("")}`;
  if (path.length > 512 || !/^[!-~]+$/.test(path) || segments.includes(""))
    return `the path before the ${kind} name is not one that IAM allows`;
  return undefined;
}

export const externalId = textValue(
  "What the role's trust policy expects as sts:ExternalId",
  (value) =>
    /^[\w+=,.@:/-]{2,1224}$/.test(value) ? undefined : "is not an external id: 2 to 1224 letters, digits and _+=,.@:/-",
  { pattern: "^[A-Za-z0-9_+=,.@:/-]{2,1224}$" },
);
