import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { AcquireRequest } from '../../sidecar/leases/request';
import { actionNamed } from './actions';
import { COOLDOWN_MS, TTL_MS, type Device } from './device';

/** Something that a sidecar does, from a state that it is brought into without anybody stepping in. */
export interface Scenario {
  readonly name: string;
  readonly hasLegacyPath: boolean;
  readonly prepare: (device: Device) => void;
  readonly run: (device: Device) => void;
}

type Steps = (device: Device) => void;

function leases(...names: readonly string[]): Steps {
  return (device) => {
    device.start();
    for (const name of names) {
      const refusal = device.acquire(name);
      if (refusal !== null) throw new Error(`${name} was refused: ${refusal.detail}`);
    }
  };
}

function inOrder(...steps: readonly Steps[]): Steps {
  return (device) => {
    for (const step of steps) step(device);
  };
}

const does = (name: string): Steps => (device) => { actionNamed(name).act(device, null); };
const start: Steps = (device) => { device.start(); };
const look: Steps = (device) => { device.look(); };
const tick: Steps = (device) => { device.tick(); };
const advance = (ms: number): Steps => (device) => { device.advance(ms); };
const acquire = (name: string, ask?: Partial<AcquireRequest>): Steps => (device) => { device.acquire(name, ask); };
const release = (name: string): Steps => (device) => { device.release(name); };
const dueIn = (ms: number): Steps => (device) => { device.clock.advance(ms); };

/** Dies at the first removal of a name: the journal says that no lease is live, and the names are there. */
const dieBeforeGivingBack: Steps = (device) => {
  device.stepIn = ({ name }) => {
    if (name === 'unlinkSync') device.crash();
    return undefined;
  };
  device.release('a');
  device.stepIn = () => undefined;
};

const removeJournal: Steps = (device) => {
  unlinkSync(join(device.directory, '.update-lock/journal'));
  device.journalIsGone(false);
};

/** One lease and two, where that makes a difference. */
const STEPS: readonly (readonly [name: string, prepare: Steps, run: Steps])[] = [
  ['open for the first time', () => undefined, start],
  ['take', leases(), acquire('a')],
  ['take with a fresh anchor', inOrder(leases('a'), release('a'), advance(1000)), acquire('a')],
  ['add', leases('a'), acquire('b')],
  ['renew one', inOrder(leases('a'), dueIn(1000)), acquire('a')],
  ['renew one of two', leases('a', 'b'), acquire('a')],
  ['describe', leases('a', 'b'), acquire('b', { reason: 'for another reason' })],
  ['release one of two', leases('a', 'b'), release('a')],
  ['release the last', leases('a'), release('a')],
  ['release and take', leases('a'), inOrder(release('a'), acquire('b'))],
  ['expire one of two', inOrder(leases('a'), dueIn(1000), acquire('b'), dueIn(TTL_MS - 500)), tick],
  ['expire the last', inOrder(leases('a'), dueIn(TTL_MS)), tick],
  ['expire both', inOrder(leases('a', 'b'), dueIn(TTL_MS)), tick],
  ['lose one', inOrder(leases('a'), does('the Supervisor forces')), look],
  ['lose two', inOrder(leases('a', 'b'), does('somebody removes updates.lock')), look],
  ['lose, and ask at once', inOrder(leases('a'), does('somebody removes updates.lock')), inOrder(look, acquire('b'))],
  ['put a fresh anchor', inOrder(leases('a'), release('a')), advance(600)],
  ['give back after a crash', inOrder(leases('a'), dieBeforeGivingBack), start],
  ['recover none', inOrder(leases(), does('the sidecar crashes')), start],
  ['recover one', inOrder(leases('a'), does('the sidecar crashes')), start],
  ['recover two', inOrder(leases('a', 'b'), does('the sidecar crashes')), start],
  ['recover two after the container', inOrder(leases('a', 'b'), does('the container crashes')), start],
  ['renew while another process has the flock', inOrder(leases('a'), does('the container crashes'), does('another process flocks'), start), inOrder(acquire('a'), acquire('b'))],
  ['recover what has expired', inOrder(leases('a', 'b'), does('the sidecar crashes'), dueIn(TTL_MS)), start],
  ['recover what was lost', inOrder(leases('a', 'b'), does('the sidecar crashes'), does('the Supervisor forces')), start],
  ['recover after a reboot', inOrder(leases('a'), does('the device reboots, and the lock is on a disk')), start],
  ['recover without the folder', inOrder(leases('a'), does('the sidecar crashes'), does('the folder is removed')), start],
  ['restore and add', inOrder(leases('a'), removeJournal), acquire('b')],
  ['restore and release', inOrder(leases('a', 'b'), removeJournal), release('a')],
  ['reopen', inOrder(leases(), does('the directory is replaced')), tick],
  ['reopen and take', inOrder(leases(), does('the directory is replaced')), acquire('a')],
  ['take after a loss', inOrder(leases('a'), does('somebody removes updates.lock'), look, advance(COOLDOWN_MS)), acquire('a')],
  ['stop', leases('a', 'b'), (device) => { device.stop(false); }],
  ['stop and release', leases('a', 'b'), (device) => { device.stop(true); }],
];

function scenarios(hasLegacyPath: boolean): Scenario[] {
  return STEPS.map(([name, prepare, run]) => ({ name: hasLegacyPath ? `${name}, with a legacy path` : name, hasLegacyPath, prepare, run }));
}

export const SCENARIOS: readonly Scenario[] = scenarios(false);
export const WITH_LEGACY_PATH: readonly Scenario[] = scenarios(true);

export function scenariosNamed(...names: readonly string[]): Scenario[] {
  return names.map((name) => {
    const scenario = [...SCENARIOS, ...WITH_LEGACY_PATH].find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
    return scenario;
  });
}
