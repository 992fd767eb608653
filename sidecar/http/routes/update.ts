import type { Access } from '../access';
import { route, type Route } from '../../../server/http/route';
import { PROBLEMS } from '../problems';
import { requestUpdateParameters, update, updateParameters } from '../schemas';
import type { UpdateSource } from '../../supervisor/updates';
import type { Views } from '../views';

const FORCING = 'Forcing an update';

/** What is known of updates, and asking for one. */
export function updateRoutes(updates: UpdateSource, views: Views, access: Access): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/update',
      operationId: 'getUpdate',
      summary: 'Show what waits for the lock, since when, and who holds it back. With `wait`, the answer comes as soon as something waits.',
      parameters: updateParameters,
      answers: { 200: { description: 'What the Supervisor says now, or what it said last if it does not answer in time.', schema: update } },
      handle: (call, { wait = 0 }) => {
        const { socket } = call.request;
        const answer = (): void => {
          socket.off('end', waitNoLonger);
          socket.off('close', leave);
          call.json(200, views.update());
        };
        // A client that sends no more may still read, or may have been killed: it is answered, but not waited for.
        const waitNoLonger = (): void => {
          stopWaiting();
          stopWaiting = updates.whenPending(0, answer);
        };
        const leave = (): void => { stopWaiting(); };
        let stopWaiting = updates.whenPending(socket.readableEnded ? 0 : wait, answer);
        socket.once('end', waitNoLonger);
        socket.once('close', leave);
      },
    }),
    route({
      method: 'post',
      path: '/v1/update',
      operationId: 'requestUpdate',
      summary: 'Ask the Supervisor to try an update now. With `force`, everybody who holds the lock loses it.',
      adminPart: FORCING,
      parameters: requestUpdateParameters,
      answers: { 202: { description: 'The Supervisor has been asked.', schema: update } },
      problems: [PROBLEMS['supervisor-unavailable']],
      handle: (call, { force = false }) => {
        if (force && !access.admitsAdmin(call, FORCING)) return;
        void updates.request({ force, peer: call.peer }).then((result) => {
          if (result.ok) call.json(202, views.update());
          else call.problem(PROBLEMS['supervisor-unavailable'], `The Supervisor cannot be asked: ${result.problem}.`);
        });
      },
    }),
  ];
}
