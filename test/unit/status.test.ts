import { isSupervisors, ownerOfNames, statusOf, updatingRefusal, type LockState } from '../../sidecar/keeper/status';
import { cannotLock } from '../../sidecar/keeper/refusal-texts';
import type { Refusal, RefusalCode } from '../../sidecar/leases/refusal-codes';
import type { Standing } from '../../sidecar/lock/classify';

const DRAINING: Refusal = { code: 'draining', detail: '' };
const COOLDOWN: Refusal = { code: 'cooldown', detail: '', retryAfterMs: 1000 };

function status(gate: Refusal | null, standing: Standing, problem: Refusal | null = null, heldSinceMs: number | null = null, isLeftBehind = false) {
  return statusOf({ heldSinceMs, isFlocked: true, paths: [{ path: '/l/updates.lock', standing, file: null, isLeftBehind }], leases: [], problem, gate });
}

test.each<[string, Refusal | null, Standing, Refusal | null, LockState, RefusalCode | undefined]>([
  ['nothing is in the way', null, 'absent', null, 'free', undefined],
  ['the Supervisor has it', null, 'supervisor', null, 'updating', 'updating'],
  ['apps are drained', DRAINING, 'absent', null, 'free', 'draining'],
  ['apps have been drained and the Supervisor has it', DRAINING, 'supervisor', null, 'updating', 'updating'],
  ['apps have been drained and Helios has it', DRAINING, 'helios', null, 'updating', 'updating'],
  ['apps have been drained and somebody else has it', DRAINING, 'foreign', null, 'foreign', 'foreign-lock'],
  ['apps have been drained and the disk does not do', DRAINING, 'absent', cannotLock('full'), 'unavailable', 'cannot-lock'],
  ['it was just lost', COOLDOWN, 'absent', null, 'cooldown', 'cooldown'],
  ['it was just lost to the Supervisor', COOLDOWN, 'supervisor', null, 'updating', 'updating'],
  ['it was just lost to Helios', COOLDOWN, 'helios', null, 'updating', 'updating'],
  ['it was just lost to somebody else', COOLDOWN, 'foreign', null, 'cooldown', 'cooldown'],
  ['the Supervisor has it and the disk does not do', null, 'supervisor', cannotLock('full'), 'updating', 'updating'],
])('when %s', (_, gate, standing, problem, state, code) => {
  expect(status(gate, standing, problem)).toMatchObject({ state, refusal: code === undefined ? null : { code } });
});

test('a lock that is held is held, whatever a gate says', () => {
  expect(status(DRAINING, 'ours', null, 5)).toMatchObject({ state: 'held', refusal: null });
});

test("a stale file of Helios is somebody else's, and nobody applies an update", () => {
  const stale = status(null, 'helios', null, null, true);
  expect(stale).toMatchObject({ state: 'foreign', refusal: { code: 'foreign-lock', holder: '/l/updates.lock' }, obstacles: { names: { code: 'foreign-lock' } } });
  expect(isSupervisors(stale)).toBe(false);
  expect(updatingRefusal(stale.paths)).toBeNull();
  expect(ownerOfNames(stale.paths)).toBe('foreign');
  expect(isSupervisors(status(null, 'helios'))).toBe(true);
});
