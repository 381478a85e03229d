import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { readIni } from "./read-ini.js";
import { readSmallFile } from "./read-small-file.js";
import { keepValid, type Values } from "./values.js";

type Place = Pick<Runtime, "env" | "fs">;

/**
 * What the clouds' own tools have been told on this machine: names, regions and ids. Files of credentials are not
 * opened.
 */
export function findCloudValues(runtime: Place): Values {
  return keepValid({ ...findAws(runtime), ...findAzure(runtime), ...findGcp(runtime) });
}

function findAws(runtime: Place): Record<string, string | undefined> {
  const { env, fs } = runtime;
  const file = env["AWS_CONFIG_FILE"] ?? inHome(runtime, ".aws/config");
  const sections = [...readIni((file && readSmallFile(file, fs)) ?? "").entries()];
  const chosen = env["AWS_PROFILE"] ?? env["AWS_DEFAULT_PROFILE"] ?? "default";
  const own = sections.find(([name]) => name === chosen || name === `profile ${chosen}`)?.[1];
  const accounts = new Set(
    sections.flatMap(([, keys]) => keys.get("sso_account_id") ?? accountOf(keys.get("role_arn")) ?? []),
  );
  const account = own?.get("sso_account_id") ?? accountOf(own?.get("role_arn")) ?? only(accounts);
  return {
    region: env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? own?.get("region"),
    role_arn: env["AWS_ROLE_ARN"] ?? (account && `arn:aws:iam::${account}:role/agentctl-deploy`),
  };
}

function accountOf(roleArn: string | undefined): string | undefined {
  return /^arn:aws[\w-]*:iam::(\d{12}):role\//.exec(roleArn ?? "")?.[1];
}

function only(values: ReadonlySet<string>): string | undefined {
  const [value, ...others] = values;
  return others.length === 0 ? value : undefined;
}

function findAzure(runtime: Place): Record<string, string | undefined> {
  const { env, fs } = runtime;
  const dir = env["AZURE_CONFIG_DIR"] ?? inHome(runtime, ".azure");
  const profile = dir && readSmallFile(path.join(dir, "azureProfile.json"), fs);
  const subscription = defaultSubscription(profile ?? "");
  return {
    tenant_id: env["AZURE_TENANT_ID"] ?? env["ARM_TENANT_ID"] ?? subscription["tenantId"],
    client_id: env["AZURE_CLIENT_ID"] ?? env["ARM_CLIENT_ID"],
    subscription_id: env["AZURE_SUBSCRIPTION_ID"] ?? env["ARM_SUBSCRIPTION_ID"] ?? subscription["id"],
  };
}

/** The Azure CLI writes the file with a byte order mark. */
function defaultSubscription(text: string): Record<string, string | undefined> {
  try {
    const { subscriptions } = JSON.parse(text.replace(/^\ufeff/, "")) as { subscriptions?: unknown };
    const all = Array.isArray(subscriptions) ? (subscriptions as Record<string, unknown>[]) : [];
    const chosen = all.find((subscription) => subscription["isDefault"] === true) ?? {};
    return { id: textOf(chosen["id"]), tenantId: textOf(chosen["tenantId"]) };
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function findGcp(runtime: Place): Record<string, string | undefined> {
  const { env, fs } = runtime;
  const dir = env["CLOUDSDK_CONFIG"] ?? inHome(runtime, ".config/gcloud");
  const active =
    env["CLOUDSDK_ACTIVE_CONFIG_NAME"] ?? (dir && readSmallFile(path.join(dir, "active_config"), fs))?.trim();
  const name = active !== undefined && /^[a-z][\w-]*$/.test(active) ? active : "default";
  const configured = dir && readSmallFile(path.join(dir, "configurations", `config_${name}`), fs);
  const project =
    env["CLOUDSDK_CORE_PROJECT"] ??
    env["GOOGLE_CLOUD_PROJECT"] ??
    readIni(configured ?? "")
      .get("core")
      ?.get("project");
  return {
    project_id: project,
    service_account: project && `agentctl-deploy@${project}.iam.gserviceaccount.com`,
  };
}

function inHome({ env }: Place, file: string): string | undefined {
  const home = env["HOME"];
  return home !== undefined && path.isAbsolute(home) ? path.join(home, file) : undefined;
}
