import type { Registry } from 'prom-client';
import type { Checks } from '../../../server/checks';
import { JSON_TYPE } from '../../../server/http/call';
import { oncePerTurn } from '../../../server/http/once-per-turn';
import { route, type Route } from '../../../server/http/route';
import { PROBLEMS } from '../problems';
import { health, lock, noParameters, openapiDocument, readiness } from '../schemas';
import type { Views } from '../views';

/** What there is to see: the lock, the metrics, whether all is well, and this interface itself. */
export function stateRoutes(
  registered: Checks,
  views: Views,
  registry: Registry,
  openapi: () => unknown,
): Route[] {
  const lockBytes = oncePerTurn(() => Buffer.from(`${JSON.stringify(views.lock())}\n`));
  const metricsBytes = oncePerTurn(async () => Buffer.from(await registry.metrics()));
  return [
    route({
      method: 'get',
      path: '/v1/lock',
      operationId: 'getLock',
      summary: 'Show the lock: who holds it, why, since when and until when.',
      parameters: noParameters,
      answers: { 200: { description: 'The lock as it is now.', schema: lock } },
      handle: (call) => {
        call.bytes(200, JSON_TYPE, lockBytes());
      },
    }),
    route({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus.',
      parameters: noParameters,
      answers: { 200: { description: 'In the text format of Prometheus.', contentType: 'text/plain' } },
      handle: (call) => {
        metricsBytes().then(
          (bytes) => {
            call.bytes(200, registry.contentType, bytes);
          },
          (error: unknown) => {
            call.problem(PROBLEMS.internal, String(error));
          },
        );
      },
    }),
    route({
      method: 'get',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process answers.',
      parameters: noParameters,
      answers: { 200: { description: 'The process answers.', schema: health } },
      handle: (call) => {
        call.json(200, { status: 'ok' });
      },
    }),
    route({
      method: 'get',
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether the lock could be taken now, and if not, what is wrong.',
      parameters: noParameters,
      answers: {
        200: { description: 'The lock is held, or could be taken.', schema: readiness },
        503: { description: 'The lock could not be taken, or its loss would not be noticed at once.', schema: readiness },
      },
      handle: (call) => {
        const checks = registered.all();
        const ready = checks.every(({ ok }) => ok);
        call.json(ready ? 200 : 503, { ready, checks });
      },
    }),
    route({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenapi',
      summary: 'This API in OpenAPI 3.1.',
      parameters: noParameters,
      answers: { 200: { description: 'The OpenAPI document.', schema: openapiDocument } },
      handle: (call) => {
        call.json(200, openapi());
      },
    }),
  ];
}
