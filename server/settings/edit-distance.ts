/** How many characters have to be added, removed or replaced to make one text of the other (Levenshtein's distance). */
export function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const present = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      present.push(Math.min(replaced, (above[column] ?? 0) + 1, (present[column - 1] ?? 0) + 1));
    }
    above = present;
  }
  return above[to.length] ?? 0;
}
