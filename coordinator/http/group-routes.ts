import type * as z from 'zod/mini';
import { route, type Route } from '../../server/http/route';
import type { Coordinator } from '../coordinator';
import { isStale } from '../groups';
import type { StoredGroup } from '../store/store';
import { answerLater, type Failures } from './answer-later';
import { deviceId, group, groupChanges, groupName, groups, noParameters, PROBLEMS } from './schemas';

export interface GroupRouteParts {
  readonly coordinator: Coordinator;
  readonly staleAfterMs: number;
  readonly wallMs: () => number;
  readonly failures: Failures;
}

const GROUP_LINKS = {
  group: { operationId: 'getGroup', description: 'The group as it is then.', parameters: { group: '$request.path.group' } },
  change: { operationId: 'putGroup', description: 'Changes it again.', parameters: { group: '$request.path.group' } },
};

/** What people ask: who holds, who waits; and what an admin changes. */
export function groupRoutes({ coordinator, staleAfterMs, wallMs, failures }: GroupRouteParts): Route[] {
  const view = (stored: StoredGroup): z.output<typeof group> => viewOf(stored, staleAfterMs, wallMs());
  const problems = [PROBLEMS['store-unavailable']];
  return [
    route({
      method: 'get',
      path: '/v1/groups',
      operationId: 'getGroups',
      summary: 'Every group: who has a turn, and who waits for one.',
      parameters: noParameters,
      answers: { 200: { description: 'The groups, by name.', schema: groups } },
      problems,
      handle: (call) => {
        answerLater(call, failures, async () => {
          call.json(200, { groups: (await coordinator.groups()).map(view) });
        });
      },
    }),
    route({
      method: 'get',
      path: '/v1/groups/{group}',
      operationId: 'getGroup',
      summary: 'One group.',
      pathParameters: { group: groupName },
      parameters: noParameters,
      answers: { 200: { description: 'The group.', schema: group } },
      problems: [PROBLEMS['not-found'], ...problems],
      handle: (call) => {
        answerLater(call, failures, async () => {
          const name = call.pathParameter('group');
          const found = await coordinator.group(name);
          if (found === null) call.problem(PROBLEMS['not-found'], `There is no group ${JSON.stringify(name)}.`);
          else call.json(200, view(found));
        });
      },
    }),
    route({
      method: 'put',
      path: '/v1/groups/{group}',
      operationId: 'putGroup',
      summary: 'Change how many devices may update at once, pause or resume; makes the group if it is new. Nobody loses a turn. Needs the admin token.',
      pathParameters: { group: groupName },
      parameters: groupChanges,
      answers: { 200: { description: 'The group.', schema: group, links: GROUP_LINKS } },
      problems,
      handle: (call, { slots, paused }) => {
        answerLater(call, failures, async () => {
          const changed = await coordinator.setGroup(call.pathParameter('group'), { ...(slots === undefined ? {} : { slots }), ...(paused === undefined ? {} : { paused }) });
          if (changed !== null) {
            call.json(200, view(changed));
            return;
          }
          const errors = [{ field: 'slots', message: 'is needed, since the group is new' }];
          call.problem(PROBLEMS.invalid, 'slots: is needed, since the group is new.', { errors });
        });
      },
    }),
    route({
      method: 'delete',
      path: '/v1/groups/{group}/holders/{id}',
      operationId: 'releaseHolder',
      summary: 'Take the turn from a device that will not come back. Needs the admin token.',
      pathParameters: { group: groupName, id: deviceId },
      parameters: noParameters,
      answers: { 200: { description: 'The group, without that turn.', schema: group } },
      problems: [PROBLEMS['not-found'], ...problems],
      handle: (call) => {
        answerLater(call, failures, async () => {
          const [name, id] = [call.pathParameter('group'), call.pathParameter('id')];
          const isReleased = await coordinator.release(name, id);
          const after = isReleased ? await coordinator.group(name) : null;
          if (after === null) call.problem(PROBLEMS['not-found'], `${JSON.stringify(id)} has no turn in ${JSON.stringify(name)}.`);
          else call.json(200, view(after));
        });
      },
    }),
  ];
}

function viewOf({ name, slots, paused, holders, waiting }: StoredGroup, staleAfterMs: number, nowMs: number): z.output<typeof group> {
  return {
    name,
    slots,
    paused,
    holders: [...holders.values()].map((holder) => ({ id: holder.id, since: toInstant(holder.sinceMs), stale: isStale(holder, staleAfterMs, nowMs) })),
    waiting: [...waiting.values()].map(({ id, sinceMs, lastAskedMs }) => ({ id, since: toInstant(sinceMs), lastAsked: lastAskedMs === null ? null : toInstant(lastAskedMs) })),
  };
}

function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
