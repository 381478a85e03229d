import { describe, expect, it } from "vitest";
import { mayPass, transportWords } from "../../../src/clouds/exchange/transport-words.js";

describe("a failure of transport", () => {
  it.each([
    { code: "ECONNREFUSED", want: /nothing listens/, passes: true },
    { code: "ECONNRESET", want: /was cut/, passes: true },
    { code: "ETIMEDOUT", want: /in time/, passes: true },
    { code: "EAI_AGAIN", want: /looked up/, passes: true },
    { code: "EHOSTUNREACH", want: /no route/, passes: true },
    { code: "ENOTFOUND", want: /host name is unknown/, passes: false },
    { code: "EPROTO", want: /does not speak TLS/, passes: false },
    { code: "ERR_SSL_WRONG_VERSION_NUMBER", want: /does not speak TLS/, passes: false },
    { code: "ERR_TLS_CERT_ALTNAME_INVALID", want: /another host name/, passes: false },
    { code: "CERT_HAS_EXPIRED", want: /has expired/, passes: false },
    { code: "CERT_NOT_YET_VALID", want: /not valid yet/, passes: false },
    { code: "DEPTH_ZERO_SELF_SIGNED_CERT", want: /not signed by an authority/, passes: false },
    { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", want: /not signed by an authority/, passes: false },
    { code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", want: /not signed by an authority/, passes: false },
    { code: "INVALID_PURPOSE", want: /not signed by an authority/, passes: false },
    { code: "PATH_LENGTH_EXCEEDED", want: /not signed by an authority/, passes: false },
    { code: "ENOVELTY", want: /^ENOVELTY$/, passes: true },
  ])("$code is told in plain words", ({ code, want, passes }) => {
    expect(transportWords(code).problem).toMatch(want);
    expect(mayPass(code)).toBe(passes);
  });

  const places = { endpoint: "the STS endpoint", inUse: "the region and the STS endpoint", caVariables: "A or B" };
  it.each([
    { code: "ENOTFOUND", want: "check the network, and the region and the STS endpoint in use" },
    { code: "EPROTO", want: "check the scheme, host name and port of the STS endpoint" },
    { code: "CERT_HAS_EXPIRED", want: "check this machine's clock, then the STS endpoint" },
    { code: "CERT_NOT_YET_VALID", want: "check this machine's clock" },
    { code: "SELF_SIGNED_CERT_IN_CHAIN", want: /name its CA in A or B; / },
    { code: "ENOVELTY", want: /^check the network/ },
  ])("$code is answered by a place to look at", ({ code, want }) => {
    expect(transportWords(code, places).hint).toMatch(want);
  });
});
