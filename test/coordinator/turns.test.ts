import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import type { SendOptions } from '../support/http';

let coordinator: Coordinator;

beforeEach(async () => {
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1; canary=2' });
});
afterEach(() => Coordinator.cleanUp());

test('groups of the settings are there before anybody asks', async () => {
  expect((await coordinator.send('GET', '/v1/groups')).body.groups.map(({ name, slots }: { name: string; slots: number }) => [name, slots])).toEqual([
    ['canary', 2],
    ['default', 1],
  ]);
});

test('who holds and who waits is shown, in the order of first asking', async () => {
  for (const id of ['a', 'c', 'b', 'c']) await coordinator.ask(id);
  const group = await coordinator.group();
  expect(group).toMatchObject({
    name: 'default',
    slots: 1,
    paused: false,
    holders: [{ id: 'a', stale: false }],
    waiting: [{ id: 'c' }, { id: 'b' }],
  });
  const [{ since, lastAsked }] = group.waiting;
  expect(Date.parse(lastAsked)).toBeGreaterThanOrEqual(Date.parse(since));
});

test('turns are given in the order of first asking', async () => {
  for (const id of ['a', 'b', 'c']) await coordinator.ask(id);
  await coordinator.giveBack('a');
  expect((await coordinator.ask('c')).body).toEqual({ kind: 'not_your_turn', value: 'other devices have asked before' });
  expect((await coordinator.ask('b')).status).toBe(200);
  expect((await coordinator.ask('c')).body.kind).toBe('all_slots_full');
  expect(await coordinator.holders()).toEqual(['b']);
  expect(await coordinator.waiting()).toEqual(['c']);
});

test('one that waits and then needs no turn leaves the queue', async () => {
  for (const id of ['a', 'b', 'c']) await coordinator.ask(id);
  expect((await coordinator.giveBack('b')).status).toBe(200);
  await coordinator.giveBack('a');
  expect((await coordinator.ask('c')).status).toBe(200);
});

test('a device that is another one under the same id can neither use the turn nor give it back', async () => {
  expect((await coordinator.ask('a', { instance: 'one' })).status).toBe(200);
  const refused = await coordinator.ask('a', { instance: 'two' });
  expect([refused.status, refused.body.kind, refused.headers['retry-after']]).toEqual([423, 'other_instance', '300']);
  expect((await coordinator.giveBack('a', { instance: 'two' })).status).toBe(200);
  expect(await coordinator.holders()).toEqual(['a']);
  expect((await coordinator.ask('a', { instance: 'one' })).status).toBe(200);
});

test('one group does not know the turns of another', async () => {
  await coordinator.ask('a');
  expect((await coordinator.ask('a', { group: 'canary' })).status).toBe(200);
  expect((await coordinator.ask('b', { group: 'canary' })).status).toBe(200);
  expect((await coordinator.ask('c', { group: 'canary' })).status).toBe(423);
});

