import dns from 'node:dns';
import { sharedLookup } from '../../sidecar/holders/probes/shared-lookup';

type Deliver = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void;

let underWay: { readonly hostname: string; readonly deliver: Deliver }[];
beforeEach(() => {
  underWay = [];
  jest.spyOn(dns, 'lookup').mockImplementation(((hostname: string, _: unknown, deliver: Deliver) => underWay.push({ hostname, deliver })) as never);
});
afterEach(() => jest.restoreAllMocks());

const ADDRESSES = [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }];

test('a name is looked up once for all who ask meanwhile, and anew for who asks later', () => {
  const answers: unknown[] = [];
  sharedLookup('a', { all: true }, (...answer) => answers.push(answer));
  sharedLookup('a', {}, (...answer) => answers.push(answer));
  sharedLookup('b', { all: true }, (...answer) => answers.push(answer));
  expect(underWay.map(({ hostname }) => hostname)).toEqual(['a', 'b']);
  underWay[0]?.deliver(null, ADDRESSES);
  expect(answers).toEqual([[null, ADDRESSES], [null, '::1', 6]]);
  sharedLookup('a', { all: true }, () => undefined);
  expect(underWay).toHaveLength(3);
});

test('all who ask are told of an error', () => {
  const errors: unknown[] = [];
  for (const all of [true, false]) sharedLookup('c', { all }, (error) => errors.push(error));
  const error = new Error('getaddrinfo ENOTFOUND c');
  underWay[0]?.deliver(error, undefined as never);
  expect(errors).toEqual([error, error]);
});
