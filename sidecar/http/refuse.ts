import type { Refusal } from '../leases/request';
import type { Call } from './call';

/** Answers with the keeper's no. */
export function refuse(call: Call, { code, detail, holder, retryAfterMs }: Refusal): void {
  const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000));
  call.problem(
    code,
    detail,
    { ...(holder === undefined ? {} : { holder }), ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
    retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)],
  );
}
