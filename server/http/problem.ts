/** One kind of problem that an answer can report: RFC 9457, `application/problem+json`. */
export interface Problem<Code extends string = string> {
  readonly code: Code;
  readonly status: number;
  readonly title: string;
}

/** Makes a table of problems by their codes, each of which knows its own. */
export function defineProblems<const Rows extends Readonly<Record<string, { readonly status: number; readonly title: string }>>>(
  rows: Rows,
): { readonly [Code in keyof Rows & string]: Problem<Code> } {
  const problems = Object.entries(rows).map(([code, { status, title }]) => [code, { code, status, title }]);
  return Object.fromEntries(problems) as { readonly [Code in keyof Rows & string]: Problem<Code> };
}

/** The problems of any HTTP server. */
export const HTTP_PROBLEMS = defineProblems({
  malformed: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported type of body' },
  invalid: { status: 422, title: 'A parameter is wrong' },
  internal: { status: 500, title: 'Internal error' },
});

/** One parameter that is wrong. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** The members of a problem beside those of every problem. */
export type ProblemDetails = Readonly<Record<string, unknown>>;

/** The body of an answer that reports a problem. */
export function problemBody({ code, title, status }: Problem, detail: string, details: ProblemDetails = {}): Record<string, unknown> {
  return { type: `urn:update-lock:${code}`, title, status, detail, code, ...details };
}
