import type { History } from '../../history';
import { route, type Route } from '../route';
import { history as schema, noParameters } from '../schemas';
import type { Views } from '../views';

export function historyRoute(history: History, views: Views): Route {
  return route({
    method: 'get',
    path: '/v1/history',
    operationId: 'getHistory',
    summary: 'The last fifty events since the sidecar started, the latest first.',
    parameters: noParameters,
    answers: { 200: { description: 'What has happened, for people; a program follows `GET /v1/events`.', schema } },
    problems: ['malformed', 'forbidden', 'invalid'],
    handle: (call) => {
      call.json(200, { events: views.history(history.entries) });
    },
  });
}
