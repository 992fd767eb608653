import { route, type Route } from '../../../server/http/route';
import type { OverrideHolder } from '../../holders/override/override-holder';
import type { Access } from '../access';
import { PROBLEMS } from '../problems';
import { noParameters, override, overrideParameters } from '../schemas';
import type { Views } from '../views';

/** Opening and closing by hand. */
export function overrideRoutes(holder: OverrideHolder, views: Views, access: Access): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/override',
      operationId: 'getOverride',
      summary: 'The override by hand: whether updates are allowed or held, why and until when.',
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
      summary: 'Allow or hold updates by hand for a time, in place of a former override. Needs the admin token.',
      parameters: overrideParameters,
      answers: { 200: { description: 'The override.', schema: override } },
      handle: (call, { updates, for: forMs, reason = '' }) => {
        if (!access.admitsAdmin(call, 'An override')) return;
        holder.set({ updates, reason, forMs }, call.peer);
        call.json(200, views.override());
      },
    }),
    route({
      method: 'delete',
      path: '/v1/override',
      operationId: 'deleteOverride',
      summary: 'End the override. Needs the admin token.',
      parameters: noParameters,
      answers: { 204: { description: 'There is none now.' } },
      handle: (call) => {
        if (!access.admitsAdmin(call, 'An override')) return;
        holder.clear(call.peer);
        call.noContent();
      },
    }),
  ];
}
