/** The kinds of problem, each with its status and title: RFC 9457, `application/problem+json`. */
export const PROBLEMS = {
  malformed: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'lease-not-found': { status: 404, title: 'There is no such lease' },
  'method-not-allowed': { status: 405, title: 'This method is not for this resource' },
  'name-in-use': { status: 409, title: 'The name is in use' },
  'lease-ended': { status: 410, title: 'The lease has ended' },
  'precondition-failed': { status: 412, title: 'The precondition does not hold' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'This type of body is not understood' },
  invalid: { status: 422, title: 'A parameter is wrong' },
  updating: { status: 423, title: 'An update is being applied' },
  'foreign-lock': { status: 423, title: 'Somebody else holds the lock' },
  cooldown: { status: 423, title: 'The lock was just lost' },
  draining: { status: 423, title: 'An update has waited long enough' },
  'too-many-leases': { status: 429, title: 'There are too many leases' },
  internal: { status: 500, title: 'Something went wrong in the sidecar' },
  'cannot-lock': { status: 503, title: 'The lock cannot be taken' },
  'supervisor-unavailable': { status: 503, title: 'The Supervisor cannot be asked' },
  stopping: { status: 503, title: 'The sidecar is stopping' },
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
