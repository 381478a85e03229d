/** What to change on Azure's side, by the code that Azure Resource Manager refused with. */
export function armHint(code: string, clientId: string, text: string): string {
  switch (code) {
    case "AuthorizationFailed":
    case "InsufficientPermissions":
    case "LinkedAuthorizationFailed":
      return `application ${clientId} needs Role Based Access Control Administrator on that scope, with a condition that allows this role; agentctl setup azure writes that`;
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
    case "FailedAsResourceIsLocked":
      return "a delete lock on the scope keeps role assignments from being removed";
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

/** Which of a role's settings in Privileged Identity Management stands in the way. */
function policyHint(text: string): string {
  if (text.includes("ExpirationRule")) {
    return "the role's settings in Privileged Identity Management do not let active assignments last that long: shorten ttl, or change them";
  }
  return "the role's settings in Privileged Identity Management for active assignments ask for more, such as a ticket: change them for this role and scope";
}
