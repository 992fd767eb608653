import type { LookupAddress } from 'node:dns';
import dns from 'node:dns/promises';
import { ask } from '../../sidecar/holders/probes/ask';
import type { ProbeSettings } from '../../sidecar/holders/probes/probe-settings';

let lookups: { readonly hostname: string; readonly answer: (addresses: LookupAddress[]) => void; readonly fail: (error: Error) => void }[];

beforeEach(() => {
  lookups = [];
  jest.spyOn(dns, 'lookup').mockImplementation(((hostname: string) =>
    new Promise<LookupAddress[]>((answer, fail) => lookups.push({ hostname, answer, fail }))) as never);
});

afterEach(() => jest.restoreAllMocks());

function asked(host: string): Promise<unknown> {
  const settings: ProbeSettings = {
    name: 'a', url: new URL(`http://${host}:1/`), authorization: null, expression: /a/, holdsOnMatch: true, everyMs: 1000, timeoutMs: 5000, onError: 'keep',
  };
  return ask(settings, new AbortController().signal);
}

test('a name is looked up once for all who ask meanwhile, and anew for those who ask later', async () => {
  const answers = ['one', 'one', 'two'].map(asked);
  await new Promise(setImmediate);
  expect(lookups.map(({ hostname }) => hostname)).toEqual(['one', 'two']);
  lookups[0]?.answer([{ address: '127.0.0.1', family: 4 }]);
  lookups[1]?.fail(new Error('getaddrinfo ENOTFOUND two'));
  expect(await Promise.all(answers)).toEqual([
    { ok: false, problem: 'connect ECONNREFUSED 127.0.0.1:1' },
    { ok: false, problem: 'connect ECONNREFUSED 127.0.0.1:1' },
    { ok: false, problem: 'getaddrinfo ENOTFOUND two' },
  ]);
  const later = asked('one');
  await new Promise(setImmediate);
  expect(lookups).toHaveLength(3);
  lookups[2]?.fail(new Error('getaddrinfo EAI_AGAIN one'));
  await later;
});
