// A certificate for the proxy of `npm run endings`: Azure's library signs in nowhere without TLS.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import fs from "node:fs";
import * as x509 from "@peculiar/x509";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;

/** `{cert, key}`; the file comes to hold the certificate, and what NODE_EXTRA_CA_CERTS holds now. */
export async function makeCertificate(caFile) {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=endings",
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + 24 * HOUR_MS),
    keys,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]),
    ],
  });
  const cert = made.toString("pem");
  fs.writeFileSync(caFile, `${fs.readFileSync(process.env.NODE_EXTRA_CA_CERTS, "utf8").trimEnd()}\n${cert}\n`);
  return { cert, key: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }) };
}
