import type { Keeper } from '../../keeper/keeper';
import type { HoldStreams } from '../streams/hold-streams';
import { IF_MATCH, IF_NONE_MATCH, readPrecondition } from '../preconditions';
import { route, type Route } from '../../../server/http/route';
import { holdLine, holdParameters, leaseName } from '../schemas';
import type { Views } from '../views';
import { acquire, ACQUIRE_PROBLEMS, ETAG } from './leases';

export function holdRoute(keeper: Keeper, views: Views, streams: HoldStreams): Route {
  return route({
    method: 'post',
    path: '/v1/leases/{name}/hold',
    operationId: 'holdLease',
    summary: 'Hold a lease for as long as this connection stays open.',
    pathParameters: { name: leaseName },
    headers: { 'If-None-Match': IF_NONE_MATCH, 'If-Match': { ...IF_MATCH, description: `${IF_MATCH.description} With an id the lease goes on with this connection, also if its former one still looks open.` } },
    parameters: holdParameters,
    answers: {
      200: {
        description: 'One JSON document on each line: first `held`, then `alive` every 15 s, and last `ended` if the sidecar ends the lease.',
        contentType: 'application/x-ndjson',
        schema: holdLine,
        headers: ETAG,
      },
    },
    problems: ACQUIRE_PROBLEMS,
    handle: (call, { reason, wait }) => {
      const precondition = readPrecondition(call);
      if (precondition === 'answered') return;
      const { only } = precondition;
      const request = { name: call.pathParameter('name'), kind: 'connection', ttlMs: null, reason, peer: call.peer, only } as const;
      acquire(keeper, views, call, request, wait, ({ lease }) => {
        streams.open(call, lease);
      });
    },
  });
}
