import * as z from 'zod/mini';
import { HTTP_PROBLEMS, type Problem } from './problem';
import type { AnswerDescription, HeaderDescription, Route } from './route';

type Json = Record<string, unknown>;

/** The parts of the document that do not follow from the routes. */
export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** The tokens there are, each in words. They are sent as `Authorization: Bearer`. */
  readonly tokens: Readonly<Record<string, string>>;
  /** With which of these tokens a route may be asked for; null for none. */
  readonly tokensFor: (route: Route) => readonly (string | null)[];
  /** Schemas that the document names rather than repeats. */
  readonly schemas: Readonly<Record<string, z.ZodMiniType>>;
}

/** The problems that any request can meet, and those that any change can. */
const READ_PROBLEMS = [HTTP_PROBLEMS.malformed, HTTP_PROBLEMS.forbidden, HTTP_PROBLEMS.invalid, HTTP_PROBLEMS.internal];
const CHANGE_PROBLEMS = [...READ_PROBLEMS, HTTP_PROBLEMS.unauthorized, HTTP_PROBLEMS['too-large'], HTTP_PROBLEMS['unsupported-media-type']];

/** The interface as an OpenAPI 3.1 document, made from the same routes and schemas that serve it. */
export function openapiDocument(routes: readonly Route[], api: ApiDescription): Json {
  const { title, version, description, tokens, schemas } = api;
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route, api);
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: namedSchemas(schemas),
      securitySchemes: mapValues(tokens, (text) => ({ type: 'http', scheme: 'bearer', description: text })),
    },
  };
}

function operation(route: Route, { schemas, tokensFor }: ApiDescription): Json {
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = describeAnswer(answer, schemas);
  const common = route.method === 'get' ? READ_PROBLEMS : CHANGE_PROBLEMS;
  for (const [status, sameStatus] of groupByStatus(route.protocol === undefined ? [...common, ...(route.problems ?? [])] : [])) {
    responses[String(status)] ??= {
      description: sameStatus.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' '),
      content: { 'application/problem+json': { schema: reference('Problem') } },
    };
  }
  const tokens = tokensFor(route);
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: parametersOf(route),
    ...requestBody(route),
    responses,
    security: tokens.some((each) => each !== null) ? tokens.map((each) => (each === null ? {} : { [each]: [] })) : [],
  };
}

function parametersOf({ pathParameters = {}, headers = {}, parameters, protocol }: Route): Json[] {
  // What the body of another's protocol has is nested, so that a query cannot say it.
  const inQuery = protocol === undefined ? Object.entries(propertiesOf(toJsonSchema(parameters))) : [];
  return [
    ...Object.entries(pathParameters).map(([name, schema]) => ({ name, in: 'path', required: true, schema: toJsonSchema(schema) })),
    ...inQuery.map(([name, schema]) => ({ name, in: 'query', schema: asText(schema) })),
    ...Object.entries(headers).map(([name, header]) => describeHeader(name, header)),
  ];
}

function describeHeader(name: string, { description, isRequired = false, pattern }: HeaderDescription): Json {
  return {
    name,
    in: 'header',
    ...(isRequired ? { required: true } : {}),
    description,
    schema: { type: 'string', ...(pattern === undefined ? {} : { pattern: pattern.source }) },
  };
}

/** Nothing where there is none. It may be left out where the query can say the same. */
function requestBody({ method, parameters, protocol }: Route): Json {
  const schema = toJsonSchema(parameters);
  const properties = propertiesOf(schema);
  if (method === 'get' || Object.keys(properties).length === 0) return {};
  if (protocol !== undefined) return { requestBody: { required: true, content: { 'application/json': { schema } } } };
  const form = { ...schema, properties: mapValues(properties, asText) };
  return { requestBody: { content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema: form } } } };
}

/** How a value looks where everything is text: in a query or a form. */
function asText(schema: Json): Json {
  const { anyOf, ...rest } = schema;
  const text = (anyOf as Json[] | undefined)?.find(({ type }) => type === 'string');
  return text === undefined ? schema : { ...rest, ...text };
}

function describeAnswer({ description, contentType = 'application/json', schema, headers = {}, links = {} }: AnswerDescription, schemas: ApiDescription['schemas']): Json {
  const name = Object.keys(schemas).find((each) => schemas[each] === schema);
  const isText = schema === undefined && contentType.startsWith('text/');
  const shown = isText ? { type: 'string' } : name === undefined ? { type: 'object' } : reference(name);
  return {
    description,
    ...(schema === undefined && !isText ? {} : { content: { [contentType]: { schema: shown } } }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: mapValues(headers, (text) => ({ description: text, schema: { type: 'string' } })) }),
    ...(Object.keys(links).length === 0 ? {} : { links }),
  };
}

/** The schemas of answers, which refer to each other by name. */
function namedSchemas(schemas: ApiDescription['schemas']): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(schemas)) registry.add(schema, { id: name });
  const { schemas: made } = z.toJSONSchema(registry, { io: 'output', target: 'draft-2020-12', uri: (name) => reference(name).$ref });
  return mapValues(made, withoutDialect);
}

function reference(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

function toJsonSchema(schema: z.ZodMiniType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' }));
}

/** The dialect is OpenAPI 3.1's own, and a schema is known by its place in the document. */
function withoutDialect(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}

function propertiesOf(schema: Json): Record<string, Json> {
  return (schema['properties'] ?? {}) as Record<string, Json>;
}

function mapValues<V, W>(object: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

function groupByStatus(problems: readonly Problem[]): Map<number, Problem[]> {
  const byStatus = new Map<number, Problem[]>();
  for (const problem of problems) byStatus.set(problem.status, [...(byStatus.get(problem.status) ?? []), problem]);
  return byStatus;
}
