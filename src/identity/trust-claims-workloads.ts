import type { TrustCaller } from "../core/trust.js";
import { checkAgreement, contradiction, type Narrowing, tooWide } from "./trust-claims-text.js";

const SERVICE_ACCOUNT = /^system:serviceaccount:(?<namespace>[a-z0-9-]+):(?<name>[a-z0-9.-]+)$/;
/** What a cluster calls its issuer when nobody gave it an address of its own. */
const ANY_CLUSTER = /^https:\/\/kubernetes(\.default(\.svc(\.cluster\.local)?)?)?\/?$/;

/** Pods, by their service account. */
export function fitsKubernetes({ subject }: TrustCaller): boolean {
  return subject.startsWith("system:serviceaccount:");
}

/** @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID */
export function narrowKubernetes({ issuer, subject, claims }: TrustCaller): Narrowing {
  const parts = SERVICE_ACCOUNT.exec(subject)?.groups;
  if (parts === undefined) throw contradiction(`the subject ${subject} is not system:serviceaccount:NAMESPACE:NAME`);
  if (ANY_CLUSTER.test(issuer)) {
    throw tooWide(
      `the issuer ${issuer} is what every cluster calls itself, so no cloud can tell which one this is`,
      "give the API server a public --service-account-issuer of its own (EKS, GKE and AKS have one each)",
    );
  }
  if (parts["name"] === "default") {
    throw tooWide(
      `the service account "default" is that of every pod in ${parts["namespace"]} that names none`,
      "make a service account for this task, and set serviceAccountName",
    );
  }
  checkAgreement(claims, "kubernetes.io.namespace", parts["namespace"]);
  checkAgreement(claims, "kubernetes.io.serviceaccount.name", parts["name"]);
  return {
    subjectWhy: "the namespace and the service account; the issuer is this cluster's alone",
    tests: [],
    bans: [],
    needs: [],
    notes: [
      `whoever may make pods in the namespace ${parts["namespace"]}, or tokens of its service accounts, is trusted`,
    ],
  };
}

/** Workloads with a SPIFFE ID. */
export function fitsSpiffe({ subject }: TrustCaller): boolean {
  return subject.startsWith("spiffe:");
}

/** @throws {AgentctlError} TRUST_TOO_WIDE */
export function narrowSpiffe({ subject }: TrustCaller): Narrowing {
  if (!/^spiffe:\/\/[a-z0-9._-]+(\/[\w.-]+)+$/.test(subject)) {
    throw tooWide(`${subject} names no workload: a SPIFFE ID has a path`, "use the ID of one workload");
  }
  return {
    subjectWhy: "the workload's SPIFFE ID, exactly",
    tests: [],
    bans: [],
    needs: [],
    notes: ["the trust is in the trust domain's OIDC discovery address: check that the issuer is it"],
  };
}
