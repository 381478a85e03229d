import type { GcpSettings } from "../../../core/profile.js";
import { mayAskAgain } from "../rights/undo.js";
import type { GranterPlan } from "./granter-plan.js";

/** What is to be known of what is given for the time of a lease. */
export function granterNotes(settings: GcpSettings, plan: GranterPlan | undefined, grantee: string): readonly string[] {
  const { entitlement, granter, serviceAccount, bindings } = settings;
  const rights = plan?.rights ?? [];
  const kinds = new Set(rights.map(({ kind }) => kind));
  const notes: string[] = [];
  if (bindings.length > 0) {
    notes.push(
      "a condition lets the granter give and take the profile's roles alone, but to anybody: none of them may be one by which policies or roles are changed",
      "the condition is a binding's: of an earlier one, for other roles, nothing is removed here",
    );
  }
  if (kinds.has("bucket") || kinds.has("serviceAccount")) {
    notes.push(
      "Google documents that limit for projects, folders and organizations; whether buckets and service accounts keep to it could not be verified, and where one does not the granter can give any role on it",
    );
  }
  if (kinds.has("bucket")) {
    notes.push(
      "a bucket takes conditions only with uniform bucket-level access, and the role is defined in a project: it has to be the bucket's",
    );
  }
  if (plan !== undefined && serviceAccount === undefined && granter !== undefined) {
    notes.push(
      "the command is the federated identity itself, which may be the granter: name a service_account, so that what the command has cannot give",
    );
  }
  if (entitlement !== undefined) {
    notes.push(
      `the entitlement ${entitlement} is not changed: it has to have ${grantee} among its eligible users, to ask for no approval, and to give as long as the profile's ttl and ready's timeout together; that a custom role takes the permissions on its grants could not be verified`,
    );
  }
  if (entitlement !== undefined && mayAskAgain(settings)) {
    notes.push(
      "who may ask for a grant may ask for another: the command can, with its token, until that ends; scopes without cloud-platform, or an approver, keep it from that",
    );
  }
  return notes;
}
