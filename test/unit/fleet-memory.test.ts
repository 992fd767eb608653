import { parseStoredFleet } from '../../sidecar/holders/fleet/fleet-memory';

const names = { url: 'http://coordinator:8081', group: 'default', id: 'a-device' };
const turn = { names, sinceWallMs: 1.7e12, isForReboot: false, hasBegun: false, isOver: false, target: null, os: null, boot: 'a-boot' };
const stored = (changes: object, instance = 'an-instance'): unknown => ({ version: 1, instance, memory: { turn: null, asked: null, toReturn: [], ...changes } });

test('what was written is read', () => {
  for (const json of [stored({}), stored({ turn, asked: names, toReturn: [names] })]) expect(parseStoredFleet(json)).toEqual(json);
});

test.each<[string, unknown]>([
  ['an instance that no header can have', stored({}, 'a\r\nb')],
  ['a URL that is none', stored({ asked: { ...names, url: '0' } })],
  ['a URL of another protocol', stored({ toReturn: [{ ...names, url: 'file:///etc/passwd' }] })],
  ['no URL', stored({ toReturn: [{ ...names, url: '' }] })],
  ['a turn at no time', stored({ turn: { ...turn, sinceWallMs: 1e300 } })],
])('%s is not read, since it would end the process later', (_, json) => {
  expect(parseStoredFleet(json)).toBeNull();
});
