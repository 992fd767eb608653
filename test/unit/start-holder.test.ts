import { StartHolder } from '../../sidecar/holders/start-holder';
import { LeasePolicies } from '../../sidecar/leases/policies';
import type { AcquireRequest } from '../../sidecar/leases/request';

test.each([0, 5_548_171.6935887085, 15_225_071.246548554])('the hold lasts a whole number of milliseconds, also when the clock reads %d', (nowMs) => {
  const requests: AcquireRequest[] = [];
  const keeper = {
    notes: { isStartOver: false, recordStartIsOver: () => undefined },
    get: () => undefined,
    getEnded: () => undefined,
    acquireWithin: (request: AcquireRequest) => requests.push(request),
  };
  new StartHolder({ monotonicMs: () => nowMs, wallMs: () => 0 }, keeper, new LeasePolicies(), 3_600_000).onEvent({ type: 'store-opened' });
  expect(requests).toMatchObject([{ name: '@start', ttlMs: 3_600_000 }]);
});
