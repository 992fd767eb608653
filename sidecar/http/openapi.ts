import * as z from 'zod/mini';
import { PROBLEMS, type ProblemCode } from './problem';
import type { AnswerDescription, Route } from './route';
import * as schemas from './schemas';

/** Schemas that the document names rather than repeats. */
const NAMED: Readonly<Record<string, z.ZodMiniType>> = {
  Lease: schemas.lease,
  EndedLease: schemas.endedLease,
  LeaseList: schemas.leaseList,
  Lock: schemas.lock,
  History: schemas.history,
  Event: schemas.event,
  Update: schemas.update,
  HoldLine: schemas.holdLine,
  Readiness: schemas.readiness,
  Health: schemas.health,
  Problem: schemas.problem,
};

type Json = Record<string, unknown>;

/** The interface as an OpenAPI 3.1 document, made from the same routes and schemas that serve it. */
export function openapiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'update-lock',
      version,
      description: 'Holds the balena update lock on behalf of the other containers of a device.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, toJsonSchema(schema, 'output')])),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The API token, where one is set; not over the Unix socket.' },
      },
    },
  };
}

function operation(route: Route): Json {
  const changes = route.method !== 'get';
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = describeAnswer(answer);
  for (const [status, codes] of problemsByStatus([...route.problems, 'internal'])) {
    responses[String(status)] ??= {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
      content: { 'application/problem+json': { schema: reference('Problem') } },
    };
  }
  const body = toJsonSchema(route.parameters, 'input');
  const fields = Object.entries((body['properties'] ?? {}) as Record<string, Json>);
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [
      ...(route.name === undefined ? [] : [{ name: 'name', in: 'path', required: true, schema: toJsonSchema(route.name, 'input') }]),
      ...fields.map(([name, schema]) => ({ name, in: 'query', schema })),
      ...Object.entries(route.headers ?? {}).map(([name, description]) => ({
        name, in: 'header', description, schema: { type: 'string' },
      })),
    ],
    ...(changes && fields.length > 0 ? { requestBody: { content: { 'application/json': { schema: body }, 'application/x-www-form-urlencoded': { schema: body } } } } : {}),
    responses,
    ...(changes ? { security: [{}, { token: [] }] } : {}),
  };
}

function describeAnswer({ description, contentType = 'application/json', schema, headers = {} }: AnswerDescription): Json {
  const name = Object.keys(NAMED).find((each) => NAMED[each] === schema);
  const isText = schema === undefined && contentType.startsWith('text/');
  const shown = isText ? { type: 'string' } : name === undefined ? { type: 'object' } : reference(name);
  return {
    description,
    ...(schema === undefined && !isText ? {} : { content: { [contentType]: { schema: shown } } }),
    ...(Object.keys(headers).length === 0 ? {} : {
      headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])),
    }),
  };
}

function problemsByStatus(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return byStatus;
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function toJsonSchema(schema: z.ZodMiniType, io: 'input' | 'output'): Json {
  const jsonSchema = z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Json;
  // The dialect is OpenAPI 3.1's own.
  delete jsonSchema['$schema'];
  return jsonSchema;
}
