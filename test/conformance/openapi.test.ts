import Ajv2020 from 'ajv/dist/2020';
import { Sidecar } from '../support/sidecar';
import { PROBLEMS } from '../../sidecar/http/problems';

/* eslint-disable @typescript-eslint/no-explicit-any */

const METHODS = ['get', 'put', 'post', 'delete'];
let document: any;
beforeAll(async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_TTL: '2h', UPDATE_LOCK_DEFAULT_TTL: '7m' } });
  document = (await sidecar.send('GET', '/openapi.json')).body;
});
afterAll(() => Sidecar.cleanUp());

interface Operation { readonly method: string; readonly path: string; readonly operation: any }

const operations = (): Operation[] =>
  Object.entries<any>(document.paths).flatMap(([path, item]) => Object.entries<any>(item).map(([method, operation]) => ({ method, path, operation })));

/** Every value of that key, wherever in the document. */
function findAll(key: string, node: unknown = document): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([each, value]) => [...(each === key ? [value] : []), ...findAll(key, value)]);
}

test('is OpenAPI 3.1 with a title, a version and a license', () => {
  expect(document.openapi).toMatch(/^3\.1\.\d$/);
  expect(document.info).toMatchObject({ title: 'update-lock', version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string, license: { identifier: 'Apache-2.0' } });
  expect(Object.keys(document as object).sort()).toEqual(['components', 'info', 'openapi', 'paths', 'servers']);
});

test('every path has only operations, each with an identifier of its own, a summary and responses', () => {
  for (const { method, path, operation } of operations()) {
    expect(METHODS).toContain(method);
    expect(path).toMatch(/^\//);
    expect(operation.operationId).toMatch(/^[a-z]+[A-Z]\w+$/);
    expect(operation.summary).toMatch(/\.$/);
    for (const [status, response] of Object.entries<any>(operation.responses)) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect(response.description).toMatch(/\w/);
    }
  }
  const ids = operations().map(({ operation }) => operation.operationId as string);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference resolves, and every named schema is used', () => {
  const references = findAll('$ref') as string[];
  expect(references.length).toBeGreaterThan(10);
  for (const reference of references) {
    const target = reference.replace(/^#\//, '').split('/').reduce<any>((node, key) => node?.[key], document);
    expect([reference, typeof target]).toEqual([reference, 'object']);
  }
  for (const name of Object.keys(document.components.schemas as object)) expect(references).toContain(`#/components/schemas/${name}`);
});

test('every parameter of a path is declared, and none twice', () => {
  for (const { path, operation } of operations()) {
    const declared = (operation.parameters as any[]).map(({ in: where, name }) => `${String(where)} ${String(name)}`);
    expect(new Set(declared).size).toBe(declared.length);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${String(name)}`);
    expect(declared.filter((each) => each.startsWith('path '))).toEqual(inPath);
    for (const parameter of operation.parameters as any[]) {
      if (parameter.in === 'path') expect(parameter.required).toBe(true);
      expect(parameter.schema).toBeInstanceOf(Object);
    }
  }
});

test('every schema is one of JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ strict: false });
  for (const schema of findAll('schema')) expect(ajv.validateSchema(schema as object)).toBe(true);
  for (const schema of Object.values<any>(document.components.schemas)) expect(ajv.validateSchema(schema)).toBe(true);
});

test('every problem is of the type that the interface promises, and says which codes it may have', () => {
  for (const { operation } of operations()) {
    for (const [status, response] of Object.entries<any>(operation.responses)) {
      if (response.content?.['application/problem+json'] === undefined) continue;
      expect(response.content['application/problem+json'].schema).toEqual({ $ref: '#/components/schemas/Problem' });
      const codes = Object.entries(PROBLEMS).filter(([, problem]) => String(problem.status) === status).map(([code]) => code);
      expect(codes.some((code) => (response.description as string).includes(`\`${code}\``))).toBe(true);
    }
  }
});

test('changes name the token, and reading needs none', () => {
  for (const { method, operation } of operations()) {
    expect(operation.security === undefined).toBe(method === 'get');
    for (const requirement of operation.security ?? []) for (const name of Object.keys(requirement as object)) expect(document.components.securitySchemes).toHaveProperty(name);
  }
});

test('tells the limits that are set', () => {
  const put = document.paths['/v1/leases/{name}'].put;
  const ttl = (put.parameters as any[]).find(({ name, in: where }) => name === 'ttl' && where === 'query');
  expect(JSON.stringify(ttl)).toContain('2h');
  expect(JSON.stringify(ttl)).toContain('7m');
  expect(Object.keys(put.requestBody.content as object).sort()).toEqual(['application/json', 'application/x-www-form-urlencoded']);
  expect(put.responses['201'].headers).toHaveProperty('Location');
});
