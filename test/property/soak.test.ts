import fc from 'fast-check';
import { decide, WITHOUT_ANSWER_MS } from '../../sidecar/holders/soak/decision';
import { afterSight, counted, leftMs, MAX_RESTARTS, type Commits, type Now, type Soak } from '../../sidecar/holders/soak/soak';
import { parseStoredSoak } from '../../sidecar/holders/soak/stored-soak';
import type { WaitingKind } from '../../sidecar/leases/waiting';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const YEAR_2026_MS = Date.UTC(2026, 0, 1);

/** A device whose clocks are true, except that the wall clock may not be set. */
class Device {
  elapsedMs = 0;
  onMs = 0;
  boot = 0;
  bootedAtMs = -10 * MINUTE_MS;
  isClockSet = true;
  wallOffsetMs = YEAR_2026_MS;

  get now(): Now {
    return {
      boot: String(this.boot),
      monotonicMs: this.elapsedMs - this.bootedAtMs,
      wallMs: this.isClockSet ? this.wallOffsetMs + this.elapsedMs : null,
    };
  }

  run(ms: number): void {
    this.elapsedMs += ms;
    this.onMs += ms;
  }

  reboot(offMs: number, isClockSet: boolean): void {
    this.elapsedMs += offMs;
    this.bootedAtMs = this.elapsedMs;
    this.boot += 1;
    this.isClockSet = isClockSet;
  }
}

/** As after a restart: what was not written down is lost. */
function restarted(soak: Soak): Soak {
  const stored = parseStoredSoak(JSON.parse(JSON.stringify({ version: 1, soak })));
  if (stored === null) throw new Error('what was written cannot be read');
  return stored.soak;
}

const commits = (target: string, runs: string | null = null): Commits => ({ target, runs });
const minutes = fc.integer({ min: 0, max: 3000 }).map((count) => count * MINUTE_MS);
const step = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), ms: minutes }),
  fc.record({ kind: fc.constant('reboot' as const), ms: minutes, isClockSet: fc.boolean() }),
  fc.record({ kind: fc.constant('set the clock' as const) }),
);

test('a release waits for at least as long as the device was on, and at most for as long as it was first seen ago', () => {
  const requiredMs = 1000 * DAY_MS;
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 20 }), (isClockSet, steps) => {
      const device = new Device();
      device.isClockSet = isClockSet;
      let soak = afterSight(null, commits('b', 'a'), device.now);
      for (const each of steps) {
        if (each.kind === 'run') device.run(each.ms);
        else if (each.kind === 'set the clock') device.isClockSet = true;
        else device.reboot(each.ms, each.isClockSet);
        soak = restarted(counted(soak, device.now));
        const waitedMs = requiredMs - leftMs(soak, requiredMs, device.now);
        expect(waitedMs).toBeGreaterThanOrEqual(device.onMs);
        expect(waitedMs).toBeLessThanOrEqual(device.elapsedMs);
        if (device.isClockSet && isClockSet) expect(waitedMs).toBe(device.elapsedMs);
      }
    }),
  );
});

test('a clock that is corrected soon after the boot, when the release has just been seen, makes no release wait for less', () => {
  const device = new Device();
  device.reboot(7 * DAY_MS, true);
  device.wallOffsetMs -= 7 * DAY_MS;
  device.run(MINUTE_MS);
  let soak = afterSight(null, commits('b', 'a'), device.now);
  device.wallOffsetMs += 7 * DAY_MS;
  device.run(10 * MINUTE_MS);
  soak = counted(soak, device.now);
  expect(leftMs(soak, DAY_MS, device.now)).toBe(DAY_MS - 10 * MINUTE_MS);
  device.reboot(DAY_MS - 10 * MINUTE_MS, true);
  expect(leftMs(restarted(soak), DAY_MS, device.now)).toBe(0);
});

test('however many releases follow each other, the time starts anew three times at most until one is applied', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('b', 'c', 'd'), { minLength: 1, maxLength: 40 }), (targets) => {
      const device = new Device();
      let soak: Soak | null = null;
      let starts = 0;
      for (const target of targets) {
        device.run(MINUTE_MS);
        soak = afterSight(soak, commits(target, 'a'), device.now);
        expect(soak.target).toBe(target);
        if (leftMs(soak, DAY_MS, device.now) === DAY_MS) starts += 1;
      }
      expect(starts).toBeLessThanOrEqual(1 + MAX_RESTARTS);
      device.run(DAY_MS);
      expect(soak === null ? null : leftMs(soak, DAY_MS, device.now)).toBe(0);
    }),
  );
});

