import type { ApiDescription } from '../../server/http/openapi';
import * as schemas from './schemas';

/** What the OpenAPI document says beside the routes. */
export function apiDescription(version: string): ApiDescription {
  return {
    title: 'update-lock',
    version,
    description: 'Holds the balena update lock on behalf of the other containers of a device.',
    token: 'The API token, where one is set; not over the Unix socket.',
    schemas: {
      Lease: schemas.lease,
      EndedLease: schemas.endedLease,
      LeaseList: schemas.leaseList,
      Lock: schemas.lock,
      History: schemas.history,
      Event: schemas.event,
      Update: schemas.update,
      Override: schemas.override,
      HoldLine: schemas.holdLine,
      Readiness: schemas.readiness,
      Health: schemas.health,
      Problem: schemas.problem,
    },
  };
}
