import { REFUSALS } from '../leases/refusal';

/** The kinds of problem, each with its status and title: RFC 9457, `application/problem+json`. */
export const PROBLEMS = {
  malformed: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'lease-not-found': { status: 404, title: 'Lease not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'lease-ended': { status: 410, title: 'The lease has ended' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported type of body' },
  invalid: { status: 422, title: 'A parameter is wrong' },
  internal: { status: 500, title: 'Internal error' },
  'supervisor-unavailable': { status: 503, title: 'The Supervisor cannot be asked' },
  ...REFUSALS,
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One parameter that is wrong. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** What a problem says beside its kind; only what says something is there. */
export interface ProblemDetails {
  readonly holder?: string;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  readonly ended?: unknown;
  readonly lease?: unknown;
}

export function problemBody(code: ProblemCode, detail: string, details: ProblemDetails = {}): Record<string, unknown> {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:update-lock:${code}`, title, status, detail, code, ...details };
}
