import Ajv2020 from 'ajv/dist/2020';
import { exchange } from '../support/http';
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

test('reading needs no token, and every change names the tokens with which it may be asked for', () => {
  const { securitySchemes } = document.components;
  for (const { method, operation } of operations()) {
    const names = (operation.security as object[]).flatMap((each) => Object.keys(each));
    expect([operation.operationId, names.length === 0]).toEqual([operation.operationId, method === 'get']);
    for (const name of names) expect(securitySchemes[name]).toMatchObject({ type: 'http', scheme: 'bearer' });
  }
});

test('the sidecar asks for those tokens, and for no others', async () => {
  const [apiToken, adminToken] = ['api-token', 'admin-token'];
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: apiToken, UPDATE_LOCK_ADMIN_TOKEN: adminToken } });
  const tokens: Record<string, string> = { apiToken, adminToken };
  for (const { method, path, operation } of operations().filter((each) => each.method !== 'get')) {
    for (const [name, token] of Object.entries(tokens)) {
      const isAllowed = (operation.security as object[]).some((each) => name in each);
      // A parameter that is not known, so that nothing happens where it is allowed.
      const { status } = await exchange(sidecar.tcpTarget, method, `${path.replace('{name}', 'a')}?x=1`, { headers: { Authorization: `Bearer ${token}` } });
      expect([operation.operationId, name, status]).toEqual([operation.operationId, name, isAllowed ? 422 : 403]);
    }
    expect((await exchange(sidecar.tcpTarget, method, path.replace('{name}', 'a'))).status).toBe(401);
  }
});

test('every link leads to an operation, and gives it parameters that it has', () => {
  const links = findAll('links').flatMap((each) => Object.values(each as Record<string, any>));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    const target = operations().find(({ operation }) => operation.operationId === link.operationId);
    const known = (target?.operation.parameters as any[]).map(({ name }) => name as string);
    expect(known).toEqual(expect.arrayContaining(Object.keys(link.parameters as object)));
  }
});

test('says of every time that it is one, and of each what it means', () => {
  const { Lease, Override } = document.components.schemas;
  const time = { type: 'string', format: 'date-time' };
  expect(Lease.properties).toMatchObject({ since: time, expires: { anyOf: [time, { type: 'null' }] } });
  expect(Override.properties.until).toMatchObject(time);
  expect(Override.properties.until.description).not.toBe(Override.properties.since.description);
});

test('tells the limits that are set', () => {
  const put = document.paths['/v1/leases/{name}'].put;
  const ttl = (put.parameters as any[]).find(({ name, in: where }) => name === 'ttl' && where === 'query');
  expect(JSON.stringify(ttl)).toContain('2h');
  expect(JSON.stringify(ttl)).toContain('7m');
  expect(Object.keys(put.requestBody.content as object).sort()).toEqual(['application/json', 'application/x-www-form-urlencoded']);
  expect(put.responses['201'].headers).toHaveProperty('Location');
});
