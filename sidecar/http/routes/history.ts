import type { History } from '../../events/history';
import { route, type Route } from '../../../server/http/route';
import { history as schema, noParameters } from '../schemas';
import type { Views } from '../views';

export function historyRoute(history: History, views: Views): Route {
  return route({
    method: 'get',
    path: '/v1/history',
    operationId: 'getHistory',
    summary: 'What happened lately, for people: up to fifty events, the latest first.',
    parameters: noParameters,
    answers: { 200: { description:
          'Kept in memory, since the start of the sidecar; a program follows `GET /v1/events`. The renewals of a lease are one event. ' +
          'Events of leases and others do not push out each other: either have at least twenty places, and the others ten of one kind.', schema } },
    handle: (call) => {
      call.json(200, { events: views.history(history.entries) });
    },
  });
}
