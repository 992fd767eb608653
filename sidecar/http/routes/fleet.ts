import { route, type Route } from '../../../server/http/route';
import { fleet } from '../fleet-schema';
import { noParameters } from '../schemas';
import type { Views } from '../views';

export function fleetRoute(views: Views): Route {
  return route({
    method: 'get',
    path: '/v1/fleet',
    operationId: 'getFleet',
    summary: "Show this device's turn in a fleet that takes turns.",
    parameters: noParameters,
    answers: { 200: { description: 'The state of the turn; `off` without a fleet.', schema: fleet } },
    handle: (call) => { call.json(200, views.fleet()); },
  });
}
