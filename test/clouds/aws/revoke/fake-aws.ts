import type { ServerResponse } from "node:http";
import { type Asked, type FakeSts, grants, type Reply, refuses, sendXml, startFakeSts } from "../fake-sts.js";
import { ROLE } from "../settings.js";

export const BOUNDARY = "arn:aws:iam::111122223333:policy/agentctl-boundary-agentctl-deploy";

/** What AWS is like before the test asks it for anything. */
export interface FakeWorld {
  /** By this clock; what STS gives lasts from here. */
  readonly now: () => number;
  readonly aheadMs?: number;
  readonly policies?: readonly string[];
  readonly boundary?: string;
  /** How many policies fit on the role. */
  readonly room?: number;
  readonly pageSize?: number;
  /** How many calls of the session still pass after the deny was put. */
  readonly callsUntilDenied?: number;
  /** Instead of the usual answers to these actions: in turn, then as usual. */
  readonly instead?: Readonly<Record<string, readonly Reply[]>>;
}

export interface FakeAws extends FakeSts {
  /** The role's inline policies by name. */
  readonly policies: ReadonlyMap<string, string>;
  /** The actions asked for, in order. */
  actions(): string[];
  /** What was asked for with this action. */
  askedFor(action: string): Record<string, string>[];
}

export const denied = refuses(403, "AccessDenied", denial("with an explicit deny in an identity-based policy"));

/** A refusal of the call by which a session is observed, in AWS's words. */
export function denial(why: string): string {
  return `User: ${ROLE} is not authorized to perform: sts:DecodeAuthorizationMessage ${why}`;
}

/** STS and the IAM of one role on loopback, as one server. */
export async function startFakeAws(world: FakeWorld): Promise<FakeAws> {
  const policies = new Map((world.policies ?? []).map((name) => [name, "{}"]));
  const instead = new Map(Object.entries(world.instead ?? {}).map(([action, replies]) => [action, [...replies]]));
  let callsUntilDenied = world.callsUntilDenied ?? 0;
  const usual: Readonly<Record<string, Reply>> = {
    AssumeRoleWithWebIdentity: grants(world.now, world.aheadMs),
    AssumeRole: grants(world.now, world.aheadMs),
    DecodeAuthorizationMessage(asked, response) {
      const isDenied = [...policies.values()].some((document) => document.includes("aws:userid"));
      if (isDenied && callsUntilDenied-- <= 0) denied(asked, response);
      else refuses(400, "InvalidAuthorizationMessageException", "Message is not valid")(asked, response);
    },
    GetRole(_asked, response) {
      const boundary =
        world.boundary === undefined
          ? ""
          : `<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>` +
            `<PermissionsBoundaryArn>${world.boundary}</PermissionsBoundaryArn></PermissionsBoundary>`;
      answer(
        response,
        "GetRole",
        `<Role><Path>/</Path><RoleName>agentctl-deploy</RoleName><RoleId>AROAEXAMPLE</RoleId><Arn>${ROLE}</Arn>` +
          `<CreateDate>2026-01-01T00:00:00Z</CreateDate>${boundary}</Role>`,
      );
    },
    ListRolePolicies({ params }, response) {
      const from = Number(params.get("Marker") ?? 0);
      const to = from + (world.pageSize ?? 100);
      const names = [...policies.keys()].slice(from, to).map((name) => `<member>${name}</member>`);
      const more =
        to < policies.size
          ? `<IsTruncated>true</IsTruncated><Marker>${to}</Marker>`
          : "<IsTruncated>false</IsTruncated>";
      answer(response, "ListRolePolicies", `<PolicyNames>${names.join("")}</PolicyNames>${more}`);
    },
    PutRolePolicy(asked, response) {
      const name = asked.params.get("PolicyName") ?? "";
      if (!policies.has(name) && policies.size >= (world.room ?? 80)) {
        const text = "Maximum policy size of 10240 bytes exceeded for role agentctl-deploy";
        refuses(409, "LimitExceeded", text)(asked, response);
        return;
      }
      policies.set(name, asked.params.get("PolicyDocument") ?? "");
      answer(response, "PutRolePolicy");
    },
    DeleteRolePolicy(asked, response) {
      const name = asked.params.get("PolicyName") ?? "";
      if (policies.delete(name)) answer(response, "DeleteRolePolicy");
      else refuses(404, "NoSuchEntity", `The role policy with name ${name} cannot be found.`)(asked, response);
    },
  };
  const server = await startFakeSts([
    (asked, response) => {
      const action = asked.params.get("Action") ?? "";
      const reply = instead.get(action)?.shift() ?? usual[action];
      if (reply === undefined) refuses(400, "InvalidAction", action)(asked, response);
      else reply(asked, response);
    },
  ]);
  const actionOf = ({ params }: Asked) => params.get("Action") ?? "";
  return {
    url: server.url,
    asked: server.asked,
    close: server.close,
    policies,
    actions: () => server.asked.map(actionOf),
    askedFor: (action) =>
      server.asked.filter((asked) => actionOf(asked) === action).map(({ params }) => Object.fromEntries(params)),
  };
}

function answer(response: ServerResponse, action: string, result?: string): void {
  const inner = result === undefined ? "" : `<${action}Result>${result}</${action}Result>`;
  const xmlns = 'xmlns="https://iam.amazonaws.com/doc/2010-05-08/"';
  const meta = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>";
  sendXml(response, 200, `<${action}Response ${xmlns}>${inner}${meta}</${action}Response>`);
}
