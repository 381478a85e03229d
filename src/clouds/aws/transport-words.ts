/** Why there was no answer, in plain words, and what to do about it. */
export interface TransportWords {
  readonly problem: string;
  readonly hint: string;
}

const CHECK_NETWORK = "check the network, and the region and SERVICE endpoint in use";
const NAME_CA =
  "if a company proxy or the sandbox signed it, name its CA in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS; never switch the check off";

const WORDS: readonly (readonly [RegExp, TransportWords])[] = [
  [
    /^ERR_TLS_CERT_ALTNAME/,
    { problem: "its certificate is for another host name", hint: "check the SERVICE endpoint's host name" },
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    { problem: "its certificate has expired", hint: "check this machine's clock, then the endpoint" },
  ],
  [/^CERT_NOT_YET_VALID$/, { problem: "its certificate is not valid yet", hint: "check this machine's clock" }],
  [
    /CERT|^UNABLE_TO_|^INVALID_|^PATH_LENGTH/,
    { problem: "its certificate is not signed by an authority that this machine trusts", hint: NAME_CA },
  ],
  [
    /^(EPROTO|ERR_SSL|ERR_TLS)/,
    { problem: "it does not speak TLS", hint: "check the SERVICE endpoint's scheme and port" },
  ],
  [/^ENOTFOUND$/, { problem: "its host name is unknown", hint: CHECK_NETWORK }],
  [/^EAI_AGAIN$/, { problem: "its host name could not be looked up", hint: CHECK_NETWORK }],
  [/^ECONNREFUSED$/, { problem: "nothing listens there", hint: CHECK_NETWORK }],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, { problem: "the connection was cut", hint: CHECK_NETWORK }],
  [/^ETIMEDOUT$/, { problem: "no answer came in time", hint: CHECK_NETWORK }],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, { problem: "there is no route to it", hint: CHECK_NETWORK }],
];

/** The words for a Node system, TLS or OpenSSL error code of an exchange with STS or IAM. */
export function transportWords(code: string, service: string): TransportWords {
  const found = WORDS.find(([pattern]) => pattern.test(code));
  const { problem, hint } = found?.[1] ?? { problem: code, hint: CHECK_NETWORK };
  return { problem, hint: hint.replace("SERVICE", service) };
}
