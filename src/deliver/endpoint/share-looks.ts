/**
 * Lets one look answer all who have asked by then, since a hundred tools may be started at once. A look keeps the
 * process busy; after each there is a rest as long as it took, in which further questions come in. `look` answers
 * in the questions' order, and must not throw. By the monotonic clock, since a look is timed and not dated.
 */
export function shareLooks<Question, Answer>(
  look: (questions: readonly Question[]) => readonly Answer[],
): (question: Question) => Promise<Answer> {
  let waiting: { readonly question: Question; readonly tell: (answer: Answer) => void }[] = [];
  let restsUntil = 0;
  const lookNow = (): void => {
    const asked = waiting;
    waiting = [];
    const beganAt = performance.now();
    const answers = look(asked.map(({ question }) => question));
    const endedAt = performance.now();
    restsUntil = endedAt + (endedAt - beganAt);
    answers.forEach((answer, index) => {
      asked[index]?.tell(answer);
    });
  };
  const lookSoon = (): void => {
    const restMs = restsUntil - performance.now();
    if (restMs > 0) setTimeout(lookNow, restMs);
    else setImmediate(lookNow);
  };
  return (question) =>
    new Promise((tell) => {
      if (waiting.push({ question, tell }) === 1) lookSoon();
    });
}
