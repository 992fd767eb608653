import { route, type Route } from '../route';
import { noParameters } from '../schemas';
import { statusPage } from '../status-page';

export function pageRoute(): Route {
  return route({
    method: 'get',
    path: '/',
    operationId: 'getStatusPage',
    summary: 'The status page, for people: one HTML document that follows `GET /v1/events`.',
    parameters: noParameters,
    answers: { 200: { description: 'The page.', contentType: 'text/html' } },
    problems: ['malformed', 'forbidden', 'invalid'],
    handle: (call) => {
      const { html, policy } = statusPage();
      call.page(html, policy);
    },
  });
}
