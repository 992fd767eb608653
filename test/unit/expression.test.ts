import { matches, parseExpression } from '../../sidecar/holders/probes/expression';

function matchesAs(expression: string, text: string): boolean {
  const parsed = parseExpression(expression);
  if (!parsed.ok) throw new Error(parsed.problem);
  return matches(parsed.value.program, text);
}

/** What people write, and texts for it: each has to match as it does in JavaScript. */
const EXPRESSIONS: readonly (readonly [string, readonly string[]])[] = [
  ['/<busyExecutors>0<\\/busyExecutors>/', ['<busyExecutors>0</busyExecutors>', '<busyExecutors>1</busyExecutors>']],
  ['/<busyExecutors>0</busyExecutors>/', ['<busyExecutors>0</busyExecutors>', '<busyExecutors>10</busyExecutors>']],
  ['/"busy":\\s*true/', ['{"busy": true}', '{"busy":\n\ttrue}', '{"busy": false}']],
  ['/^ok$/', ['ok', 'ok\n', 'not ok', 'a\nok\nb']],
  ['/^ok$/m', ['ok', 'ok\n', 'a\nok\nb', 'not ok']],
  ['/a.b/', ['a\nb', 'axb']],
  ['/a.b/s', ['a\nb']],
  ['/a.b/su', ['a😀b', 'a\nb']],
  ['/BUSY/i', ['busy', 'Busy', 'idle']],
  ['/straße/iu', ['STRAßE', 'strasse']],
  ['/busy/g', ['busy busy', 'idle']],
  ['/(?<!not )busy/', ['not busy', 'busy']],
  ['/(?<=is )busy/', ['is busy', 'busy']],
  ['/\\bbusy\\b/', ['busy', 'busybox']],
  ['/(?<state>busy|working)/', ['working', 'idle']],
  ['/[^]/', ['', '\n']],
  ['/\\d{2,3}%/', ['5%', '50%', '100%']],
  ['/\\u0062\\x75sy/', ['busy']],
  ['/\\u{1f600}/u', ['😀']],
  ['/\\//', ['a/b', 'ab']],
  ['/a|/', ['', 'b']],
  ['/\\\\A\\.\\-\\"/', ['\\A.-"', 'A']],
  ['/\\p{Lu}/u', ['Ä', 'ä']],
];

test.each(EXPRESSIONS.flatMap(([expression, texts]) => texts.map((text) => [expression, text] as const)))('%s matches %j if it does in JavaScript', (expression, text) => {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(expression) ?? [];
  expect(matchesAs(expression, text)).toBe(new RegExp(source, flags).test(text));
});

test('a character is always a whole one', () => {
  expect(matchesAs('/^.$/', '😀')).toBe(true);
});
