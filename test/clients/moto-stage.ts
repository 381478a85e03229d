import { generateKeyPair, SignJWT } from "jose";
import { openStage, type Stage } from "../e2e/agentctl.js";
import { type Moto, startMoto } from "./moto.js";
import { CLIENT_PATH } from "./tools.js";

/** agentctl with moto in the place of every service of AWS's. */
export interface MotoStage {
  readonly stage: Stage;
  /** Where moto answers, started at the first call: it may not be installed. */
  url(): Promise<string>;
  /** With an identity of no platform's, which moto does not look at. */
  environment(): Promise<Record<string, string | undefined>>;
  close(): Promise<void>;
}

const ENDPOINTS = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_S3"];

export async function openMotoStage(profiles: string): Promise<MotoStage> {
  const stage = await openStage();
  stage.writeConfig(profiles);
  let moto: Promise<Moto> | undefined;
  const url = async (): Promise<string> => {
    moto ??= startMoto();
    return (await moto).url;
  };
  return {
    stage,
    url,
    environment: async () => {
      const endpoint = await url();
      return {
        PATH: CLIENT_PATH,
        ...Object.fromEntries(ENDPOINTS.map((name) => [name, endpoint])),
        AWS_CA_BUNDLE: undefined,
        ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined,
        AGENTCTL_ID_TOKEN: await signToken(),
      };
    },
    close: async () => {
      try {
        await (await moto)?.close();
      } finally {
        await stage.close();
      }
    },
  };
}

async function signToken(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  const claims = { iss: "https://issuer.test", sub: "somebody", aud: "sts.amazonaws.com" };
  const token = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "1" });
  return token.setIssuedAt().setExpirationTime("10m").sign(privateKey);
}
