/**
 * Names and reasons come from anybody: without what a terminal would obey rather than show, that is control characters
 * and those that turn the text around.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '\uFFFD'));
}
