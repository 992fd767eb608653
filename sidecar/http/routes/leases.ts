import type { Keeper } from '../../keeper/keeper';
import type { AcquireRequest, Outcome } from '../../leases/request';
import type { Call } from '../call';
import { onGone, setExclusive } from '../peers';
import { refuse } from '../refuse';
import { route, type Route } from '../route';
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
import type { Views } from '../views';

/** Refusals that any request for a lease may meet. */
export const ACQUIRE_PROBLEMS = [
  'malformed', 'unauthorized', 'forbidden', 'name-in-use', 'too-large', 'unsupported-media-type', 'invalid',
  'updating', 'foreign-lock', 'cooldown', 'draining', 'too-many-leases', 'cannot-lock', 'stopping',
] as const;

export function leaseRoutes(keeper: Keeper, views: Views, limits: TtlLimits): Route[] {
  return [
    route({
      method: 'put',
      path: '/v1/leases/{name}',
      operationId: 'acquireLease',
      summary: 'Acquire a lease, or renew a live one. When it is answered, the lock is on disk.',
      name: leaseName,
      headers: { 'If-None-Match': '`*`: only if the lease is new', 'If-Match': '`*`: only renew a live lease' },
      parameters: acquireParameters(limits),
      answers: {
        200: { description: 'The live lease was renewed.', schema: lease },
        201: {
          description: 'The lease is new.',
          schema: lease,
          headers: { Location: 'The path of the lease.' },
        },
      },
      problems: [...ACQUIRE_PROBLEMS, 'precondition-failed'],
      handle: (call, { ttl, reason, wait }) => {
        const only = readPreconditions(call);
        if (only === null) return;
        const request: AcquireRequest = { name: call.name, kind: 'timed', ttlMs: ttl, reason, peer: call.peer, only };
        acquire(keeper, call, request, wait, ({ lease: granted, isNew }) => {
          if (isNew) call.json(201, views.lease(granted), ['Location', `/v1/leases/${granted.name}`]);
          else call.json(200, views.lease(granted));
        });
      },
    }),
    route({
      method: 'get',
      path: '/v1/leases/{name}',
      operationId: 'getLease',
      summary: 'One lease; if it ended within the last hour, how.',
      name: readableName,
      parameters: noParameters,
      answers: { 200: { description: 'The live lease.', schema: lease } },
      problems: ['malformed', 'forbidden', 'lease-not-found', 'lease-ended', 'invalid', 'cannot-lock', 'stopping'],
      handle: (call) => {
        const live = keeper.get(call.name);
        if (live !== undefined) {
          call.json(200, views.lease(live));
          return;
        }
        const ended = keeper.getEnded(call.name);
        const unknown = ended === undefined ? keeper.whyNotKnown(call.name) : null;
        if (unknown !== null) {
          refuse(call, unknown);
          return;
        }
        if (ended === undefined) {
          call.problem('lease-not-found', `There is no lease ${call.name}, and none has ended within the last hour.`);
          return;
        }
        const view = views.endedLease(ended);
        const detail = `The lease ${call.name} ended at ${view.ended.at}: ${view.ended.reason}.`;
        call.problem('lease-ended', detail, { ended: view.ended, lease: view });
      },
    }),
    route({
      method: 'get',
      path: '/v1/leases',
      operationId: 'listLeases',
      summary: 'Every live lease, oldest first.',
      parameters: noParameters,
      answers: { 200: { description: 'The live leases.', schema: leaseList } },
      problems: ['malformed', 'forbidden', 'invalid'],
      handle: (call) => {
        call.json(200, { leases: views.leases(keeper.leases()) });
      },
    }),
    route({
      method: 'delete',
      path: '/v1/leases/{name}',
      operationId: 'releaseLease',
      summary: 'Release a lease. When the last one is released, the lock is given back before the answer.',
      name: leaseName,
      parameters: noParameters,
      answers: {
        200: { description: 'The lease as it was.', schema: endedLease },
        204: { description: 'There was none of that name.' },
      },
      problems: ['malformed', 'unauthorized', 'forbidden', 'too-large', 'unsupported-media-type', 'invalid', 'cannot-lock', 'stopping'],
      handle: (call) => {
        const ended = keeper.end(call.name, 'released');
        const unknown = ended === undefined ? keeper.whyNotKnown(call.name) : null;
        if (ended !== undefined) call.json(200, views.endedLease(ended));
        else if (unknown !== null) refuse(call, unknown);
        else call.noContent();
      },
    }),
  ];
}

/** Asks the keeper, waits as long as the client wants and is there, and answers if it is no. */
export function acquire(
  keeper: Keeper,
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
    else refuse(call, outcome.refusal);
  });
  if (drop === null) return;
  const stopListening = onGone(socket, drop);
  setExclusive(socket, true);
  waiting.end = () => {
    stopListening();
    setExclusive(socket, false);
  };
}

/** What the preconditions ask for; null if they were answered, being such as cannot be met or understood. */
function readPreconditions(call: Call): AcquireRequest['only'] | null {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = call.request.headers;
  for (const [field, value] of [['If-Match', ifMatch], ['If-None-Match', ifNoneMatch]] as const) {
    if (value === undefined || value.trim() === '*') continue;
    const message = `${JSON.stringify(value)} is not supported; only * is`;
    call.problem('invalid', `${field}: ${message}.`, { errors: [{ field, message }] });
    return null;
  }
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    call.problem('precondition-failed', 'No lease is both new and live: give If-Match or If-None-Match, not both.');
    return null;
  }
  if (ifMatch !== undefined) return 'renewal';
  return ifNoneMatch === undefined ? undefined : 'new';
}
