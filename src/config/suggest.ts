import { distance } from "fastest-levenshtein";

/** The known word that was probably meant, or undefined when none is near. Case, `-` and `_` do not count. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const away = distance(fold(word), fold(candidate));
    const near = away <= (candidate.length < 4 ? 1 : Math.max(TRANSPOSED, Math.floor(candidate.length / 3)));
    if (near && away < candidate.length && (best === undefined || away < best.distance))
      best = { word: candidate, distance: away };
  }
  return best?.word;
}

/** `; did you mean "x"?`, or nothing, to put behind a message. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = suggest(word, known);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

/** Two letters that changed places count as two changes. */
const TRANSPOSED = 2;

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, "");
}
