/** What to change on Azure's side, by the code that Azure Resource Manager refused with. */
export function armHint(code: string, clientId: string, text: string): string {
  switch (code) {
    case "AuthorizationFailed":
    case "InsufficientPermissions":
    case "LinkedAuthorizationFailed":
      return `${checkScope(text)}application ${clientId} needs Role Based Access Control Administrator on that scope, with a condition that allows this role; agentctl setup azure writes that`;
    case "AadPremiumLicenseRequired":
      return "time-bound assignments need Microsoft Entra ID P2 or ID Governance; azure.allow_unbounded: true gives plain ones, which stay if agentctl cannot take them back";
    case "RoleAssignmentRequestPolicyValidationFailed":
      return policyHint(text);
    case "SubjectNotFound":
    case "PrincipalNotFound":
      return "a service principal that was only just created is known everywhere after some minutes";
    case "RoleNotFound":
    case "RoleDefinitionDoesNotExist":
    case "ScopeDoesNotMatchRoleDefinition":
      return "check the role in azure.assignments: its name, or the id of a definition that can be assigned at that scope";
    case "SubscriptionNotFound":
    case "ResourceGroupNotFound":
    case "ResourceNotFound":
    case "ManagementGroupNotFound":
    case "InvalidScope":
      return "check the scope in azure.assignments, and azure.tenant_id";
    case "ScopeLocked":
    case "ResourceIsLocked":
    case "FailedAsResourceIsLocked":
      return "a lock on the scope or above it keeps role assignments from being removed, and a read-only one from being made: take it off";
    case "ReadOnlyDisabledSubscription":
      return "the subscription is disabled: nothing is assigned or removed there until it is enabled again";
    case "RoleAssignmentLimitExceeded":
      return "the subscription holds as many role assignments as fit: remove what is not needed, or assign to groups";
    case "ExpiredAuthenticationToken":
    case "InvalidAuthenticationToken":
    case "InvalidAuthenticationTokenTenant":
    case "InvalidAuthenticationTokenAudience":
      return "check azure.tenant_id and AZURE_AUTHORITY_HOST: the token has to be of the tenant that the subscription trusts";
    default:
      return "look for this refusal in the activity log of that scope";
  }
}

/** Azure refuses in the same words where the scope is not there, such as of a subscription that is misspelt. */
function checkScope(text: string): string {
  return /\bscope is invalid\b/i.test(text) ? "check the scope in azure.assignments, which may not be there; or " : "";
}

/** Which of a role's settings in Privileged Identity Management stands in the way. */
function policyHint(text: string): string {
  const settings = "the role's settings in Privileged Identity Management for active assignments";
  if (text.includes("ExpirationRule")) {
    return `${settings} do not let them last that long: shorten ttl, or change them`;
  }
  if (text.includes("MfaRule")) {
    return `${settings} ask for multi-factor authentication, which no application can do: change them for this role and scope`;
  }
  return `${settings} ask for more, such as a ticket: change them for this role and scope`;
}
