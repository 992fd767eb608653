import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import type { IncomingHttpHeaders } from 'node:http';
import { openapiDocument } from '../../server/http/openapi';
import { apiDescription } from '../../sidecar/http/api-description';
import { routeTable } from '../../sidecar/http/route-table';

/* eslint-disable @typescript-eslint/no-explicit-any */

const limits = { minTtlMs: 1000, defaultTtlMs: 300_000, maxTtlMs: 86_400_000 };

/** The document, made as the sidecar makes it. */
export const document: any = openapiDocument(routeTable({ limits } as any), apiDescription('test'));

interface CheckedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
}

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Checks answers and schemas against one OpenAPI document. */
export class Conformance {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: any) {
    addFormats(this.#ajv);
    this.#ajv.addSchema({ $id: 'openapi', components: document.components });
  }

  /** Fails unless the document allows this answer to that request: its status, its type and its body. */
  expectConforming(method: string, url: string, answer: CheckedAnswer): void {
    const path = url.split('?')[0] ?? '';
    const [template, operations] = Object.entries<any>(this.document.paths).find(([each]) => new RegExp(`^${each.replace(/\{\w+\}/g, '[^/]+')}$`).test(path)) ?? [];
    const operation = operations?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
    // What no operation is for is always a problem.
    const response = operation === undefined ? undefined : operation.responses[String(answer.status)];
    if (operation !== undefined && response === undefined) {
      throw new Error(`${method} ${String(template)} answered ${String(answer.status)}, which is not in the document: ${answer.text}`);
    }
    const expected: Record<string, any> = response === undefined ? PROBLEM : (response.content ?? {});
    const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? '';
    if (Object.keys(expected).length === 0) {
      if (answer.text !== '') throw new Error(`${method} ${url} answered ${String(answer.status)} with a body: ${answer.text}`);
      return;
    }
    const content = expected[type];
    if (content === undefined) throw new Error(`${method} ${url} answered ${String(answer.status)} as ${type}, not ${Object.keys(expected).join(', ')}`);
    if (!type.includes('json') || method === 'HEAD') return;
    for (const body of type.includes('ndjson') ? answer.text.trim().split('\n').map((line) => JSON.parse(line) as unknown) : [answer.body]) {
      this.expectSchema(content.schema, body, `${method} ${url}`);
    }
  }

  expectSchema(schema: { $ref?: string }, body: unknown, what: string): void {
    const reference = schema.$ref === undefined ? undefined : `openapi${schema.$ref}`;
    const key = reference ?? JSON.stringify(schema);
    const validate = this.#validators.get(key) ?? this.#ajv.compile(reference === undefined ? schema : { $ref: reference });
    this.#validators.set(key, validate);
    if (!validate(body)) throw new Error(`${what}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }
}

const ofSidecar = new Conformance(document);

export const expectConforming = ofSidecar.expectConforming.bind(ofSidecar);
export const expectSchema = ofSidecar.expectSchema.bind(ofSidecar);
