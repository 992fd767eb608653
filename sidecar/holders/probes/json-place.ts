// eslint-disable-next-line no-control-regex -- JSON allows none in a text
const TOKENS = /[\t\n\r ]*("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{},:])/y;

/**
 * Where text that is not JSON begins not to be, for people: V8's own message repeats what stands there, which may be a
 * password.
 */
export function placeOfMistake(text: string): string {
  const before = text.slice(0, mistakeIndex(text)).split('\n');
  const column = `column ${String((before.at(-1) ?? '').length + 1)}`;
  return text.trim().includes('\n') ? `line ${String(before.length)}, ${column}` : column;
}

/** The index of the first token that cannot stand where it does, or of what is no token. */
function mistakeIndex(text: string): number {
  /** What has been opened, innermost last. */
  const open: ('[' | '{')[] = [];
  let expected: 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'next' = 'value';
  TOKENS.lastIndex = 0;
  for (;;) {
    const startedAt = TOKENS.lastIndex;
    const token = TOKENS.exec(text)?.[1];
    if (token === undefined) return startedAt + (/^[\t\n\r ]*/.exec(text.slice(startedAt))?.[0].length ?? 0);
    const index = TOKENS.lastIndex - token.length;
    const isIn = open.at(-1);
    const closes = (token === ']' && isIn === '[') || (token === '}' && isIn === '{');
    if (closes && (expected === 'next' || expected.startsWith('first'))) {
      open.pop();
      expected = 'next';
    } else if (expected === 'next') {
      if (token !== ',' || isIn === undefined) return index;
      expected = isIn === '[' ? 'value' : 'key';
    } else if (expected === 'colon') {
      if (token !== ':') return index;
      expected = 'value';
    } else if (expected.endsWith('key')) {
      if (!token.startsWith('"')) return index;
      expected = 'colon';
    } else if (token === '[' || token === '{') {
      open.push(token);
      expected = token === '[' ? 'first value' : 'first key';
    } else {
      if (']},:'.includes(token)) return index;
      expected = 'next';
    }
  }
}
