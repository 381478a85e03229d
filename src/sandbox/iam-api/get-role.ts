import { formatInstant } from "../../core/durations.js";
import { roleId } from "../iam/ids.js";
import type { XmlValue } from "../query/xml.js";
import type { IamContext } from "./context.js";
import { encodeDocument } from "./encode-document.js";
import type { FoundRole } from "./find-role.js";

const DEFAULT_SESSION_SECONDS = 3600;

export function getRole({ arn, name, path, definition }: FoundRole, { createdAt }: IamContext): XmlValue {
  const boundary = definition.permissionsBoundary;
  return {
    Role: {
      Path: path,
      RoleName: name,
      RoleId: roleId(arn),
      Arn: arn,
      CreateDate: formatInstant(createdAt),
      AssumeRolePolicyDocument: encodeDocument(JSON.stringify(definition.trust)),
      MaxSessionDuration: definition.maxSessionSeconds ?? DEFAULT_SESSION_SECONDS,
      ...(boundary !== undefined && {
        PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: boundary.arn },
      }),
    },
  };
}
