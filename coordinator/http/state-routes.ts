import type { Registry } from 'prom-client';
import { toCheck } from '../../server/checks';
import { openapiDocument } from '../../server/http/openapi';
import { route, type Route } from '../../server/http/route';
import { VERSION } from '../../server/version';
import type { Store } from '../store/store';
import { answerLater, type Failures } from './answer-later';
import * as schemas from './schemas';

/** Whether all is well, the metrics, and this interface itself. */
export function stateRoutes(store: Pick<Store, 'problem'>, registry: Registry, failures: Failures, allRoutes: () => readonly Route[]): Route[] {
  let document: unknown;
  return [
    route({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus.',
      parameters: schemas.noParameters,
      answers: { 200: { description: 'In the text format of Prometheus.', contentType: 'text/plain' } },
      handle: (call) => {
        answerLater(call, failures, async () => {
          call.text(200, registry.contentType, await registry.metrics());
        });
      },
    }),
    route({
      method: 'get',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process answers.',
      parameters: schemas.noParameters,
      answers: { 200: { description: 'The process answers.', schema: schemas.health } },
      handle: (call) => {
        call.json(200, { status: 'ok' });
      },
    }),
    route({
      method: 'get',
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether turns can be given and taken back, and if not, what is wrong.',
      parameters: schemas.noParameters,
      answers: {
        200: { description: 'They can.', schema: schemas.readiness },
        503: { description: 'They cannot.', schema: schemas.readiness },
      },
      handle: (call) => {
        answerLater(call, failures, async () => {
          const check = toCheck('store', await store.problem(), 'The store can be read and written.');
          call.json(check.ok ? 200 : 503, { ready: check.ok, checks: [check] });
        });
      },
    }),
    route({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenapi',
      summary: 'This API in OpenAPI 3.1.',
      parameters: schemas.noParameters,
      answers: { 200: { description: 'The OpenAPI document.', schema: schemas.openapiDocument } },
      handle: (call) => {
        call.json(200, (document ??= openapiOf(allRoutes())));
      },
    }),
  ];
}

/** The OpenAPI document of these routes. */
export function openapiOf(routes: readonly Route[]): Record<string, unknown> {
  return openapiDocument(routes, {
    title: 'update-lock-coordinator',
    version: VERSION,
    description: 'Gives the devices of a fleet their turns to update, so many at a time: a FleetLock server.',
    tokens: {
      deviceToken: 'The token of a device, or of all devices, where the coordinator has one.',
      adminToken: 'The admin token: for changing groups and releasing turns.',
    },
    tokensFor: ({ method, protocol }) => (method === 'get' ? [null] : protocol === undefined ? ['adminToken'] : [null, 'deviceToken']),
    schemas: {
      Group: schemas.group,
      Groups: schemas.groups,
      FleetLockError: schemas.fleetLockError,
      Readiness: schemas.readiness,
      Health: schemas.health,
      Problem: schemas.problem,
    },
  });
}
