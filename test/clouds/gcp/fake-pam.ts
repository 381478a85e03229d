import { type Asked, answersJson, type Reply } from "../exchange/fake-service.js";

export interface FakeGrant {
  readonly name: string;
  readonly requester: string;
  readonly requestId: string;
  readonly requestedDuration: string;
  readonly justification: { readonly unstructuredJustification: string };
  state: string;
  auditTrail?: { readonly accessGrantTime: string };
  /** The states that are still to come, one for each time that it is read. */
  next: string[];
}

export interface FakePam {
  grants: FakeGrant[];
  /** How often a grant was asked for. */
  asked?: number;
  /** What a fresh grant goes through; its last state is where it stays. */
  states?: readonly string[];
  /** What a grant that is to end goes through. */
  endStates?: readonly string[];
  /** Who may not revoke; by default nobody is refused. */
  mayNotRevoke?: string;
  mayNotWithdraw?: boolean;
  /** Whether none but an active grant can be revoked or withdrawn. */
  endsActiveOnly?: boolean;
  /** Who may not see all grants of an entitlement. */
  mayNotList?: string;
  /** Asked before a grant is made: what it answers goes out in its place. */
  /** When one is about to be made. */
  onCreate?: () => void;
  beforeCreate?: (count: number) => Reply | undefined;
  /** Of each list a page that another follows. */
  isEndless?: boolean;
}

const OVER = ["DENIED", "ACTIVATION_FAILED", "EXPIRED", "REVOKED", "ENDED", "WITHDRAWN"];

/** Privileged Access Manager: one open grant for each requester of an entitlement. */
export function answerPam(asked: Asked, who: string, pam: FakePam): Reply | undefined {
  const url = new URL(asked.path, "http://fake");
  const match = /^\/v1(beta)?\/(.+\/entitlements\/[^/]+)\/grants(?:\/([^:/]+))?(?::(\w+))?$/.exec(url.pathname);
  const [, beta, entitlement = "", id, verb] = match ?? [];
  if (match === null) return undefined;
  if (id === undefined && asked.method === "POST") return create(asked, url, who, entitlement, pam);
  if (id === undefined) {
    const isSearch = verb === "search";
    if (isSearch && url.searchParams.get("callerRelationship") !== "HAD_CREATED")
      return refuse(400, "INVALID_ARGUMENT");
    if (!isSearch && pam.mayNotList === who) return refuse(403, "PERMISSION_DENIED");
    if (pam.isEndless === true) return answersJson(200, { nextPageToken: "more" });
    const shown = pam.grants.filter(({ requester }) => !isSearch || requester === who);
    return answersJson(200, shown.length === 0 ? {} : { grants: shown });
  }
  const grant = pam.grants.find(({ name }) => name.endsWith(`/${id}`));
  if (grant === undefined) return refuse(404, "NOT_FOUND");
  if (verb === undefined) {
    grant.state = grant.next.shift() ?? grant.state;
    return answersJson(200, grant);
  }
  if (pam.endsActiveOnly === true && grant.state !== "ACTIVE") return refuse(400, "FAILED_PRECONDITION");
  if (verb === "revoke" && pam.mayNotRevoke === who) return refuse(403, "PERMISSION_DENIED");
  if (verb === "withdraw" && (pam.mayNotWithdraw === true || beta === undefined))
    return refuse(403, "PERMISSION_DENIED");
  const last = verb === "revoke" ? "REVOKED" : "WITHDRAWN";
  const [first = last, ...next] = pam.endStates ?? [last];
  grant.state = first;
  grant.next = next;
  return answersJson(200, { name: "operation" });
}

function create(asked: Asked, url: URL, who: string, entitlement: string, pam: FakePam): Reply {
  pam.asked = (pam.asked ?? 0) + 1;
  const instead = pam.beforeCreate?.(pam.asked);
  if (instead !== undefined) return instead;
  const requestId = url.searchParams.get("requestId") ?? "";
  const same = pam.grants.find((grant) => grant.requestId === requestId);
  if (same !== undefined) return answersJson(200, same);
  pam.onCreate?.();
  if (pam.grants.some(({ requester, state }) => requester === who && !OVER.includes(state))) {
    return refuse(400, "FAILED_PRECONDITION", "There is already an open grant of the requester.");
  }
  const [state = "ACTIVE", ...next] = pam.states ?? ["ACTIVE"];
  const asking = JSON.parse(asked.body) as Pick<FakeGrant, "requestedDuration" | "justification">;
  const name = `${entitlement}/grants/${pam.grants.length + 1}`;
  const grant: FakeGrant = { name, requester: who, requestId, ...asking, state, next };
  pam.grants.push(grant);
  return answersJson(200, grant);
}

export function refuse(status: number, code: string, message = "refused"): Reply {
  return answersJson(status, { error: { code: status, status: code, message } });
}
