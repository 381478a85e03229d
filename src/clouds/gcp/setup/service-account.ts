export interface ServiceAccount {
  readonly email: string;
  readonly accountId: string;
  /** Absent where the address does not tell: such an account cannot be made, only used. */
  readonly projectId?: string;
}

/** `NAME@PROJECT.iam.gserviceaccount.com`; a project of a domain is written `PROJECT.DOMAIN` there and `DOMAIN:PROJECT` elsewhere. */
export function serviceAccountAt(email: string): ServiceAccount {
  const [accountId = "", host = ""] = email.split("@");
  const project = /^(?<project>[a-z0-9-]+)(?:\.(?<domain>[a-z0-9.-]+))?\.iam\.gserviceaccount\.com$/.exec(host)?.groups;
  const { project: name, domain } = project ?? {};
  if (name === undefined) return { email, accountId };
  return { email, accountId, projectId: domain === undefined ? name : `${domain}:${name}` };
}
