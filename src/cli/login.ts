import { type Command, InvalidArgumentError, Option } from "commander";
import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { LoginRequest, LoginSummary, StoreKind } from "../identity/index.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";
import { renderTable } from "./table.js";

const STORES: readonly StoreKind[] = ["keychain", "file"];

interface LoginOptions {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scope?: readonly string[];
  readonly device?: boolean;
  readonly browser: boolean;
  readonly port?: number;
  readonly store?: StoreKind;
  readonly clientSecretEnv?: string;
  readonly force?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function registerLogin(program: Command, context: CliContext): void {
  program
    .command("login")
    .summary("log in at an OpenID provider")
    .description(
      "Log in at an OpenID provider, by the browser or by device code. The refresh token goes to the keychain, and `run` makes ID tokens of it.",
    )
    .argument("[name]", "what to call it (default: $AGENTCTL_LOGIN, else the only one, else default)")
    .option("--issuer <url>", "the provider (default: as at the last login of that name)")
    .option("--client-id <id>", "the client that is registered there for agentctl")
    .option("--scope <scope>", "ask for this besides openid; may be repeated", collect)
    .option("--device", "by a code that is entered on any machine")
    .option("--no-browser", "show the address, and open no browser")
    .option("--port <port>", "the port of 127.0.0.1 that the browser comes back to (default: any)", parsePort)
    .addOption(new Option("--store <where>", "where the token is kept (default: keychain)").choices(STORES))
    .option("--client-secret-env <name>", "the variable that holds the client's secret, where it has one")
    .option("--force", "replace a login of this name")
    .option("--list", "show the logins")
    .option("--json", "with --list: print a JSON array")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string | undefined, options: LoginOptions) => {
      const { listLogins, logIn } = await import("../identity/index.js");
      const { runtime } = context;
      if (options.list === true) return showLogins(listLogins(runtime), options.json === true, context);
      const tell = (text: string): void => runtime.stderr.write(`agentctl: ${text}\n`);
      report(await logIn(toRequest(name, options), tell, runtime), tell);
    });
}

function toRequest(name: string | undefined, options: LoginOptions): LoginRequest {
  const { issuer, clientId, scope, device, browser, port, store, clientSecretEnv, force } = options;
  if (device === true && (port !== undefined || !browser)) {
    throw new AgentctlError("USAGE", "--device needs neither --port nor --no-browser", {
      hint: "leave one of them out",
    });
  }
  return {
    scopes: scope ?? [],
    device: device === true,
    noBrowser: !browser,
    force: force === true,
    ...(name !== undefined && { name }),
    ...(issuer !== undefined && { issuer }),
    ...(clientId !== undefined && { clientId }),
    ...(port !== undefined && { port }),
    ...(store !== undefined && { store }),
    ...(clientSecretEnv !== undefined && { clientSecretVariable: clientSecretEnv }),
  };
}

function report(login: LoginSummary, tell: (text: string) => void): void {
  const { name, issuer, subject, store, endsAt, clientId } = login;
  tell(`logged in as ${printable(subject)} at ${printable(issuer)}; the login is called ${name}`);
  if (store === "file") tell("its token is in a file that only you can read, and not in a keychain, as you asked");
  if (endsAt !== undefined) {
    tell(
      `the provider gave no refresh token, so it ends at ${formatInstant(endsAt)}; perhaps --scope offline_access helps`,
    );
  }
  tell(`its ID tokens are for the audience ${printable(clientId)}, which the cloud has to trust`);
}

function showLogins(logins: readonly LoginSummary[], json: boolean, { runtime }: CliContext): void {
  if (json) {
    runtime.stdout.write(`${JSON.stringify(logins.map(toJson), null, 2)}\n`);
  } else if (logins.length === 0) {
    runtime.stderr.write("agentctl: nobody has logged in\n");
  } else {
    const rows = logins.map((login) => [
      `${login.name}${login.isDefault ? " (default)" : ""}`,
      login.issuer,
      login.subject,
      login.store,
      formatInstant(login.loggedInAt),
      login.endsAt === undefined ? "is renewed" : formatInstant(login.endsAt),
    ]);
    runtime.stdout.write(renderTable(["name", "issuer", "subject", "kept in", "logged in", "ends"], rows));
  }
}

function toJson({ loggedInAt, endsAt, ...login }: LoginSummary): object {
  return {
    ...login,
    loggedInAt: formatInstant(loggedInAt),
    ...(endsAt !== undefined && { endsAt: formatInstant(endsAt) }),
  };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("Give a number from 1 to 65535.");
  return port;
}

function collect(scope: string, all: readonly string[] = []): readonly string[] {
  if (scope.trim() === "") throw new InvalidArgumentError("Give a scope.");
  return [...all, ...scope.trim().split(/\s+/)];
}

const EXAMPLES = `
Register a native (public) client with the redirect address http://127.0.0.1/callback at your provider first.

Examples:
  agentctl login --issuer https://login.example.com --client-id agentctl
  agentctl login work --device
`;
