const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The characters that terminals show two columns wide (Unicode's East Asian Width W and F, and emoji). */
const WIDE =
  /[\u1100-\u115F\u231A\u231B\u2329\u232A\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F200}-\u{1F2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}|\p{Emoji}\uFE0F/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\u200B]+$/u;

/** The width of a printable text on a terminal, in columns. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += columnsOfOne(segment);
  return columns;
}

/** Shortens a text to a width, with an ellipsis. */
export function fitTo(text: string, columns: number): string {
  if (text.length <= columns && /^[ -~]*$/.test(text)) return text;
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const { segment } of segmenter.segment(text)) {
    left -= columnsOfOne(segment);
    if (left < 0) break;
    kept += segment;
  }
  return columns < 1 ? '' : `${kept}…`;
}

/** Fills a text with spaces to the width of a column. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function columnsOfOne(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
