import type { History } from '../../events/history';
import { route, type Route } from '../../../server/http/route';
import { history as schema, noParameters } from '../schemas';
import type { Views } from '../views';

export function historyRoute(history: History, views: Views): Route {
  return route({
    method: 'get',
    path: '/v1/history',
    operationId: 'getHistory',
    summary: 'The last fifty events in words, newest first.',
    parameters: noParameters,
    answers: { 200: { description:
          'Events since the start of the sidecar, kept in memory. Programs should follow `GET /v1/events` instead. All renewals of a lease are one event. ' +
          'At least twenty places are for events of leases and at least twenty for all others, so that neither kind displaces the other.', schema } },
    handle: (call) => {
      call.json(200, { events: views.history(history.entries) });
    },
  });
}
