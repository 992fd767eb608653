import fc from 'fast-check';
import { CONTROL_TAG_NAMES, readControlTag, type ControlTagName } from '../../sidecar/holders/tags/control-tag';
import { afterAnswer, meaningOf, parseStoredTags, type DeviceTag, type TagTexts } from '../../sidecar/holders/tags/known-tags';

const names = fc.constantFrom(...CONTROL_TAG_NAMES);

/** Parts of which values are made, right or not. */
const parts = ['Mon-Fri', 'Sat,Sun', ' ', '22:00-06:00', '02:00-04:00', ';', 'until', 'UNTIL', '2026-12-01', '2026-02-30', 'T12:00Z', 'T12:00:30+01:00', '2026-12-20..2027-01-04',
  'Europe/London', 'Europe/Londn', 'UTC', 'never', 'stocktaking', '\0', '\n', '😀', '\u202e', 'x'.repeat(5000)];
const values = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((taken) => taken.join('')),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.repeat(1000)),
);
const answers = fc.array(fc.record({ name: fc.oneof(names.map((name) => `lock.${name}`), fc.constantFrom('lock', 'lock.', 'lock.window', 'location'), fc.string()), value: values }), { maxLength: 20 });

test('whatever text a tag has, it is read, or there is a problem, soon', () => {
  fc.assert(fc.property(names, values, (name, value) => {
    const read = readControlTag(name, value);
    if (!read.ok) expect(read.problem).not.toBe('');
    if (value.trim() === '') expect(read.ok).toBe(false);
    else if (name === 'hold') expect(read.ok).toBe(true);
    if (read.ok && (name === 'hold' || name === 'allow')) {
      const { reason, untilWallMs } = read.value as { reason: string; untilWallMs: number | null };
      expect([...reason].length).toBeLessThanOrEqual(256);
      expect(reason).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
      expect(name === 'hold' ? untilWallMs === null || Number.isFinite(untilWallMs) : Number.isFinite(untilWallMs)).toBe(true);
    }
  }));
});

/** As simply as it can be said. */
function expectedTexts(known: TagTexts, tags: readonly DeviceTag[]): TagTexts {
  const texts: Partial<Record<ControlTagName, string>> = {};
  for (const name of CONTROL_TAG_NAMES) {
    for (const tag of tags.filter((each) => each.name === `lock.${name}`)) {
      const text = readControlTag(name, tag.value).ok ? tag.value.slice(0, 4096) : known[name];
      if (text !== undefined) texts[name] = text;
    }
  }
  return texts;
}

test('after any answers, each tag that is there has the value that could last be read, and what is remembered means the same', () => {
  fc.assert(fc.property(fc.array(answers, { minLength: 1, maxLength: 4 }), (all) => {
    let texts: TagTexts = {};
    for (const tags of all) {
      const expected = expectedTexts(texts, tags);
      const after = afterAnswer(texts, 'lock', tags);
      texts = after.texts;
      expect(texts).toEqual(expected);
      expect(after.problems.length).toBeLessThanOrEqual(10);
      for (const problem of after.problems) expect(problem.name.length + problem.value.length + problem.problem.length).toBeLessThanOrEqual(480);
      const stored = parseStoredTags(JSON.parse(JSON.stringify({ version: 1, tags: texts })));
      expect(meaningOf(stored?.tags ?? {})).toEqual(meaningOf(texts));
    }
  }));
});

test('what is stored is all understood or not at all', () => {
  fc.assert(fc.property(fc.anything(), (json) => { parseStoredTags(json); }));
  for (const tags of [{ windows: 'Fry' }, { windows: '' }, { window: '02:00-04:00' }, { hold: 5 }, null, 'hold']) {
    expect(parseStoredTags({ version: 1, tags })).toBeNull();
  }
  expect(parseStoredTags({ version: 2, tags: {} })).toBeNull();
});
