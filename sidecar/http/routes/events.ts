import type { EventStreams } from '../streams/event-streams';
import { route, type Route } from '../../../server/http/route';
import { event, noParameters } from '../schemas';

export function eventsRoute(streams: EventStreams): Route {
  return route({
    method: 'get',
    path: '/v1/events',
    operationId: 'streamEvents',
    summary: 'Follow what happens: server-sent events `lock`, `lease`, `update` and `fleet`.',
    headers: { 'Last-Event-ID': { description: 'Continue after the event with this id. If it is no longer kept, the present state is sent again, with `missed` true.' } },
    parameters: noParameters,
    answers: {
      200: {
        description:
          'First the present state: a `lock` with `snapshot` true, each live `lease`, and `update`; then every change, each with an id. ' +
          'About a thousand events are kept. A reader that has missed more gets the present state again, beginning with a `lock` with `snapshot` and `missed` true. ' +
          'The schema describes a message by its fields; `data` is one JSON document. A comment is sent every 15 s.',
        contentType: 'text/event-stream',
        schema: event,
      },
    },
    handle: (call) => {
      streams.open(call, call.request.headers['last-event-id']?.toString());
    },
  });
}
