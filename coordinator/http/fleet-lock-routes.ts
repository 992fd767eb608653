import type { Call } from '../../server/http/call';
import { HTTP_PROBLEMS, type Problem } from '../../server/http/problem';
import { route, type AnswerDescription, type ForeignProtocol, type Route } from '../../server/http/route';
import type { Coordinator } from '../coordinator';
import type { Device, Refusal } from '../groups';
import type { Access } from './access';
import { answerLater, type Failures } from './answer-later';
import { ID_PATTERN } from '../config/device-id';
import { fleetLockError, fleetLockRequest, PROBLEMS, type FleetLockKind } from './schemas';

/** FleetLock v1, as zincati asks for it (its `src/fleet_lock/mod.rs`) and airlock answers it (its `internal/server/`). */
const KINDS: Readonly<Record<string, readonly [status: number, kind: FleetLockKind]>> = {
  [HTTP_PROBLEMS.unauthorized.code]: [401, 'unauthorized'],
  [HTTP_PROBLEMS.forbidden.code]: [403, 'forbidden'],
  [HTTP_PROBLEMS.internal.code]: [500, 'internal'],
  [PROBLEMS['store-unavailable'].code]: [503, 'store_unavailable'],
};

const FLEET_LOCK: ForeignProtocol = {
  // Whatever is wrong with a request is one kind of error there.
  error: ({ code }: Problem, detail: string) => {
    const [status, kind] = KINDS[code] ?? [400, 'bad_request'];
    return { status, body: fleetLockErrorBody(kind, detail) };
  },
};

const WHY_REFUSED: Readonly<Record<Refusal, string>> = {
  all_slots_full: 'as many devices as may update at once have their turn',
  paused: 'the group is paused',
  not_your_turn: 'other devices have asked before',
  other_instance: 'another device has a turn under this id; two devices must not have the same id',
};

const ANSWERS: Readonly<Record<number, AnswerDescription>> = {
  400: { description: '`bad_request`.', schema: fleetLockError },
  401: { description: '`unauthorized`.', schema: fleetLockError, headers: { 'WWW-Authenticate': 'Bearer' } },
  403: { description: '`forbidden`: sent by a page of another site.', schema: fleetLockError },
  404: { description: '`unknown_group`.', schema: fleetLockError },
  500: { description: '`internal`.', schema: fleetLockError },
  503: { description: '`store_unavailable`: the outcome is not known; ask again.', schema: fleetLockError },
};

const HEADERS = {
  'fleet-lock-protocol': { description: '`true`.', isRequired: true, pattern: /^true$/ },
  'Update-Lock-Instance': { description: 'Tells two devices with one id apart; not part of FleetLock.', pattern: /^\S+$/ },
};

/** What devices ask: a turn, and that it is taken back. */
export function fleetLockRoutes(coordinator: Coordinator, access: Access, failures: Failures): Route[] {
  const answer = (call: Call, parameters: { client_params: { id: string; group: string } }, act: (group: string, device: Device) => Promise<void>): void => {
    const device = readDevice(call, parameters.client_params, access);
    if (device !== null) answerLater(call, failures, () => act(parameters.client_params.group, device));
  };
  return [
    route({
      method: 'post',
      path: '/v1/pre-reboot',
      operationId: 'askForTurn',
      summary: 'A device asks for a turn, or whether it still has it.',
      headers: HEADERS,
      parameters: fleetLockRequest,
      protocol: FLEET_LOCK,
      answers: {
        200: { description: 'The device has a turn.' },
        423: { description: 'It has none: `all_slots_full`, `paused`, `not_your_turn` or `other_instance`.', schema: fleetLockError, headers: { 'Retry-After': 'In seconds.' } },
        ...ANSWERS,
      },
      handle: (call, parameters) => {
        answer(call, parameters, async (group, device) => {
          const decision = await coordinator.ask(group, device);
          if (decision === null) answerUnknownGroup(call, group);
          else if (decision.kind !== 'refused') answerDone(call);
          else call.json(423, fleetLockErrorBody(decision.code, WHY_REFUSED[decision.code]), ['Retry-After', String(decision.retryAfterMs / 1000)]);
        });
      },
    }),
    route({
      method: 'post',
      path: '/v1/steady-state',
      operationId: 'giveTurnBack',
      summary: 'A device is well, and needs no turn: its turn, or its place in the queue, is taken back.',
      headers: HEADERS,
      parameters: fleetLockRequest,
      protocol: FLEET_LOCK,
      answers: { 200: { description: 'It has no turn now.' }, ...ANSWERS },
      handle: (call, parameters) => {
        answer(call, parameters, async (group, device) => {
          if ((await coordinator.giveBack(group, device)) === null) answerUnknownGroup(call, group);
          else answerDone(call);
        });
      },
    }),
  ];
}

/** The device that asks; null if the call has been answered. */
function readDevice(call: Call, { id }: { readonly id: string }, access: Access): Device | null {
  const { 'fleet-lock-protocol': protocol, 'update-lock-instance': instance = null } = call.request.headers;
  if (protocol !== 'true') {
    call.problem(PROBLEMS.malformed, 'The header "fleet-lock-protocol: true" is missing.');
    return null;
  }
  if (!access.maySpeakFor(call, id)) {
    call.problem(PROBLEMS.unauthorized, `A token that may speak for ${JSON.stringify(id)} is needed, as "Authorization: Bearer".`, {}, ['WWW-Authenticate', 'Bearer realm="update-lock"']);
    return null;
  }
  if (instance !== null && (typeof instance !== 'string' || !ID_PATTERN.test(instance))) {
    call.problem(PROBLEMS.malformed, 'Update-Lock-Instance is longer than 128 characters, or has others than visible ones.');
    return null;
  }
  return { id, instance };
}

function answerUnknownGroup(call: Call, group: string): void {
  call.json(404, fleetLockErrorBody('unknown_group', `there is no group ${JSON.stringify(group)}`));
}

function answerDone(call: Call): void {
  call.text(200, 'text/plain; charset=utf-8', '');
}

function fleetLockErrorBody(kind: FleetLockKind, value: string): { readonly kind: FleetLockKind; readonly value: string } {
  return { kind, value };
}
