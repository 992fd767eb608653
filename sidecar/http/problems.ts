import { defineProblems, HTTP_PROBLEMS } from '../../server/http/problem';
import { REFUSALS } from '../leases/refusal-codes';

/** Every kind of problem that the sidecar reports. */
export const PROBLEMS = {
  ...HTTP_PROBLEMS,
  ...defineProblems({
    'lease-not-found': { status: 404, title: 'Lease not found' },
    'lease-ended': { status: 410, title: 'The lease has ended' },
    'supervisor-unavailable': { status: 503, title: 'The Supervisor cannot be asked' },
    ...REFUSALS,
  }),
};

export type ProblemCode = keyof typeof PROBLEMS;
