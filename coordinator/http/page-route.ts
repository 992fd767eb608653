import { route, type Route } from '../../server/http/route';
import { noParameters } from './schemas';

declare const __COORDINATOR_PAGE__: string | undefined;
declare const __COORDINATOR_PAGE_POLICY__: string | undefined;

/** The page as it was built, see scripts/status-page.mjs. */
export function pageRoute(): Route {
  return route({
    method: 'get',
    path: '/',
    operationId: 'getPage',
    summary: 'The page for people: groups, who has a turn and who waits; an admin pauses, resumes and releases.',
    parameters: noParameters,
    answers: { 200: { description: 'The page.', contentType: 'text/html' } },
    handle: (call) => {
      const html = typeof __COORDINATOR_PAGE__ === 'undefined' ? '' : __COORDINATOR_PAGE__;
      call.page(html, typeof __COORDINATOR_PAGE_POLICY__ === 'undefined' ? "default-src 'none'" : __COORDINATOR_PAGE_POLICY__);
    },
  });
}
