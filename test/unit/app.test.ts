import { createServer, type Server } from 'node:http';
import supertest from 'supertest';
import { Access } from '../../sidecar/http/access';
import { createApp, type AppParts } from '../../server/http/app';
import type { HttpObservation } from '../../server/http/call';
import { rememberPeers } from '../../server/http/peers';
import { route, type Route } from '../../server/http/route';
import { noParameters } from '../../sidecar/http/schemas';
import type { Logger } from '../../server/log';

/** What cannot be brought about from outside: a handler with a bug in it. */
const routes: Route[] = ['get', 'put'].map((method) =>
  route({
    method: method as 'get' | 'put',
    path: '/buggy/{name}',
    operationId: `${method}Buggy`,
    summary: '',
    parameters: noParameters,
    answers: {},
    problems: [],
    handle: () => {
      throw new Error('a secret of the code');
    },
  }),
);

let observed: HttpObservation[];
let logged: unknown[];
let internalErrors: number;
let server: Server;

beforeEach(() => {
  observed = [];
  logged = [];
  internalErrors = 0;
  const metrics = {
    observeRequest: (observation: HttpObservation) => observed.push(observation),
    countInternalError: () => (internalErrors += 1),
  } as unknown as AppParts['metrics'];
  const log = { error: (...said: unknown[]) => logged.push(said) } as unknown as Logger;
  const { handler, serverOptions } = createApp({ routes, access: new Access(), metrics, log, beforeRead: () => undefined });
  server = createServer(serverOptions, handler);
  rememberPeers(server, false);
});

test.each(['get', 'put'] as const)('a bug in a %s handler is a 500 that says so and no more, and is logged and counted', async (method) => {
  const { status, body, type } = await supertest(server)[method]('/buggy/x').send();
  expect([status, type, body.code]).toEqual([500, 'application/problem+json', 'internal']);
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(JSON.stringify(logged)).toContain('a secret of the code');
  expect(internalErrors).toBe(1);
});

test('a bug that shows only once the body has been read is no different', async () => {
  const { status } = await supertest(server).put('/buggy/x').type('json').send({});
  expect(status).toBe(500);
  expect(internalErrors).toBe(1);
});

test('a path that is not percent-encoded UTF-8 is the client\'s mistake, not ours', async () => {
  const { status, body } = await supertest(server).get('/buggy/%ff');
  expect([status, body.code]).toEqual([400, 'malformed']);
  expect(internalErrors).toBe(0);
});

test('requests are measured by the route, never by what the client sent', async () => {
  await supertest(server).get('/buggy/x');
  await supertest(server).get('/some/where/else');
  await supertest(server).delete('/buggy/x');
  await supertest(server).patch('/buggy/x');
  expect(observed.map(({ method, route: path, status }) => [method, path, status])).toEqual([
    ['GET', 'none', 500],
    ['GET', 'none', 404],
    ['DELETE', '/buggy/{name}', 405],
    ['other', '/buggy/{name}', 405],
  ]);
});
