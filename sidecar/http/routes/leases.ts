import type { Keeper } from '../../keeper/keeper';
import type { ProblemDetails } from '../../../server/http/problem';
import { REFUSAL_CODES, type Refusal } from '../../leases/refusal-codes';
import type { AcquireRequest, Outcome } from '../../leases/request';
import { JSON_TYPE, type Call } from '../../../server/http/call';
import { oncePerTurn } from '../../../server/http/once-per-turn';
import { onGone } from '../../../server/http/peers';
import { etagOf, IF_MATCH, IF_NONE_MATCH, readPrecondition } from '../preconditions';
import { PROBLEMS } from '../problems';
import { route, type Route } from '../../../server/http/route';
import {
  acquireParameters,
  DEFAULT_WAIT_MS,
  endedLease,
  lease,
  leaseList,
  leaseName,
  noParameters,
  readableName,
  type TtlLimits,
} from '../schemas';
import { quote } from '../../../server/text';
import type { Views } from '../views';

/** For the answers that carry one lease. */
export const ETAG = { ETag: 'The id of the lease, in double quotation marks.' };

const NAMED = { name: '$request.path.name' };
const THIS_ONE = { ...NAMED, 'If-Match': '$response.header.ETag' };

/** For the answers that grant a lease by name. */
const LEASE_LINKS = {
  lease: { operationId: 'getLease', description: 'The lease as it is then.', parameters: NAMED },
  renew: { operationId: 'acquireLease', description: 'Renews this very lease.', parameters: THIS_ONE },
  release: { operationId: 'releaseLease', description: 'Releases this very lease.', parameters: THIS_ONE },
};

/** Refusals that any request for a lease may meet. */
export const ACQUIRE_PROBLEMS = REFUSAL_CODES.map((code) => PROBLEMS[code]);

export function leaseRoutes(keeper: Keeper, views: Views, limits: TtlLimits): Route[] {
  const listBytes = oncePerTurn(() => Buffer.from(`${JSON.stringify({ leases: views.leases(keeper.leases()) })}\n`));
  return [
    route({
      method: 'put',
      path: '/v1/leases/{name}',
      operationId: 'acquireLease',
      summary: 'Acquire a lease, or renew a live one. When the answer arrives, the lock is on disk.',
      pathParameters: { name: leaseName },
      headers: { 'If-None-Match': IF_NONE_MATCH, 'If-Match': IF_MATCH },
      parameters: acquireParameters(limits),
      answers: {
        200: { description: 'The live lease was renewed.', schema: lease, headers: ETAG, links: LEASE_LINKS },
        201: {
          description: 'The lease is new.',
          schema: lease,
          headers: { Location: 'The path of the lease.', ...ETAG },
          links: LEASE_LINKS,
        },
      },
      problems: ACQUIRE_PROBLEMS,
      handle: (call, { ttl, reason, wait }) => {
        const precondition = readPrecondition(call);
        if (precondition === 'answered') return;
        const { only } = precondition;
        const request: AcquireRequest = { name: call.pathParameter('name'), kind: 'timed', ttlMs: ttl, reason, peer: call.peer, only };
        acquire(keeper, views, call, request, wait, ({ lease: granted, isNew }) => {
          const etag = ['ETag', etagOf(granted)];
          if (isNew) call.json(201, views.lease(granted), ['Location', `/v1/leases/${granted.name}`, ...etag]);
          else call.json(200, views.lease(granted), etag);
        });
      },
    }),
    route({
      method: 'get',
      path: '/v1/leases/{name}',
      operationId: 'getLease',
      summary: 'Show a lease. If it ended within the last hour, the answer is 410 and says how.',
      pathParameters: { name: readableName },
      parameters: noParameters,
      answers: { 200: { description: 'The live lease.', schema: lease, headers: ETAG, links: LEASE_LINKS } },
      problems: [PROBLEMS['lease-not-found'], PROBLEMS['lease-ended'], PROBLEMS['cannot-lock'], PROBLEMS.stopping],
      handle: (call) => {
        const live = keeper.get(call.pathParameter('name'));
        if (live !== undefined) {
          call.json(200, views.lease(live), ['ETag', etagOf(live)]);
          return;
        }
        const ended = keeper.getEnded(call.pathParameter('name'));
        const unknown = ended === undefined ? keeper.whyNotKnown() : null;
        if (unknown !== null) {
          refuse(call, views, unknown);
          return;
        }
        if (ended === undefined) {
          call.problem(PROBLEMS['lease-not-found'], `There is no lease ${quote(call.pathParameter('name'))}, and none has ended within the last hour.`);
          return;
        }
        const view = views.endedLease(ended);
        const detail = `The lease ${quote(call.pathParameter('name'))} ended at ${view.ended.at}: ${view.ended.reason}.`;
        call.problem(PROBLEMS['lease-ended'], detail, { ended: view.ended, lease: view });
      },
    }),
    route({
      method: 'get',
      path: '/v1/leases',
      operationId: 'listLeases',
      summary: 'List the live leases, oldest first.',
      parameters: noParameters,
      answers: { 200: { description: 'The live leases.', schema: leaseList } },
      handle: (call) => {
        call.bytes(200, JSON_TYPE, listBytes());
      },
    }),
    route({
      method: 'delete',
      path: '/v1/leases/{name}',
      operationId: 'releaseLease',
      summary: 'Release a lease. When the last one is released, the lock is given back before the answer.',
      pathParameters: { name: leaseName },
      headers: { 'If-Match': IF_MATCH },
      parameters: noParameters,
      answers: {
        200: { description: 'The lease as it was.', schema: endedLease, headers: ETAG },
        204: { description: 'There was no such lease. With `If-Match`: that lease has ended, and no other has its name.' },
      },
      problems: [PROBLEMS['precondition-failed'], PROBLEMS['cannot-lock'], PROBLEMS.stopping],
      handle: (call) => {
        const precondition = readPrecondition(call);
        if (precondition === 'answered') return;
        const released = keeper.release(call.pathParameter('name'), precondition.only);
        switch (released.kind) {
          case 'ended':
            call.json(200, views.endedLease(released.lease), ['ETag', etagOf(released.lease)]);
            return;
          case 'none':
            call.noContent();
            return;
          case 'refused':
            refuse(call, views, released.refusal);
        }
      },
    }),
  ];
}

/** Asks the keeper, waits as long as the client wants and is there, and answers if it is no. */
export function acquire(
  keeper: Keeper,
  views: Views,
  call: Call,
  request: AcquireRequest,
  waitMs: number | undefined,
  onGranted: (outcome: Extract<Outcome, { kind: 'granted' }>) => void,
): void {
  const { socket } = call.request;
  const waiting = { end: (): void => undefined };
  const drop = keeper.acquireWithin(request, waitMs ?? DEFAULT_WAIT_MS, (outcome) => {
    waiting.end();
    if (outcome.kind === 'granted') onGranted(outcome);
    else refuse(call, views, outcome.refusal);
  });
  if (drop === null) return;
  waiting.end = onGone(socket, drop);
}

/** Answers that a lease was refused. */
function refuse(call: Call, views: Views, { code, detail, holder, retryAfterMs, ended }: Refusal): void {
  const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000));
  const lease = ended === undefined ? undefined : views.endedLease(ended);
  const details: ProblemDetails = {
    ...(holder === undefined ? {} : { holder }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(lease === undefined ? {} : { ended: lease.ended, lease }),
  };
  call.problem(PROBLEMS[code], detail, details, retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)]);
}
