import { TurnHistory, type TurnRecord } from '../support/turn-history';

/** Tests of what the tests of a fleet rely on: that they see a wrong turn. */

const given = (id: string): TurnRecord[] => [{ id, what: 'given' }, { id, what: 'heard' }];
const lock = (id: string, seen: 'sidecar' | 'supervisor' | 'free'): TurnRecord => ({ id, what: 'lock', lock: seen });
const returns = (id: string): TurnRecord => ({ id, what: 'returns', lock: 'sidecar' });

function violations(...records: TurnRecord[]): string[] {
  const history = new TurnHistory();
  for (const record of records) history.add(record);
  return history.violations();
}

test('two turns one after the other, in which the locks are free, are as they should be', () => {
  const turn = (id: string): TurnRecord[] => [...given(id), lock(id, 'free'), lock(id, 'supervisor'), lock(id, 'sidecar'), returns(id), { id, what: 'returned' }];
  expect(violations(lock('a', 'sidecar'), lock('b', 'sidecar'), ...turn('a'), ...turn('b'))).toEqual([]);
});

test.each<[string, TurnRecord[], string]>([
  ['two turns at once', [...given('a'), ...given('b')], 'a and b have a turn at once'],
  ['a lock that is free without a turn', [lock('a', 'free')], 'without a turn the lock of a is free'],
  ['an update without a turn', [lock('a', 'supervisor')], 'without a turn the lock of a is supervisor'],
  ['a lock that is free before the device can know of its turn', [{ id: 'a', what: 'given' }, lock('a', 'free')], 'without a turn the lock of a is free'],
  ['a lock that is free after the turn', [...given('a'), returns('a'), lock('a', 'free')], 'without a turn the lock of a is free'],
  ['a lock file that the host OS does not wait for', [{ id: 'a', what: 'flock', lock: 'free' }], 'without a turn the flock of a is free'],
  ['a turn that is given back while the lock is free', [...given('a'), { id: 'a', what: 'returns', lock: 'free' }], 'a gives its turn back while its lock is free'],
])('%s: that is seen', (_, records, violation) => {
  expect(violations(...records)).toEqual([violation]);
});
