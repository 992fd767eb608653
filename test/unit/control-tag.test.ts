import { readControlTag, type ControlTagName } from '../../sidecar/holders/tags/control-tag';
import { afterAnswer } from '../../sidecar/holders/tags/known-tags';

const NOON = Date.UTC(2026, 11, 1, 12);

test.each<[ControlTagName, string, unknown]>([
  ['windows', ' Sat 01:00-02:00 ', [{ days: [6], startMinute: 60, endMinute: 120 }]],
  ['freeze', '2026-12-24', [{ firstDay: 20_811, lastDay: 20_811 }]],
  ['timezone', 'europe/london', 'Europe/London'],
  ['hold', 'stocktaking', { untilWallMs: null, reason: 'stocktaking' }],
  ['hold', 'until 2026-12-01T12:00Z', { untilWallMs: NOON, reason: '' }],
  ['hold', ' Until 2026-12-01T12:00:30Z   stocktaking ', { untilWallMs: NOON + 30_000, reason: 'stocktaking' }],
  ['hold', 'until 2026-12-01T13:00+01:00, ask Ann', { untilWallMs: NOON, reason: 'ask Ann' }],
  ['hold', 'until tomorrow', { untilWallMs: null, reason: 'until tomorrow' }],
  ['hold', 'until 2026-11-31T12:00Z', { untilWallMs: null, reason: 'until 2026-11-31T12:00Z' }],
  ['hold', 'off', { untilWallMs: null, reason: 'off' }],
  ['allow', 'until 2026-12-01T12:00Z the fix for the pump', { untilWallMs: NOON, reason: 'the fix for the pump' }],
  ['allow', 'until 2026-12-01T12:00:00.000Z', { untilWallMs: NOON, reason: '' }],
])('%s: %j is read', (name, text, value) => {
  expect(readControlTag(name, text)).toEqual({ ok: true, value });
});

test.each<[ControlTagName, string, RegExp]>([
  ['windows', 'Fry 01:00-02:00', /^has "Fry 01:00-02:00" in it; windows like/],
  ['windows', '', /^is empty$/],
  ['windows', ' ', /^is empty$/],
  ['windows', '02:00-04:00;'.repeat(1000), /^is longer than 4096 characters$/],
  ['freeze', '2026-02-30', /^has "2026-02-30" in it/],
  ['timezone', 'Europe/Londn', /^is not a time zone/],
  ['hold', '', /^is empty$/],
  ['allow', '2h', /^is not an instant; "until 2026-12-01T12:00Z" is allowed/],
  ['allow', 'until tomorrow', /^is not an instant/],
  ['allow', 'until 2026-12-01T12:00', /^is not an instant/],
  ['allow', 'until 2026-12-01T12:00Zulu', /^is not an instant/],
  ['allow', 'until 2026-02-30T12:00Z', /^is not an instant/],
  ['allow', '', /^is empty$/],
])('%s: %.20j cannot be read', (name, text, problem) => {
  expect(readControlTag(name, text)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
});

test('of thousands of tags, those of others do not matter, and ten unknown ones of ours are reported', () => {
  const others = Array.from({ length: 5000 }, (_, index) => ({ name: `site-${String(index)}`, value: 'x' }));
  const misspelt = Array.from({ length: 5000 }, (_, index) => ({ name: `lock.window${String(index)}${'x'.repeat(1000)}`, value: 'y'.repeat(1000) }));
  const { texts, problems } = afterAnswer(null, 'lock', [...others, ...misspelt, { name: 'lock.hold', value: 'stocktaking' }, { name: 'lock', value: 'x' }, { name: 'lockout.hold', value: 'x' }]);
  expect(texts).toEqual({ hold: 'stocktaking' });
  expect(problems).toHaveLength(10);
  expect(JSON.stringify(problems).length).toBeLessThan(6000);
});

test('an unknown name is reported with those that there are', () => {
  expect(afterAnswer(null, 'lock', [{ name: 'lock.window', value: '02:00-04:00' }]).problems).toEqual([
    { name: 'lock.window', value: '"02:00-04:00"', problem: 'is the value of an unknown tag; the control tags are lock.windows, lock.freeze, lock.timezone, lock.hold and lock.allow' },
  ]);
});
