import type { Refusal } from '../leases/refusal';
import type { Call } from './call';
import type { ProblemDetails } from './problem';
import type { Views } from './views';

/** Answers with the keeper's no. */
export function refuse(call: Call, views: Views, { code, detail, holder, retryAfterMs, ended }: Refusal): void {
  const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000));
  const lease = ended === undefined ? undefined : views.endedLease(ended);
  const details: ProblemDetails = {
    ...(holder === undefined ? {} : { holder }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(lease === undefined ? {} : { ended: lease.ended, lease }),
  };
  call.problem(code, detail, details, retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)]);
}
