import type { ServiceName } from "../../../src/sandbox/index.js";
import { AWS, AZURE, type Block, GCP, REPORTS_ONLY } from "../three-clouds.js";
import { MALFORMED_AWS, MALFORMED_AZURE, MALFORMED_GCP, type MalformedRow } from "./malformed.js";
import { REFUSED_BY_AWS, REFUSED_BY_AZURE, REFUSED_BY_GOOGLE, type RefusedRow } from "./refused.js";

/** One question that a cloud is asked on the way to a grant. */
export interface Place {
  /** As a user reads it. */
  readonly title: string;
  readonly service: ServiceName;
  readonly operation: string;
  /** The variable that names its address; only the first place of a cloud that has one is moved by it. */
  readonly variable?: string;
  /** The code with which it refuses, whoever asks, and what is then to be changed. */
  readonly refusal: RegExp;
  readonly hint: RegExp;
}

/** What the table runs through for one cloud. */
export interface CloudUnderFault {
  readonly name: "aws" | "azure" | "gcp";
  readonly title: string;
  /** A block with which every place is asked. */
  readonly block: Block;
  /** The OIDC token's audience. */
  readonly audience: string;
  /** The first is the one that is shown the OIDC token. */
  readonly places: readonly [Place, ...Place[]];
  /** The fact of a refusal that holds the cloud's own code. */
  readonly codeFact: string;
  readonly malformed: readonly MalformedRow[];
  readonly refused: readonly RefusedRow[];
}

export const CLOUDS: readonly CloudUnderFault[] = [
  {
    name: "aws",
    title: "AWS",
    block: { ...AWS, chain: [{ role_arn: "arn:aws:iam::111122223333:role/agentctl-chained" }] },
    audience: "sts.amazonaws.com",
    codeFact: "awsCode",
    malformed: MALFORMED_AWS,
    refused: REFUSED_BY_AWS,
    places: [
      {
        title: "AWS STS",
        service: "sts",
        operation: "AssumeRoleWithWebIdentity",
        variable: "AWS_ENDPOINT_URL_STS",
        refusal: /AccessDenied/,
        hint: /trust policy must allow sts:AssumeRoleWithWebIdentity/,
      },
      {
        title: "AWS STS",
        service: "sts",
        operation: "AssumeRole",
        refusal: /AccessDenied/,
        hint: /agentctl-demo needs sts:AssumeRole on .*agentctl-chained/,
      },
    ],
  },
  {
    name: "azure",
    title: "Azure",
    block: { ...AZURE, scopes: ["https://management.azure.com/.default"] },
    audience: "api://AzureADTokenExchange",
    codeFact: "azureCode",
    malformed: MALFORMED_AZURE,
    refused: REFUSED_BY_AZURE,
    places: [
      {
        title: "Microsoft Entra",
        service: "entra",
        operation: "token",
        variable: "AZURE_AUTHORITY_HOST",
        refusal: /AADSTS53003/,
        hint: /Conditional Access policy of tenant/,
      },
    ],
  },
  {
    name: "gcp",
    title: "Google Cloud",
    block: { ...GCP, access_boundary: [REPORTS_ONLY] },
    audience: `https://iam.googleapis.com/${GCP["workload_identity_provider"]}`,
    codeFact: "googleCode",
    malformed: MALFORMED_GCP,
    refused: REFUSED_BY_GOOGLE,
    places: [
      {
        title: "Google's STS",
        service: "gcp-sts",
        operation: "ExchangeToken",
        variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS",
        refusal: /PERMISSION_DENIED/,
        hint: /check projects\/.*\/providers\/github/,
      },
      {
        title: "Google's IAM Credentials",
        service: "iamcredentials",
        operation: "GenerateAccessToken",
        variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
        refusal: /PERMISSION_DENIED/,
        hint: /principal:\/\/.* roles\/iam\.workloadIdentityUser on demo@/,
      },
      {
        title: "Google's STS",
        service: "gcp-sts",
        operation: "Downscope",
        refusal: /PERMISSION_DENIED/,
        hint: /check gcp\.access_boundary/,
      },
    ],
  },
];
