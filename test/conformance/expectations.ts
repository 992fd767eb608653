import type { Answer } from '../support/http';
import { expectSchema } from '../support/openapi';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What every answer carries, whatever it says. */
export function expectSecurityHeaders(headers: Headers): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(headers['x-powered-by']).toBeUndefined();
  expect(headers['access-control-allow-origin']).toBeUndefined();
}

/** The answer is this problem, complete and consistent. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expectWholeProblem(answer.status, answer.headers, answer.body);
}

/** Any problem: RFC 9457, with a title and a detail for people. */
export function expectWholeProblem(status: number, headers: Headers, body: Record<string, unknown>): void {
  expect(headers['content-type']).toMatch(/^application\/problem\+json\b/);
  expectSchema({ $ref: '#/components/schemas/Problem' }, body, 'problem');
  expect(body).toMatchObject({ status, type: `urn:update-lock:${String(body['code'])}` });
  expect(body['title']).toMatch(/\w/);
  expect(body['detail']).toMatch(/\w/);
  expectSecurityHeaders(headers);
}
