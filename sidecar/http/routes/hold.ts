import type { Keeper } from '../../keeper/keeper';
import type { HoldStreams } from '../hold-streams';
import { route, type Route } from '../route';
import { holdLine, holdParameters, leaseName } from '../schemas';
import { acquire, ACQUIRE_PROBLEMS } from './leases';

export function holdRoute(keeper: Keeper, streams: HoldStreams): Route {
  return route({
    method: 'post',
    path: '/v1/leases/{name}/hold',
    operationId: 'holdLease',
    summary: 'A lease for as long as this connection stays open.',
    name: leaseName,
    parameters: holdParameters,
    answers: {
      200: {
        description: 'One JSON document a line: `held` first, `alive` every 15 s, `ended` last if the sidecar ends it.',
        contentType: 'application/x-ndjson',
        schema: holdLine,
      },
    },
    problems: ACQUIRE_PROBLEMS,
    handle: (call, { reason, wait }) => {
      const request = { name: call.name, kind: 'connection', ttlMs: null, reason, peer: call.peer } as const;
      acquire(keeper, call, request, wait, ({ lease }) => {
        streams.open(call, lease);
      });
    },
  });
}
