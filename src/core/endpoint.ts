import type { Grant } from "./lease.js";
import type { CloudName } from "./profile.js";
import type { Secret } from "./secret.js";

/** Where the lease's loopback endpoint is, as one cloud's tools are told. */
export interface EndpointPlace {
  /** `http://127.0.0.1:PORT/UNGUESSABLE/CLOUD`, without a slash at its end. */
  readonly url: string;
  /** What the protocol's own header must carry. The lease's own; the same for each of its clouds. */
  readonly secret: Secret;
  /** The lease's private directory, absolute. */
  readonly dir: string;
}

/** A request that has come in at the right place; who may ask is judged by `authorize`. */
export interface EndpointQuestion {
  readonly method: string;
  /** What stands after the cloud's own part of the path: `""`, or with a slash before it, such as `/token`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case names; of a header that came twice, nothing. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most 64 KiB of UTF-8. */
  readonly body: string;
}

export interface EndpointAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; what holds a secret is revealed here and nowhere before. */
  readonly body: string;
}

/** Why a question is not answered with a credential. */
export interface EndpointRefusal {
  /** `unauthorized`, `stranger`, `unknown-path`, `bad-request`, `scope`, `lease-ended` or `unavailable`. */
  readonly reason: RefusalReason;
  /** One line that the tool shows its user; no secret. */
  readonly message: string;
}

export type RefusalReason =
  | "unauthorized"
  | "stranger"
  | "unknown-path"
  | "bad-request"
  | "scope"
  | "lease-ended"
  | "unavailable";

/** How one cloud's tools read its grant: that cloud's own protocols, given by its room and served by `deliver`. */
export interface CloudEndpoint {
  readonly cloud: CloudName;
  /** Variables that lead the cloud's tools to `place`. The values that are secret are Secrets. */
  variables(place: EndpointPlace): Readonly<Record<string, string | Secret>>;
  /**
   * Private files, by their names below the private directory; asked for again at each renewal, when those whose
   * text has changed are replaced atomically.
   */
  files(place: EndpointPlace, grant: Grant): Readonly<Record<string, string | Secret>>;
  /** Whether the question carries the protocol's own proof, compared in constant time. */
  authorize(question: EndpointQuestion, place: EndpointPlace): boolean;
  /** The grant in the words of the protocol asked in, or why not. */
  answer(question: EndpointQuestion, grant: Grant, place: EndpointPlace): EndpointAnswer | EndpointRefusal;
  /** A refusal in the words of the protocol asked in, so that the tool shows it. */
  refuse(question: EndpointQuestion, refusal: EndpointRefusal): EndpointAnswer;
  /** A server of its own, with no secret in its paths, where tools read nothing else: only with `peer_check: require`. */
  readonly metadata?: MetadataEndpoint;
}

/** A cloud's metadata server, on a port of its own. */
export interface MetadataEndpoint {
  /** `host` is `127.0.0.1:PORT`. */
  variables(host: string): Readonly<Record<string, string>>;
  answer(question: EndpointQuestion, grant: Grant): EndpointAnswer | EndpointRefusal;
  refuse(question: EndpointQuestion, refusal: EndpointRefusal): EndpointAnswer;
}
