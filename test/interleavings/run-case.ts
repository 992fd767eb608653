import type { SmallDisk } from '../support/small-disk';
import type { Action } from './actions';
import { COOLDOWN_MS, Device } from './device';
import { pointOf, type Point } from './areas';
import type { Operation } from './intercepted-files';
import type { Scenario } from './scenarios';

/** An action, and before which file operation of the sidecar it comes, counted from 0; at the end if there is none any more. */
export interface Intervention {
  readonly at: number;
  readonly action: Action;
}

export interface CaseResult {
  /** The file operations before which somebody could step in; empty where that is not asked. */
  readonly points: readonly Point[];
  /** Whether every action has changed something. */
  readonly isApplicable: boolean;
  readonly violations: readonly string[];
}

/** The time in which an operation that failed is tried again by itself. */
const RETRIED_MS = 6000;

/**
 * Runs one scenario with these interventions, in the order of their points, and then sees whether all laws were kept.
 * @param length `long`: the points go on over what comes after the scenario: a new process, if there is none, and a look
 */
export function runCase(scenario: Scenario, interventions: readonly Intervention[], disk: SmallDisk, length: 'short' | 'long' = 'short'): CaseResult {
  const device = new Device(disk, scenario.hasLegacyPath);
  const points: Point[] = [];
  const isTraced = interventions.length === 0 || length === 'long';
  const waiting = [...interventions];
  const results: (boolean | Error)[] = [];
  const stepIn = (at: number, operation: Operation | null): Error | undefined => {
    let failure: Error | undefined;
    for (let next = waiting[0]; next !== undefined && next.at <= at; next = waiting[0]) {
      waiting.shift();
      const result = next.action.act(device, operation);
      results.push(result);
      if (typeof result !== 'boolean') failure = result;
      if (operation !== null) device.forgiveLegacyPath(operation);
      device.observer.lookAtLock();
    }
    return failure;
  };
  try {
    scenario.prepare(device);
    const before = device.operations;
    device.stepIn = (operation) => {
      if (isTraced) points.push(pointOf(operation));
      return stepIn(device.operations - before - 1, operation);
    };
    scenario.run(device);
    if (length === 'long') goOn(device);
    device.stepIn = () => undefined;
    stepIn(Infinity, null);
    const isApplicable = !results.includes(false);
    if (isApplicable) finish(device);
    return { points, isApplicable, violations: device.observer.violations };
  } finally {
    device.remove();
  }
}

function goOn(device: Device): void {
  device.start();
  device.look();
}

/** The laws are kept now, after another crash, when all is released, and when all others have gone. */
function finish(device: Device): void {
  goOn(device);
  device.advance(600);
  device.look();
  device.observer.lookAtOthers();
  device.crash();
  goOn(device);
  for (const { name } of device.observer.live()) device.release(name);
  device.look();
  device.observer.lookAtOthers();
  tidyUp(device);
  device.advance(RETRIED_MS);
  device.look();
  device.advance(COOLDOWN_MS);
  const refusal = device.acquire('last');
  if (refusal !== null) device.observer.violated(6, `nothing is in the way, and a lease is refused: ${refusal.detail}`);
  device.release('last');
  device.observer.expectFree(2);
  device.stop(false);
}

/** The others remove what they have made, and there is room again. */
function tidyUp(device: Device): void {
  device.disk.makeRoom();
  device.others.removeAll();
  device.kernel.anotherLetsGo();
}
