import type { WireError } from "./wire-error.js";

export const SERVICE_NAMES = [
  ...(["oidc", "sts", "iam", "s3"] as const),
  ...(["entra", "arm", "blob"] as const),
  ...(["gcp-sts", "iamcredentials", "tokeninfo", "gcs", "cloudresourcemanager", "gcp-iam", "pam"] as const),
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** One HTTP request as it came over the wire; header names in lower case. */
export interface ServiceRequest {
  readonly method: string;
  /** Still percent-encoded, as the signature covers it. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly requestId: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** For the request log: who asked, and what for. Never a secret. */
export interface RequestNotes {
  readonly principal?: string;
  readonly parameters?: Readonly<Record<string, string | readonly string[]>>;
}

export type TakeNotes = (notes: RequestNotes) => void;

/** How a service words what a fault makes it say. */
export type FailureWords = Readonly<Record<"throttle" | "error" | "deny", WireError>>;

/** One of the embedded services. What `answer` throws as a WireError is worded by `refuse`. */
export interface Service {
  readonly name: ServiceName;
  /** Absent: AWS's words. */
  readonly failures?: FailureWords;
  /** The operation's name in the cloud's own words, such as `AssumeRole`; faults and the log use it. */
  nameOperation(request: ServiceRequest): string;
  /** Says to `note` what the log is to hold, as soon as it is known, so that a refusal has it too. */
  answer(request: ServiceRequest, operation: string, note: TakeNotes): Promise<ServiceAnswer>;
  refuse(error: WireError, request: ServiceRequest): ServiceAnswer;
}

/** A query parameter's first value. */
export function queryValue(request: Pick<ServiceRequest, "query">, name: string): string | undefined {
  const value = request.query[name];
  return Array.isArray(value) ? value[0] : value;
}
