import { route, type Route } from '../../../server/http/route';
import type { OverrideHolder } from '../../holders/override/override-holder';
import { PROBLEMS } from '../problems';
import { noParameters, override, overrideParameters } from '../schemas';
import type { Views } from '../views';

const OVERRIDE_LINKS = {
  override: { operationId: 'getOverride', description: 'The override as it is then.', parameters: {} },
  end: { operationId: 'deleteOverride', description: 'Ends it.', parameters: {} },
};

/** Opening and closing by hand. */
export function overrideRoutes(holder: OverrideHolder, views: Views): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/override',
      operationId: 'getOverride',
      summary: 'Show the override: whether somebody allows or holds updates by hand, why and until when.',
      parameters: noParameters,
      answers: { 200: { description: 'The override.', schema: override } },
      problems: [PROBLEMS['not-found']],
      handle: (call) => {
        const view = views.override();
        if (view === null) call.problem(PROBLEMS['not-found'], 'There is no override.');
        else call.json(200, view);
      },
    }),
    route({
      method: 'put',
      path: '/v1/override',
      operationId: 'putOverride',
      summary: 'Allow or hold updates by hand for a time. Replaces an earlier override. Needs the admin token.',
      adminOnly: 'An override',
      parameters: overrideParameters,
      answers: { 200: { description: 'The override.', schema: override, links: OVERRIDE_LINKS } },
      handle: (call, { updates, for: forMs, reason = '' }) => {
        holder.set({ updates, reason, forMs }, call.peer);
        call.json(200, views.override());
      },
    }),
    route({
      method: 'delete',
      path: '/v1/override',
      operationId: 'deleteOverride',
      summary: 'End the override. Needs the admin token.',
      adminOnly: 'An override',
      parameters: noParameters,
      answers: { 204: { description: 'There is none now.' } },
      handle: (call) => {
        holder.clear(call.peer);
        call.noContent();
      },
    }),
  ];
}
