import { match, parseExpression } from '../../sidecar/holders/probes/expression';

async function matchesAs(expression: string, text: string): Promise<unknown> {
  const parsed = parseExpression(expression);
  if (!parsed.ok) throw new Error(parsed.problem);
  return match(parsed.value, text);
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
  ['/busy(?!box)/', ['busy', 'busybox']],
  ['/(\\d)\\1/', ['11', '12']],
  ['/\\\\A\\.\\-\\"/', ['\\A.-"', 'A']],
  ['/\\p{Lu}/u', ['Ä', 'ä']],
];

test.each(EXPRESSIONS.flatMap(([expression, texts]) => texts.map((text) => [expression, text] as const)))('%s matches %j if it does in JavaScript', async (expression, text) => {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(expression) ?? [];
  expect(await matchesAs(expression, text)).toEqual({ ok: true, matches: new RegExp(source, flags).test(text) });
});

test('a match does not depend on the one before, whatever the flags', async () => {
  for (let i = 0; i < 3; i += 1) expect(await matchesAs('/busy/g', 'busy')).toEqual({ ok: true, matches: true });
});

test.each(['/(a+)+$/', '/^(a|a)*$/', '/(.{0,300}a){3}[A-Z]/'])('%s is stopped where it would take for ever, and the next one is matched', async (expression) => {
  const stuck = matchesAs(expression, `${'a'.repeat(65_535)}!`);
  const next = matchesAs('/busy/', 'busy');
  expect(await stuck).toEqual({ ok: false, problem: 'matching its answer took longer than 100 ms' });
  expect(await next).toEqual({ ok: true, matches: true });
});

test('time in which the machine was busy with something else does not count', async () => {
  let calls = 0;
  const interrupted = {
    test: (): boolean => {
      calls += 1;
      // Takes time, but not the processor's.
      if (calls === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      return true;
    },
  };
  expect(await match(interrupted as unknown as RegExp, 'busy')).toEqual({ ok: true, matches: true });
  expect(calls).toBe(2);
});

test('each match has a turn of the event loop of its own', async () => {
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const turns = await Promise.all([1, 2, 3].map(() => matchesAs('/a/', 'a').then(() => turn)));
  isOver = true;
  expect(new Set(turns).size).toBe(3);
});
