/** Whether a pattern covers an action; an asterisk stands for any text, and letters' case does not count. */
export function matchesAction(action: string, pattern: string): boolean {
  const [asked, allowed] = [action.toLowerCase(), pattern.toLowerCase()];
  const [before = "", after] = allowed.split("*");
  if (after === undefined) return asked === allowed;
  return asked.startsWith(before) && asked.endsWith(after) && asked.length >= before.length + after.length;
}
