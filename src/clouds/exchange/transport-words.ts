/** Why there was no answer, in plain words, and what to do about it. */
export interface TransportWords {
  readonly problem: string;
  readonly hint: string;
}

/** What there is to look at, in a cloud's own names. */
export interface TransportPlaces {
  /** Such as `the endpoint`. */
  readonly endpoint: string;
  /** Such as `the region and the STS endpoint`. */
  readonly inUse: string;
  /** The variables that name a further CA. */
  readonly caVariables: string;
}

const USUAL_PLACES: TransportPlaces = {
  endpoint: "the endpoint",
  inUse: "the endpoint",
  caVariables: "NODE_EXTRA_CA_CERTS",
};

type Hint = (places: TransportPlaces) => string;

const CHECK_CLOCK: Hint = () => "check this machine's clock";
const CHECK_CLOCK_FIRST: Hint = ({ endpoint }) => `check this machine's clock, then ${endpoint}`;
const CHECK_ENDPOINT: Hint = ({ endpoint }) => `check the scheme, host name and port of ${endpoint}`;
const CHECK_NETWORK: Hint = ({ inUse }) => `check the network, and ${inUse} in use`;
const NAME_CA: Hint = ({ caVariables }) =>
  `if a company proxy or the sandbox signed it, name its CA in ${caVariables}; never switch the check off`;

const WORDS: readonly (readonly [code: RegExp, problem: string, hint: Hint])[] = [
  [/^ERR_TLS_CERT_ALTNAME/, "its certificate is for another host name", CHECK_ENDPOINT],
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired", CHECK_CLOCK_FIRST],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet", CHECK_CLOCK],
  [
    /CERT|^UNABLE_TO_|^INVALID_|^PATH_LENGTH/,
    "its certificate is not signed by an authority that this machine trusts",
    NAME_CA,
  ],
  [/^(EPROTO|ERR_SSL|ERR_TLS)/, "it does not speak TLS", CHECK_ENDPOINT],
  [/^ENOTFOUND$/, "its host name is unknown", CHECK_NETWORK],
  [/^EAI_AGAIN$/, "its host name could not be looked up", CHECK_NETWORK],
  [/^ECONNREFUSED$/, "nothing listens there", CHECK_NETWORK],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, "the connection was cut", CHECK_NETWORK],
  [/^ETIMEDOUT$/, "no answer came in time", CHECK_NETWORK],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, "there is no route to it", CHECK_NETWORK],
];

/** The words for a Node system, TLS or OpenSSL error code. */
export function transportWords(code: string, places: TransportPlaces = USUAL_PLACES): TransportWords {
  const [, problem = code, hint = CHECK_NETWORK] = WORDS.find(([pattern]) => pattern.test(code)) ?? [];
  return { problem, hint: hint(places) };
}

/** Node's and OpenSSL's codes for a failed handshake or an unacceptable certificate. */
const TLS = /CERT|^(EPROTO|ERR_(TLS|SSL)_\w+|UNABLE_TO_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/;

export function isTlsCode(code: string): boolean {
  return TLS.test(code);
}

/** Names, and answers that are too long or no HTTP, do not change within seconds. */
const LASTING = /^(ENOTFOUND|EMSGSIZE|HPE_\w+)$/;

/** Trust does not either; the rest of transport's failures may. */
export function mayPass(code: string): boolean {
  return !LASTING.test(code) && !isTlsCode(code);
}

/** Whether something answered, though in no way that HTTP knows, or without end. */
export function isNoHttpAnswer(code: string): boolean {
  return code === "EMSGSIZE" || code.startsWith("HPE_");
}
