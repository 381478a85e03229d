type Compare = (left: string, right: string) => boolean;

const OPERATORS: Readonly<Record<string, Compare>> = {
  stringequals: (left, right) => left === right,
  stringequalsignorecase: (left, right) => left.toLowerCase() === right.toLowerCase(),
  stringstartswith: (left, right) => left.startsWith(right),
  stringlike: (left, right) => asPattern(right).test(left),
  guidequals: (left, right) => left.toLowerCase() === right.toLowerCase(),
};

/** How the values of both sides are gone through: the first word is for the left, the second for the right. */
const QUANTIFIERS = {
  foranyofanyvalues: ["some", "some"],
  foranyofallvalues: ["some", "every"],
  forallofanyvalues: ["every", "some"],
  forallofallvalues: ["every", "every"],
} as const;

/** What an operator such as `ForAnyOfAnyValues:GuidEquals` says of two lists; undefined where there is none of that name. */
export function findOperator(
  name: string,
): ((left: readonly string[], right: readonly string[]) => boolean) | undefined {
  const [last = "", quantifier] = name.toLowerCase().split(":").reverse();
  const positive = last.replace("not", "");
  const compare = OPERATORS[positive];
  if (compare === undefined) return undefined;
  const decide: Compare = positive === last ? compare : (left, right) => !compare(left, right);
  if (quantifier === undefined) return (left, right) => left.some((one) => right.some((other) => decide(one, other)));
  const [outer, inner] = QUANTIFIERS[quantifier as keyof typeof QUANTIFIERS] ?? [];
  if (outer === undefined || inner === undefined) return undefined;
  return (left, right) => left[outer]((one) => right[inner]((other) => decide(one, other)));
}

function asPattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
