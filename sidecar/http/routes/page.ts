import { route, type Route } from '../../../server/http/route';
import { noParameters } from '../schemas';

declare const __STATUS_PAGE__: string | undefined;
declare const __STATUS_PAGE_POLICY__: string | undefined;

interface StatusPage {
  readonly html: string;
  /** The Content-Security-Policy that allows the style and the script in it, by their hashes. */
  readonly policy: string;
}

/** The page as it was built, see scripts/status-page.mjs. Within a function: it is in memory only once somebody has asked. */
function statusPage(): StatusPage {
  return {
    html: typeof __STATUS_PAGE__ === 'undefined' ? '' : __STATUS_PAGE__,
    policy: typeof __STATUS_PAGE_POLICY__ === 'undefined' ? "default-src 'none'" : __STATUS_PAGE_POLICY__,
  };
}

export function pageRoute(): Route {
  return route({
    method: 'get',
    path: '/',
    operationId: 'getStatusPage',
    summary: 'The status page for people: one HTML document, which follows `GET /v1/events`.',
    parameters: noParameters,
    answers: { 200: { description: 'The page.', contentType: 'text/html' } },
    handle: (call) => {
      const { html, policy } = statusPage();
      call.page(html, policy);
    },
  });
}
