import type { ServerResponse } from 'node:http';
import { Unsent } from '../../server/http/unsent';

const MIB = 1024 * 1024;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function responses(count: number): { response: ServerResponse; isCut: () => boolean }[] {
  return Array.from({ length: count }, () => {
    const destroy = jest.fn();
    return { response: { socket: { destroy } } as unknown as ServerResponse, isCut: () => destroy.mock.calls.length > 0 };
  });
}

test('beyond the bound the one that has been behind for longest is cut off, and no more than need be', () => {
  const unsent = new Unsent();
  const clients = responses(6);
  for (const { response } of clients) unsent.add(response, Buffer.alloc(4 * MIB));
  expect(clients.map(({ isCut }) => isCut())).toEqual([true, true, false, false, false, false]);
});

test('what has been sent does not count, and who has read is not the slowest any more', () => {
  const unsent = new Unsent();
  const clients = responses(5);
  const [first, second] = clients.map(({ response }) => response);
  if (first === undefined || second === undefined) throw new Error('no clients');
  unsent.add(first, Buffer.alloc(8 * MIB));
  unsent.add(second, Buffer.alloc(8 * MIB));
  unsent.remove(first);
  unsent.add(first, Buffer.alloc(8 * MIB));
  for (const { response } of clients.slice(2)) unsent.add(response, Buffer.alloc(1));
  expect(clients.map(({ isCut }) => isCut())).toEqual([false, true, false, false, false]);
});

test('what many are sent counts once', () => {
  const unsent = new Unsent();
  const clients = responses(100);
  const bytes = Buffer.alloc(16 * MIB);
  for (const { response } of clients) unsent.add(response, bytes);
  expect(clients.some(({ isCut }) => isCut())).toBe(false);
  for (const { response } of clients) unsent.remove(response);
  const [alone] = responses(1);
  if (alone !== undefined) unsent.add(alone.response, Buffer.alloc(16 * MIB));
  expect(alone?.isCut()).toBe(false);
});

test('one answer alone may be longer than the bound', () => {
  const unsent = new Unsent();
  const [client] = responses(1);
  if (client !== undefined) unsent.add(client.response, Buffer.alloc(20 * MIB));
  expect(client?.isCut()).toBe(false);
});

test('who has not read for half a minute is cut off; who has is not', () => {
  const unsent = new Unsent();
  const [stuck, slow, late] = responses(3);
  if (stuck === undefined || slow === undefined || late === undefined) throw new Error('no clients');
  for (const { response } of [stuck, slow]) unsent.add(response, Buffer.alloc(1));
  jest.advanceTimersByTime(20_000);
  unsent.add(slow.response, Buffer.alloc(1));
  unsent.add(late.response, Buffer.alloc(1));
  jest.advanceTimersByTime(10_001);
  expect([stuck, slow, late].map(({ isCut }) => isCut())).toEqual([true, false, false]);
  unsent.remove(late.response);
  jest.advanceTimersByTime(20_001);
  expect([slow, late].map(({ isCut }) => isCut())).toEqual([true, false]);
});
