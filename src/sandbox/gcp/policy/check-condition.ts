import { isCondition } from "../cel.js";
import { isBasicRole } from "../roles.js";
import type { IamCondition } from "../world.js";
import type { PolicyBinding } from "./binding.js";
import { isEverybody } from "./check-members.js";

const MAX_TITLE_BYTES = 100;
const MAX_DESCRIPTION_BYTES = 256;
const MAX_OPERATORS = 12;
const TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

/** What is wrong with a binding's condition, or with its having one. */
export function findConditionFault({ role, members, condition }: PolicyBinding): string | undefined {
  if (condition === undefined) return undefined;
  if (isBasicRole(role)) return `Conditions can't be set on primitive roles: ${role}.`;
  if (members.some(isEverybody)) return "Conditions can't be set for allUsers and allAuthenticatedUsers.";
  return findTextFault(condition) ?? findExpressionFault(condition.expression);
}

function findTextFault({ title, description = "" }: IamCondition): string | undefined {
  if (title === "") return "The title of a condition must not be empty.";
  if (Buffer.byteLength(title) > MAX_TITLE_BYTES) {
    return `The title of a condition must not be longer than ${MAX_TITLE_BYTES} bytes.`;
  }
  if (Buffer.byteLength(description) <= MAX_DESCRIPTION_BYTES) return undefined;
  return `The description of a condition must not be longer than ${MAX_DESCRIPTION_BYTES} bytes.`;
}

function findExpressionFault(expression: string): string | undefined {
  if (!isCondition(expression)) return "Condition expression compilation failed.";
  const operators = expression.replace(TEXT, "").match(/&&|\|\||!(?!=)/g)?.length ?? 0;
  if (operators <= MAX_OPERATORS) return undefined;
  return `The number of logical operators in the condition (${operators}) is larger than the maximum allowed number ${MAX_OPERATORS}.`;
}
