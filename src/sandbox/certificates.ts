// @peculiar/x509 resolves its parts through decorators, which need this polyfill loaded first.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
/** Wide enough that a sandbox serves clients whose clock was set wrong on purpose. */
const VALID_BEFORE_MS = 2 * DAY_MS;
const VALID_AFTER_MS = 30 * DAY_MS;

export interface Certificates {
  /** The authority's certificate, PEM: what clients are to trust. */
  readonly caPem: string;
  /** The servers' certificate and its key, PEM; the key never touches a disk. */
  readonly serverPem: string;
  readonly serverKeyPem: string;
}

/** A certificate authority of the moment and one loopback server certificate (ECDSA P-256). */
export async function makeCertificates(now: number): Promise<Certificates> {
  const [caKeys, serverKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const validity = { notBefore: new Date(now - VALID_BEFORE_MS), notAfter: new Date(now + VALID_AFTER_MS) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: "CN=agentctl sandbox CA",
    keys: caKeys,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: "CN=agentctl sandbox",
    issuer: ca.subject,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
        { type: "dns", value: "*.localhost" },
      ]),
      // Python's strict X.509 checks (3.13 on) demand it.
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(serverKeys.publicKey),
    ],
  });
  return {
    caPem: `${ca.toString("pem")}\n`,
    serverPem: server.toString("pem"),
    serverKeyPem: KeyObject.from(serverKeys.privateKey).export({ type: "pkcs8", format: "pem" }) as string,
  };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
}
