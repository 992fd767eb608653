import { SmallDisk } from '../support/small-disk';
import { ACTIONS, type Action } from './actions';
import { matters, type Point } from './areas';
import { runCase, type CaseResult, type Intervention } from './run-case';
import type { Scenario } from './scenarios';

/** Whether everything is tried that there is, which takes an hour or more. */
export const IS_COMPLETE = process.env['INTERLEAVINGS'] === 'all';

/** Every point of each scenario with every action, or pairs of them. Call it with fake timers. */
export class Enumeration {
  /** How many cases there were, without those in which an action would have changed nothing. */
  count = 0;
  /** What went wrong, and where. */
  readonly violations: string[] = [];

  constructor(
    private readonly disk: SmallDisk,
    /** Ends at the first violation. */
    private readonly isShort = false,
  ) {}

  singles(scenarios: readonly Scenario[], actions: readonly Action[] = ACTIONS): void {
    for (const scenario of scenarios) {
      const { points } = this.#run(scenario, []);
      for (const intervention of interventions(points, 0, actions)) {
        if (this.isShort && this.violations.length > 0) return;
        this.#run(scenario, [intervention]);
      }
    }
  }

  /** The second action comes in the scenario, or in what follows it: another process, if the first has died, and a look. */
  pairs(scenarios: readonly Scenario[], actions: readonly Action[]): void {
    for (const scenario of scenarios) {
      const { points } = runCase(scenario, [], this.disk, 'long');
      for (const first of interventions(points, 0, actions)) {
        const { points: later, isApplicable } = runCase(scenario, [first], this.disk, 'long');
        if (!isApplicable) continue;
        for (const second of interventions(later, first.at, actions)) this.#run(scenario, [first, second], 'long');
      }
    }
  }

  #run(scenario: Scenario, interventions: readonly Intervention[], length: 'short' | 'long' = 'short'): CaseResult {
    const result = runCase(scenario, interventions, this.disk, length);
    if (!result.isApplicable) return result;
    this.count += 1;
    const where = interventions.map(({ at, action }) => `${action.name} at ${String(at)}`).join(', ');
    for (const violation of new Set(result.violations)) this.violations.push(`${violation.replaceAll(`${this.disk.path}/`, '')} (${scenario.name}: ${where})`);
    return result;
  }
}

/** Before which operations each action makes a difference, and at the end. */
function interventions(points: readonly Point[], from: number, actions: readonly Action[]): Intervention[] {
  return actions.flatMap((action) => {
    const before = points.flatMap((point, at) => (at >= from && matters(point, action.area) ? [at] : []));
    return [...before, points.length].map((at) => ({ at, action }));
  });
}

/** Runs something on a small disk of its own, with timers that only fire when time goes by in a case. */
export function withDisk<T>(action: (disk: SmallDisk) => T): T {
  const disk = new SmallDisk('256k,nr_inodes=64');
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  try {
    return action(disk);
  } finally {
    jest.useRealTimers();
    disk.remove();
  }
}
