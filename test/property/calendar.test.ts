import fc from 'fast-check';
import { Calendar, type Schedule } from '../../sidecar/holders/windows/calendar';
import { changesOf, ODD_YEARS, readWallClock } from './wall-clock-model';

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;

const window = fc.record({
  days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
  startMinute: fc.nat(1439),
  lengthMinutes: fc.oneof(fc.integer({ min: 1, max: 180 }), fc.integer({ min: 1, max: 1440 })),
});

/** Windows and freezes of that zone, which has some of its odd days in those years. */
const inAnOddYear = fc.constantFrom(...ODD_YEARS).chain(([timeZone, firstYear, lastYear]) => {
  const startMs = Date.UTC(firstYear, 0, 1);
  const endMs = Date.UTC(lastYear + 1, 0, 1);
  const freeze = fc.record({ firstDay: fc.integer({ min: startMs / DAY_MS, max: endMs / DAY_MS }), length: fc.oneof(fc.nat(3), fc.nat(60)) });
  return fc.record({
    years: fc.constant({ firstYear, lastYear }),
    instantMs: fc.integer({ min: startMs, max: endMs }),
    schedule: fc
      .record({ windows: fc.array(window, { minLength: 1, maxLength: 4 }), freezes: fc.array(freeze, { maxLength: 4 }) })
      .map(
        ({ windows, freezes }): Schedule => ({
          windows: windows.map(({ days, startMinute, lengthMinutes }) => ({
            days, startMinute, endMinute: startMinute + Math.min(lengthMinutes, lengthMinutes + startMinute > 1440 ? 1440 : 1440 - startMinute),
          })),
          freezes: freezes.map(({ firstDay, length }) => ({ firstDay, lastDay: firstDay + length })),
          timeZone,
        }),
      ),
  });
});

test('the next opening is open and the instant before is not; the next closing the other way round', () => {
  fc.assert(
    fc.property(inAnOddYear, ({ schedule, instantMs }) => {
      const calendar = new Calendar(schedule);
      for (const [nextMs, opens] of [[calendar.nextOpening(instantMs), true], [calendar.nextClosing(instantMs), false]] as const) {
        if (nextMs === null) continue;
        expect(nextMs).toBeGreaterThan(instantMs);
        expect([calendar.isOpen(nextMs - 1), calendar.isOpen(nextMs)]).toEqual([!opens, opens]);
      }
    }),
    { numRuns: 400 },
  );
});

test('until the next opening or closing, whichever comes first, nothing changes; if neither comes, nothing ever does', () => {
  const fractions = fc.array(fc.nat(999_999).map((millionths) => millionths / 1e6), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(inAnOddYear, fractions, ({ schedule, instantMs }, samples) => {
      const calendar = new Calendar(schedule);
      const isOpen = calendar.isOpen(instantMs);
      const untilMs = (isOpen ? calendar.nextClosing(instantMs) : calendar.nextOpening(instantMs)) ?? instantMs + YEAR_MS;
      const all = samples.map((fraction) => calendar.isOpen(instantMs + Math.floor(fraction * (untilMs - instantMs))));
      expect(all).toEqual(all.map(() => isOpen));
    }),
    { numRuns: 300 },
  );
});

test('nothing is open on a frozen day, and windows that can open again do', () => {
  fc.assert(
    fc.property(inAnOddYear, ({ schedule, instantMs }) => {
      const calendar = new Calendar(schedule);
      expect(calendar.isOpen(instantMs) && calendar.isFrozen(instantMs)).toBe(false);
      if (!calendar.isOpen(instantMs)) expect(calendar.nextOpening(instantMs)).not.toBeNull();
    }),
    { numRuns: 300 },
  );
});

test('what was asked before does not change an answer', () => {
  fc.assert(
    fc.property(inAnOddYear, fc.array(fc.integer({ min: -20 * DAY_MS, max: 20 * DAY_MS }), { maxLength: 10 }), ({ schedule, instantMs }, others) => {
      const asked = new Calendar(schedule);
      for (const otherMs of [0, ...others, 0]) {
        const atMs = instantMs + otherMs;
        const fresh = new Calendar(schedule);
        expect([asked.nextOpening(atMs), asked.nextClosing(atMs)]).toEqual([fresh.nextOpening(atMs), fresh.nextClosing(atMs)]);
      }
    }),
    { numRuns: 50 },
  );
});

test('every change of a year or two is the one that a look at the clock each minute shows', () => {
  fc.assert(
    fc.property(inAnOddYear, ({ schedule, years }) => {
      const wallClock = readWallClock(schedule.timeZone, years.firstYear, years.lastYear);
      const [[startMs, isOpenAtStart] = [0, false], ...changes] = changesOf(wallClock, schedule);
      const calendar = new Calendar(schedule);
      expect(calendar.isOpen(startMs)).toBe(isOpenAtStart);
      let atMs = startMs;
      for (const [changesAtMs, opens] of changes) {
        const nextMs = opens ? calendar.nextOpening(atMs) : calendar.nextClosing(atMs);
        if (nextMs !== changesAtMs) expect([atMs, nextMs]).toEqual([atMs, changesAtMs]);
        atMs = changesAtMs;
      }
    }),
    { numRuns: 25 },
  );
});
