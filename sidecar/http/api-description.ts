import type { ApiDescription } from '../../server/http/openapi';
import { fleet } from './fleet-schema';
import * as schemas from './schemas';

/** What the OpenAPI document says beside the routes. */
export function apiDescription(version: string): ApiDescription {
  return {
    title: 'update-lock',
    version,
    description: 'Holds the balena update lock for the other containers of a device.',
    tokens: {
      apiToken: 'The API token: for changes over TCP, where one is set; not over the Unix socket.',
      adminToken: 'The admin token: for overrides and for forcing an update, also over the Unix socket. It does as the API token, too.',
    },
    tokensFor: ({ method, adminOnly }) => (method === 'get' ? [null] : adminOnly === undefined ? [null, 'apiToken', 'adminToken'] : ['adminToken']),
    schemas: {
      Lease: schemas.lease,
      EndedLease: schemas.endedLease,
      LeaseEnd: schemas.leaseEnd,
      LeaseList: schemas.leaseList,
      Lock: schemas.lock,
      LockPath: schemas.lockPath,
      Window: schemas.window,
      Device: schemas.device,
      History: schemas.history,
      Event: schemas.event,
      LockEvent: schemas.lockEvent,
      Update: schemas.update,
      Override: schemas.override,
      Fleet: fleet,
      HoldLine: schemas.holdLine,
      Readiness: schemas.readiness,
      Health: schemas.health,
      Problem: schemas.problem,
    },
  };
}
