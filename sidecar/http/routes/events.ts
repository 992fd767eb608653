import type { EventStreams } from '../streams/event-streams';
import { route, type Route } from '../../../server/http/route';
import { event, noParameters } from '../schemas';

export function eventsRoute(streams: EventStreams): Route {
  return route({
    method: 'get',
    path: '/v1/events',
    operationId: 'streamEvents',
    summary: 'What happens, as it happens: server-sent events `lock`, `lease` and `update`.',
    headers: { 'Last-Event-ID': { description: 'Continues after the event with this id; if that is not known any more, begins anew, with `missed` true.' } },
    parameters: noParameters,
    answers: {
      200: {
        description:
          'First the present state: a `lock` with `snapshot` true, each live `lease`, and `update`; then every change, each with an id. ' +
          'A reader that has missed more than is kept, a thousand events or so, gets the present state anew: a `lock` with `snapshot` and `missed` true and so on. ' +
          'The schema is that of a message, its fields by name; the data is one JSON document. A comment every 15 s.',
        contentType: 'text/event-stream',
        schema: event,
      },
    },
    handle: (call) => {
      streams.open(call, call.request.headers['last-event-id']?.toString());
    },
  });
}
