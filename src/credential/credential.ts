import type { Secret } from "../core/secret.js";

/** An AWS session's keys. Times are in milliseconds since the epoch, here and below. */
export interface AwsCredential {
  readonly kind: "aws-keys";
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  readonly expiresAt: number;
}

/** An access token for Google Cloud. */
export interface GoogleCredential {
  readonly kind: "google-token";
  readonly token: Secret;
  /** Absent where a lease gives the token and does not say when it ends. */
  readonly expiresAt?: number;
}

/** What a tool trades for an access token by itself: the caller's ID token, or what the endpoint takes in its place. */
export interface GoogleSubject {
  readonly kind: "google-subject";
  readonly token: Secret;
  readonly expiresAt: number;
}

/** An access token for one resource of Azure. */
export interface AzureCredential {
  readonly kind: "azure-token";
  readonly token: Secret;
  readonly expiresAt: number;
  readonly tenantId?: string;
  readonly subscriptionId?: string;
}

/** What a tool is handed. */
export type Credential = AwsCredential | GoogleCredential | GoogleSubject | AzureCredential;
