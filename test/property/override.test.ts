import fc from 'fast-check';
import type { SidecarEvent } from '../../sidecar/events/event';
import { Allowances } from '../../sidecar/holders/allowances';
import { isInForce, isOver, type Override } from '../../sidecar/holders/override/override';
import { OverrideHolder } from '../../sidecar/holders/override/override-holder';
import { WindowHolder } from '../../sidecar/holders/windows/window-holder';
import { LeasePolicies } from '../../sidecar/leases/policies';
import { FakeClock } from '../unit/fake-clock';
import { ObligingKeeper } from '../unit/obliging-keeper';

const HOUR_MS = 3_600_000;

/** Windows that never open, an override, and another source of allowances, as a tag is. */
class Device {
  readonly clock = new FakeClock(0, Date.UTC(2030, 0, 1));
  readonly keeper = new ObligingKeeper();
  readonly allowances = new Allowances();
  isAllowedByTag = false;
  readonly #files = new Map<string, unknown>();
  #parts: { onEvent(event: SidecarEvent): void; close(): void }[] = [];
  #override: OverrideHolder | null = null;
  #windows: WindowHolder | null = null;

  constructor() {
    this.allowances.add(() => (this.isAllowedByTag ? { by: 'tag', reason: '', untilWallMs: this.clock.wallMs() + 1 } : null));
    this.restart();
  }

  get override(): OverrideHolder {
    if (this.#override === null) throw new Error('not started');
    return this.#override;
  }

  /** As after a reboot: what is in the state directory is all that is left. */
  restart(): void {
    this.close();
    this.keeper.live.clear();
    const { clock, keeper } = this;
    const allowances = new Allowances();
    allowances.add(() => this.allowances.current());
    const policies = new LeasePolicies();
    const emit = (event: SidecarEvent): void => { this.tell(event); };
    const state = {
      read: <T>(name: string, parse: (json: unknown) => T | null): T | null => (this.#files.has(name) ? parse(this.#files.get(name)) : null),
      write: (name: string, value: object): void => { this.#files.set(name, JSON.parse(JSON.stringify(value))); },
    };
    this.#override = new OverrideHolder({ clock, keeper, policies, allowances, state, emit });
    this.#windows = new WindowHolder(clock, keeper, policies, allowances, { windows: [], freezes: [], timeZone: 'UTC' }, emit);
    this.#parts = [this.#override, this.#windows];
    this.tell({ type: 'store-opened' });
  }

  tell(event: SidecarEvent): void {
    for (const part of this.#parts) part.onEvent(event);
  }

  /** As before every request. */
  look(): void {
    this.#override?.look();
    this.#windows?.look();
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

type Step =
  | { readonly kind: 'give'; readonly updates: Override['updates']; readonly forMs: number }
  | { readonly kind: 'clear' }
  | { readonly kind: 'tag'; readonly isAllowed: boolean }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'set clock'; readonly wallMs: number }
  | { readonly kind: 'restart' };

const lengths = fc.integer({ min: 1000, max: 100 * HOUR_MS });
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('give' as const), updates: fc.constantFrom('allow' as const, 'hold' as const), forMs: lengths }),
  fc.record({ kind: fc.constant('clear' as const) }),
  fc.record({ kind: fc.constant('tag' as const), isAllowed: fc.boolean() }),
  fc.record({ kind: fc.constant('advance' as const), ms: lengths }),
  // Times before 1970 stand for a clock that is not set.
  fc.record({ kind: fc.constant('set clock' as const), wallMs: fc.oneof(fc.constant(-HOUR_MS), fc.integer({ min: Date.UTC(2029, 11, 1), max: Date.UTC(2030, 2, 1) })) }),
  fc.record({ kind: fc.constant('restart' as const) }),
);

function take(device: Device, step: Step): void {
  switch (step.kind) {
    case 'give': device.override.set({ updates: step.updates, reason: '', forMs: step.forMs }, 'unix'); break;
    case 'clear': device.override.clear('unix'); break;
    case 'tag':
      device.isAllowedByTag = step.isAllowed;
      device.tell({ type: 'allowance-changed' });
      break;
    case 'advance': device.clock.advance(step.ms); break;
    case 'set clock': device.clock.wallNowMs = step.wallMs; break;
    case 'restart': device.restart(); break;
  }
  device.look();
}

test('a hold beats an allow: while it is in force the lock is held, whatever else is allowed; otherwise an allow opens', () => {
  fc.assert(fc.property(fc.array(steps, { maxLength: 40 }), (taken) => {
    const device = new Device();
    try {
      for (const step of taken) {
        take(device, step);
        const { inForce } = device.override;
        const holders = [...device.keeper.live.keys()];
        const isAllowed = inForce?.updates === 'allow' || device.isAllowedByTag;
        expect(holders.includes('@override')).toBe(inForce?.updates === 'hold');
        expect(holders.includes('@window')).toBe(!isAllowed);
        if (inForce?.updates === 'hold') expect(holders).not.toEqual([]);
      }
    } finally {
      device.close();
    }
  }));
});

test('one that is given ends by the wall clock, and not a moment before or after, restarts in between or not', () => {
  fc.assert(fc.property(
    fc.constantFrom('allow' as const, 'hold' as const), lengths, fc.array(fc.tuple(fc.integer({ min: 0, max: 50 * HOUR_MS }), fc.boolean()), { maxLength: 8 }),
    (updates, forMs, waits) => {
      const device = new Device();
      try {
        const endsAtMs = device.clock.wallMs() + forMs;
        device.override.set({ updates, reason: '', forMs }, 'unix');
        for (const [ms, isRestart] of [...waits, [Math.max(0, endsAtMs - 1 - device.clock.wallMs()), false] as const]) {
          device.clock.advance(ms);
          if (isRestart) device.restart();
          device.look();
          expect(device.override.inForce?.updates).toBe(device.clock.wallMs() < endsAtMs ? updates : undefined);
        }
      } finally {
        device.close();
      }
    },
  ));
});

test('an allow is never in force before it was given, by a clock that reads the past, nor after its end', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 * HOUR_MS }), lengths, fc.integer({ min: -10 * HOUR_MS, max: 200 * HOUR_MS }), (sinceWallMs, forMs, nowMs) => {
    const override: Override = { updates: 'allow', reason: '', sinceWallMs, untilWallMs: sinceWallMs + forMs };
    if (isInForce(override, nowMs)) {
      expect(nowMs).toBeGreaterThanOrEqual(Math.max(0, sinceWallMs - 60_000));
      expect(nowMs).toBeLessThan(sinceWallMs + forMs);
    }
    expect(isOver(override, nowMs)).toBe(nowMs >= 0 && nowMs >= sinceWallMs + forMs);
  }));
});