describe('An admin', () => {
  test('pauses and resumes: turns that were given stay', async () => {
    await coordinator.ask('a');
    expect((await coordinator.admin('PUT', '/v1/groups/default', { paused: true })).body).toMatchObject({ paused: true, slots: 1 });
    expect((await coordinator.ask('a')).status).toBe(200);
    expect((await coordinator.ask('b')).body.kind).toBe('paused');
    await coordinator.giveBack('a');
    expect((await coordinator.ask('b')).body.kind).toBe('paused');
    expect((await coordinator.admin('PUT', '/v1/groups/default', { paused: false })).status).toBe(200);
    expect((await coordinator.ask('b')).status).toBe(200);
  });

  test('changes the slots: fewer take no turn away', async () => {
    await coordinator.ask('a', { group: 'canary' });
    await coordinator.ask('b', { group: 'canary' });
    await coordinator.admin('PUT', '/v1/groups/canary', { slots: 1 });
    expect(await coordinator.holders('canary')).toEqual(['a', 'b']);
    await coordinator.giveBack('a', { group: 'canary' });
    expect((await coordinator.ask('c', { group: 'canary' })).body.kind).toBe('all_slots_full');
    await coordinator.giveBack('b', { group: 'canary' });
    expect((await coordinator.ask('c', { group: 'canary' })).status).toBe(200);
  });

  test('makes a group, and has to say how many slots it has', async () => {
    expect((await coordinator.ask('a', { group: 'new' })).status).toBe(404);
    expect((await coordinator.send('GET', '/v1/groups/new')).status).toBe(404);
    const refused = await coordinator.admin('PUT', '/v1/groups/new', { paused: true });
    expect([refused.status, refused.body.errors]).toEqual([422, [{ field: 'slots', message: 'is needed, since the group is new' }]]);
    expect((await coordinator.admin('PUT', '/v1/groups/new', { slots: 1 })).body).toMatchObject({ name: 'new', slots: 1, paused: false });
    expect((await coordinator.ask('a', { group: 'new' })).status).toBe(200);
  });

  test.each<[string, string, SendOptions]>([
    ['a form', '', { form: 'slots=3&paused=true' }],
    ['the query', '?slots=3&paused=yes', {}],
    ['JSON', '', { json: { slots: 3, paused: true } }],
  ])('says so in %s', async (_, query, options) => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await coordinator.send('PUT', `/v1/groups/default${query}`, { ...options, headers })).body).toMatchObject({ slots: 3, paused: true });
  });

  test.each([{ slots: -1 }, { slots: 1.5 }, { slots: 10_000_000 }, { slots: 'many' }, { slots: '-1' }, { slots: '1.5' }, { slots: '' }, { slots: true }, { paused: 'perhaps' }, { paused: '__proto__' }, { paused: 1 }, { colour: 'red' }])('may not write %j', async (json) => {
    expect((await coordinator.admin('PUT', '/v1/groups/default', json)).status).toBe(422);
  });

  test('releases the turn of a device that will not come back', async () => {
    await coordinator.ask('gone for good/1');
    const id = 'gone/ä';
    await coordinator.ask(id);
    const path = `/v1/groups/default/holders/${encodeURIComponent(id)}`;
    expect((await coordinator.admin('DELETE', path)).status).toBe(200);
    expect((await coordinator.admin('DELETE', path)).status).toBe(404);
    expect(await coordinator.holders()).toEqual([]);
    expect((await coordinator.ask('b')).status).toBe(200);
  });

  test.each([
    ['PUT', '/v1/groups/default', { paused: true }],
    ['DELETE', '/v1/groups/default/holders/a', undefined],
  ])('is nobody without the token: %s %s', async (method, path, json) => {
    await coordinator.ask('a');
    expect((await coordinator.send(method, path, { json })).status).toBe(403);
    expect((await coordinator.send(method, path, { json, headers: { Authorization: 'Bearer wrong' } })).status).toBe(403);
    expect(await coordinator.group()).toMatchObject({ paused: false, holders: [{ id: 'a' }] });
  });
});

test('metrics, health and readiness', async () => {
  await coordinator.ask('a');
  await coordinator.ask('a');
  await coordinator.ask('b');
  await coordinator.giveBack('a');
  await coordinator.admin('PUT', '/v1/groups/default', { paused: true });
  const { text } = await coordinator.send('GET', '/metrics');
  for (const line of [
    'slots{group="default"} 1',
    'holders{group="default"} 0',
    'waiting{group="default"} 1',
    'stale_holders{group="default"} 0',
    'paused{group="default"} 1',
    'paused{group="canary"} 0',
    'turns_total{group="default",result="granted"} 1',
    'turns_total{group="default",result="confirmed"} 1',
    'turns_total{group="default",result="all_slots_full"} 1',
    'turns_total{group="default",result="returned"} 1',
    'store_up 1',
    'store_errors_total{operation="write"} 0',
  ]) expect(text.split('\n')).toContain(`update_lock_coordinator_${line}`);
  expect((await coordinator.send('GET', '/healthz')).body).toEqual({ status: 'ok' });
  expect((await coordinator.send('GET', '/readyz')).body).toMatchObject({ ready: true, checks: [{ name: 'store', ok: true }] });
  expect((await coordinator.send('GET', '/openapi.json')).body.paths['/v1/pre-reboot'].post.responses['423']).toBeDefined();
});
