/** The one of some words that was most likely meant, or undefined if none is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const limit = typed.length <= 3 ? 1 : typed.length <= 6 ? 2 : 3;
  const byDistance = words
    .map((word) => ({ word, distance: word.startsWith(typed) && typed.length > 1 ? 0 : editDistance(typed, word) }))
    .sort((a, b) => a.distance - b.distance);
  const [first] = byDistance;
  return first !== undefined && first.distance <= limit ? first.word : undefined;
}

/** Letters added, left out, changed or swapped with the next (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
