import { compareHistories, StoreHistory } from './store-history';
import { TurnHistory } from './turn-history';

/** The judges of the chaos test have to find what is wrong. */

const slots = (count: number, paused = false) => ({ key: 'p/groups/g', value: JSON.stringify({ slots: count, paused }) });
const turn = (id: string) => ({ key: `p/holders/g/${id}`, value: '{}' });
const gone = (id: string) => ({ key: `p/holders/g/${id}`, value: null });
type Change = ReturnType<typeof slots> | ReturnType<typeof gone>;

/** @param revisions the changes of each */
function inStore(...revisions: readonly (readonly Change[])[]): StoreHistory {
  const history = new StoreHistory('p/');
  for (const [index, changes] of revisions.entries()) for (const change of changes) history.add({ revision: index + 1, ...change });
  return history;
}

/** What devices were told: `+a` that it has a turn, `-a` that it asks to give it back, `.a` that it has given it back. */
function told(...steps: readonly string[]): TurnHistory {
  const history = new TurnHistory();
  for (const [step, ...id] of steps) {
    if (step === '+') history.granted('g', id.join(''));
    else if (step === '-') history.givingBack('g', id.join(''));
    else history.givenBack('g', id.join(''));
  }
  return history;
}

describe('Of what is in etcd', () => {
  test('turns one after the other, or as many as there are slots, are right', () => {
    expect(inStore([slots(2)], [slots(2), turn('a')], [slots(2), turn('b')], [gone('a')], [slots(2), turn('c')], [slots(0)], [gone('b')]).wrong).toEqual([]);
  });

  test.each<[string, Change[][], string]>([
    ['a turn beyond the slots', [[slots(1)], [turn('a')], [turn('b')]], 'revision 3, b in g: turn 2 of 1'],
    ['a turn after slots were taken away', [[slots(2)], [turn('a')], [slots(1)], [turn('b')]], 'revision 4, b in g: turn 2 of 1'],
    ['a turn in a paused group', [[slots(1)], [slots(1, true)], [turn('a')]], 'revision 3, a in g: the group is paused'],
    ['a second turn of the same device', [[slots(2)], [turn('a')], [turn('a')]], 'revision 3, a in g: it has a turn already'],
    ['a turn that undoes what an admin has changed', [[slots(2)], [slots(1)], [slots(2), turn('a')]], 'revision 3, a in g: the turn has changed slots or pause of the group'],
    ['a turn in no group', [[turn('a')]], 'revision 1, a in g: there is no such group'],
  ])('%s is found', (_, revisions, wrong) => {
    expect(inStore(...revisions).wrong).toEqual([wrong]);
  });
});

describe('Of what devices were told', () => {
  test.each([
    [['+a', '-a', '+b', '.a', '-b', '.b'], 1],
    [['+a', '+b', '-a', '.a', '-b', '.b'], 2],
    [['+a', '+a', '-a', '-a', '.a', '+a'], 1],
    [['+a', '+b', '-b', '+c', '.b', '+b'], 3],
  ])('%j are at most %i at once', (steps, most) => {
    expect(told(...steps).most('g')).toBe(most);
  });
});

describe('Of both', () => {
  const once = ['+a', '-a', '.a'];
  const [given, left, twice] = [[[slots(1)], [turn('a')], [gone('a')]], [[slots(1)], [turn('a')]], [[slots(1)], [turn('a')], [gone('a')], [turn('a')], [gone('a')]]];

  test.each<[string, string[], Change[][], number, string[]]>([
    ['a turn that was told once and given once is right', once, given, 0, []],
    ['a turn that was given and not told is right if the device knows that this may be', once, twice, 1, []],
    ['a turn that was told and never given', once, [[slots(1)]], 0, ['a in g: 1 turns acknowledged, 0 given, 0 may have been']],
    ['a turn that was lost and given again', once, twice, 0, ['a in g: 1 turns acknowledged, 2 given, 0 may have been']],
    ['a turn that was still there for the next time, since it was not taken back', [...once, ...once], given, 1, ['a in g: 2 turns acknowledged, 1 given, 1 may have been']],
    ['a turn that was not taken back in the end', once, left, 1, ['a in g: it has a turn although it has given back all']],
  ])('%s', (_, steps, revisions, unknown, wrong) => {
    expect(compareHistories([{ group: 'g', id: 'a', unknown }], told(...steps), inStore(...revisions))).toEqual(wrong);
  });
});
