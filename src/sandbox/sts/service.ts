import type { Session } from "../iam/sessions.js";
import { isoBasic, type SignatureFault, verifySignature } from "../iam/signature.js";
import type { Service, ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import { assumeRole } from "./assume-role.js";
import type { StsContext } from "./context.js";
import { describeForm } from "./parameters.js";
import { assumeRoleWithWebIdentity } from "./web-identity.js";
import { stsAnswer, stsError } from "./xml.js";

const VERSION = "2011-06-15";
const OPERATIONS: readonly string[] = ["AssumeRoleWithWebIdentity", "AssumeRole", "GetCallerIdentity"];

/** AWS STS in the AWS Query protocol. */
export function createStsService(context: StsContext): Service {
  return {
    name: "sts",
    nameOperation: (request) => readForm(request).get("Action") ?? "unknown",
    answer: async (request, operation, note) => {
      const form = readForm(request);
      assertOperation(form);
      if (operation === "AssumeRoleWithWebIdentity") {
        note({ parameters: describeForm(form) });
        return stsAnswer(operation, await assumeRoleWithWebIdentity(form, context, note), request);
      }
      const caller = await findCaller(request, context);
      note({ principal: caller.arn });
      if (operation === "AssumeRole") {
        note({ parameters: describeForm(form) });
        return stsAnswer(operation, assumeRole(form, caller, context), request);
      }
      // No policy can deny GetCallerIdentity; only the keys' own expiry ends it.
      const identity = { Arn: caller.arn, UserId: caller.userId, Account: caller.accountId };
      return stsAnswer(operation, identity, request);
    },
    refuse: stsError,
  };
}

function readForm(request: ServiceRequest): URLSearchParams {
  if (request.method === "POST") return new URLSearchParams(request.body.toString("utf8"));
  return new URLSearchParams(
    Object.fromEntries(Object.entries(request.query).map(([k, v]) => [k, [v].flat()[0] ?? ""])),
  );
}

function assertOperation(form: URLSearchParams): void {
  const action = form.get("Action");
  const version = form.get("Version");
  if (action === null) throw new WireError(400, "MissingAction", "Could not find operation in the request");
  if (version !== VERSION || !OPERATIONS.includes(action)) {
    throw new WireError(
      400,
      "InvalidAction",
      `Could not find operation ${action} for version ${version ?? "NO_VERSION_SPECIFIED"}`,
    );
  }
}

async function findCaller(request: ServiceRequest, context: StsContext): Promise<Session> {
  const now = context.now();
  const result = await verifySignature(request, "sts", context.sessions, now);
  if ("session" in result) return result.session;
  throw explainFault(result.fault, request, now);
}

function explainFault(fault: SignatureFault, request: ServiceRequest, now: number): WireError {
  const signed = request.headers["x-amz-date"] ?? "";
  switch (fault) {
    case "unsigned":
      return new WireError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    case "incomplete":
    case "unsupported":
      return new WireError(
        400,
        "IncompleteSignature",
        "Request must contain a signature that conforms to AWS standards",
      );
    case "unknown key":
    case "wrong token":
      return new WireError(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
    case "expired token":
      return new WireError(403, "ExpiredToken", "The security token included in the request is expired");
    case "wrong scope":
      return new WireError(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ");
    case "too late": {
      const limit = isoBasic(now - 15 * 60_000);
      const text = `Signature expired: ${signed} is now earlier than ${limit} (${isoBasic(now)} - 15 min.)`;
      return new WireError(403, "SignatureDoesNotMatch", text);
    }
    case "too early": {
      const limit = isoBasic(now + 15 * 60_000);
      const text = `Signature not yet current: ${signed} is still later than ${limit} (${isoBasic(now)} + 15 min.)`;
      return new WireError(403, "SignatureDoesNotMatch", text);
    }
    case "wrong payload hash":
    case "mismatch":
      return new WireError(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
  }
}
