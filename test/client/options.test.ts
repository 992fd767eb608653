import { UpdateLock } from '../../client/src/index';
import { ScriptedServer } from '../support/scripted-server';

afterEach(() => ScriptedServer.cleanUp());

/** As plain JavaScript would call it, without a compiler that knows better. */
type Untyped = Record<string, (...args: unknown[]) => unknown>;

const CALLS: [string, (lock: Untyped, options: unknown) => unknown, string][] = [
  ['hold', (lock, options) => lock['hold']?.(options), 'name, reason, wait, signal, onWaiting, onUpdate, onDraining'],
  ['hold', (lock, options) => lock['hold']?.(options, () => undefined), 'name, reason, wait, signal, onWaiting, onUpdate, onDraining'],
  ['acquire', (lock, options) => lock['acquire']?.(options), 'signal, ttl, reason, name, wait, onWaiting'],
  ['renew', (lock, options) => lock['renew']?.('recorder', options), 'signal, ttl, reason'],
  ['release', (lock, options) => lock['release']?.('recorder', options), 'signal'],
  ['status', (lock, options) => lock['status']?.(options), 'signal'],
  ['leases', (lock, options) => lock['leases']?.(options), 'signal'],
  ['history', (lock, options) => lock['history']?.(options), 'signal'],
  ['events', (lock, options) => lock['events']?.(options), 'signal, lastEventId, onConnection'],
  ['update', (lock, options) => lock['update']?.(options), 'signal'],
  ['whenUpdatePending', (lock, options) => lock['whenUpdatePending']?.(options), 'signal'],
  ['requestUpdate', (lock, options) => lock['requestUpdate']?.(options), 'signal, force'],
];

describe.each(CALLS)('%s', (name, call, allowed) => {
  test.each([
    [{ tll: '10m' }, `${name} has no option "tll"; allowed are ${allowed}`],
    [{ signal: undefined, toString: undefined }, `${name} has no option "toString"; allowed are ${allowed}`],
    ['recorder', `${name} takes an object of options, not "recorder"; allowed are ${allowed}`],
    [null, `${name} takes an object of options, not null; allowed are ${allowed}`],
  ])('refuses %j, and asks nobody', async (options, message) => {
    const server = await ScriptedServer.start(() => undefined);
    const lock = new UpdateLock({ url: server.url }) as unknown as Untyped;
    const calling = Promise.resolve().then(() => call(lock, options));
    await expect(calling).rejects.toMatchObject({ name: 'InvalidRequestError', code: 'invalid', message });
    expect(server.openConnections).toBe(0);
  });
});

test('the constructor refuses them too', () => {
  const make = UpdateLock as unknown as new (options: unknown) => UpdateLock;
  expect(() => new make({ URL: 'http://x' })).toThrow(expect.objectContaining({ name: 'InvalidRequestError', message: 'UpdateLock has no option "URL"; allowed are url, token' }) as Error);
  expect(() => new make('http://x')).toThrow(/takes an object of options/);
});
