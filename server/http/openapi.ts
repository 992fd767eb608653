import * as z from 'zod/mini';
import { HTTP_PROBLEMS, type Problem } from './problem';
import type { AnswerDescription, Route } from './route';

type Json = Record<string, unknown>;

/** The parts of the document that do not follow from the routes. */
export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** The token that requests other than GET need, in words. */
  readonly token: string;
  /** Schemas that the document names rather than repeats. */
  readonly schemas: Readonly<Record<string, z.ZodMiniType>>;
}

/** The problems that any request can meet, and those that any change can. */
const READ_PROBLEMS = [HTTP_PROBLEMS.malformed, HTTP_PROBLEMS.forbidden, HTTP_PROBLEMS.invalid, HTTP_PROBLEMS.internal];
const CHANGE_PROBLEMS = [...READ_PROBLEMS, HTTP_PROBLEMS.unauthorized, HTTP_PROBLEMS['too-large'], HTTP_PROBLEMS['unsupported-media-type']];

/** The interface as an OpenAPI 3.1 document, made from the same routes and schemas that serve it. */
export function openapiDocument(routes: readonly Route[], { title, version, description, token, schemas }: ApiDescription): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route, schemas);
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toJsonSchema(schema, 'output')])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: token } },
    },
  };
}

function operation(route: Route, schemas: ApiDescription['schemas']): Json {
  const changes = route.method !== 'get';
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = describeAnswer(answer, schemas);
  const problems = route.protocol === undefined ? [...(changes ? CHANGE_PROBLEMS : READ_PROBLEMS), ...(route.problems ?? [])] : [];
  for (const [status, sameStatus] of groupByStatus(problems)) {
    responses[String(status)] ??= {
      description: sameStatus.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' '),
      content: { 'application/problem+json': { schema: reference('Problem') } },
    };
  }
  const body = toJsonSchema(route.parameters, 'input');
  const fields = Object.entries((body['properties'] ?? {}) as Record<string, Json>);
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [
      ...Object.entries(route.pathParameters ?? {}).map(([name, schema]) => ({ name, in: 'path', required: true, schema: toJsonSchema(schema, 'input') })),
      ...fields.map(([name, schema]) => ({ name, in: 'query', schema })),
      ...Object.entries(route.headers ?? {}).map(([name, description]) => ({ name, in: 'header', description, schema: { type: 'string' } })),
    ],
    ...(changes && fields.length > 0 ? { requestBody: { content: { 'application/json': { schema: body }, 'application/x-www-form-urlencoded': { schema: body } } } } : {}),
    responses,
    ...(changes ? { security: [{}, { token: [] }] } : {}),
  };
}

function describeAnswer({ description, contentType = 'application/json', schema, headers = {} }: AnswerDescription, schemas: ApiDescription['schemas']): Json {
  const name = Object.keys(schemas).find((each) => schemas[each] === schema);
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

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function toJsonSchema(schema: z.ZodMiniType, io: 'input' | 'output'): Json {
  const jsonSchema = z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Json;
  // The dialect is OpenAPI 3.1's own.
  delete jsonSchema['$schema'];
  return jsonSchema;
}

function groupByStatus(problems: readonly Problem[]): Map<number, Problem[]> {
  const byStatus = new Map<number, Problem[]>();
  for (const problem of problems) byStatus.set(problem.status, [...(byStatus.get(problem.status) ?? []), problem]);
  return byStatus;
}
