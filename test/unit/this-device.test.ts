import type { SidecarEvent } from '../../sidecar/events/event';
import { ThisDevice } from '../../sidecar/supervisor/this-device';

const nextTurn = (): Promise<void> => new Promise(setImmediate);
const CHANGED: SidecarEvent = { type: 'update-changed', turn: null };
const WAITS: SidecarEvent = { type: 'update-changed', turn: { waits: true, what: 'release' } };

test('the name is asked for until it is known, and again when something begins to wait', async () => {
  const answers: (string | null)[] = [null, 'kitchen', null, 'bath'];
  const events: unknown[] = [];
  const api = { readName: () => Promise.resolve(answers.shift() ?? null) };
  const device = new ThisDevice({ api, name: 'holy-wildflower', uuid: 'abc', emit: (event) => { events.push(event); } });
  await nextTurn();
  expect([device.name, answers.length]).toEqual(['holy-wildflower', 4]);
  for (const [event, name, left] of [[CHANGED, 'holy-wildflower', 3], [CHANGED, 'kitchen', 2], [CHANGED, 'kitchen', 2], [WAITS, 'kitchen', 1], [WAITS, 'bath', 0]] as const) {
    device.onEvent(event);
    // While one request is under way there is no other.
    device.onEvent(event);
    await nextTurn();
    expect([device.name, answers.length]).toEqual([name, left]);
  }
  expect(events).toEqual([{ type: 'device-named' }, { type: 'device-named' }]);
});

test('what is answered after the end is told to nobody', async () => {
  const events: unknown[] = [];
  const device = new ThisDevice({ api: { readName: () => Promise.resolve('kitchen') }, name: null, uuid: null, emit: (event) => { events.push(event); } });
  device.onEvent(CHANGED);
  device.close();
  await nextTurn();
  expect([device.name, events]).toEqual([null, []]);
});