test('a release that runs need not wait, and the next one has three new starts', () => {
  const { now } = new Device();
  let soak = afterSight(null, commits('a', 'a'), now);
  expect(leftMs(soak, DAY_MS, now)).toBe(0);
  // While an update is pending the Supervisor may not say what runs.
  soak = afterSight(soak, commits('a'), now);
  expect(leftMs(soak, DAY_MS, now)).toBe(0);
  for (const target of ['b', 'c', 'd', 'e', 'f']) soak = afterSight(soak, commits(target), now);
  expect(soak).toMatchObject({ target: 'f', runs: 'a', restarts: MAX_RESTARTS });
  soak = afterSight(soak, commits('f', 'f'), now);
  expect(leftMs(soak, DAY_MS, now)).toBe(0);
  expect(afterSight(soak, commits('g'), now)).toMatchObject({ target: 'g', runs: 'f', restarts: 0 });
});

test('a release that was taken back, and comes again, waits anew', () => {
  const device = new Device();
  let soak = afterSight(null, commits('b', 'a'), device.now);
  device.run(DAY_MS);
  soak = afterSight(soak, commits('a', 'a'), device.now);
  soak = afterSight(soak, commits('b', 'a'), device.now);
  expect(leftMs(soak, DAY_MS, device.now)).toBe(DAY_MS);
  expect(soak.restarts).toBe(0);
});

describe('whether the lock is held', () => {
  const answer = fc.record({
    target: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    runs: fc.constantFrom('a', null),
    waiting: fc.shuffledSubarray<WaitingKind>(['release', 'reboot']),
  });
  const happening = fc.oneof(
    step,
    fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -400, max: 0 }).map((days) => days * DAY_MS) }),
    fc.record({ kind: fc.constant('answer' as const), answer }),
    fc.record({ kind: fc.constant('no answer' as const) }),
    fc.record({ kind: fc.constant('allow' as const), isAllowed: fc.boolean() }),
  );

  /** What a holder would know, and what is true. */
  class Model {
    readonly device = new Device();
    soak: Soak | null = null;
    waiting: readonly WaitingKind[] = [];
    silentSinceMs: number | null = 0;
    isAllowed = false;
    /** When the last target, or one that has lent it its time, was first seen. */
    seenAtMs = 0;

    do(each: typeof happening extends fc.Arbitrary<infer T> ? T : never): void {
      const { device } = this;
      if (each.kind === 'run') device.run(each.ms);
      else if (each.kind === 'set the clock') device.isClockSet = true;
      else if (each.kind === 'jump') device.wallOffsetMs += each.ms;
      else if (each.kind === 'allow') this.isAllowed = each.isAllowed;
      else if (each.kind === 'no answer') this.silentSinceMs ??= device.elapsedMs;
      else if (each.kind === 'answer') this.#answer(each.answer);
      else this.#reboot(each.ms, each.isClockSet);
    }

    decide(): ReturnType<typeof decide> {
      const { device, soak, waiting, isAllowed, silentSinceMs } = this;
      const withoutAnswerMs = silentSinceMs === null ? null : device.elapsedMs - silentSinceMs;
      return decide({ soak, requiredMs: DAY_MS, now: device.now, waiting, withoutAnswerMs, isAllowed, isTooOld: false });
    }

    #answer({ target, runs, waiting }: { target: string; runs: string | null; waiting: WaitingKind[] }): void {
      const before = this.soak;
      this.soak = afterSight(before, { target, runs }, this.device.now);
      this.silentSinceMs = null;
      this.waiting = waiting;
      const isAnew = before === null || (before.target !== target && (this.soak.restarts === 0 || this.soak.restarts > before.restarts));
      if (isAnew) this.seenAtMs = this.device.elapsedMs;
    }

    #reboot(offMs: number, isClockSet: boolean): void {
      const kept = this.soak === null ? null : restarted(counted(this.soak, this.device.now));
      this.device.reboot(offMs, isClockSet);
      this.soak = kept === null ? null : counted(kept, this.device.now);
      this.waiting = [];
      this.silentSinceMs = this.device.elapsedMs;
    }
  }

  test('whatever happens, it is never let go of for a release that has not waited long enough, but for an allowance or a mere reboot', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const model = new Model();
        for (const each of happenings) {
          model.do(each);
          const { soak, device, waiting, isAllowed } = model;
          const { holds } = model.decide();
          const mustWait = soak !== null && soak.target !== soak.runs && device.elapsedMs - model.seenAtMs < DAY_MS;
          if (!holds && !isAllowed && !(waiting.length === 1 && waiting[0] === 'reboot')) expect(mustWait).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('whatever has happened, a release that waits, or an API that does not answer, holds it for so long and no longer', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), fc.boolean(), (happenings, answers) => {
        const model = new Model();
        for (const each of happenings) model.do(each);
        if (answers) model.do({ kind: 'answer', answer: { target: 'b', runs: 'a', waiting: ['release'] } });
        else model.do({ kind: 'no answer' });
        model.device.run(DAY_MS + WITHOUT_ANSWER_MS);
        expect(model.decide().holds).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});
