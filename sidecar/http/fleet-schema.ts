import * as z from 'zod/mini';
import { FLEET_STATES } from '../events/event';
import { describe } from '../../server/http/field-schemas';
import { instant } from './field-schemas';

/** The turn of this device, as it is shown. */
export const fleet = z.strictObject({
  state: describe(z.enum(FLEET_STATES), '`off` where no turns are taken; in `turn`, `settling` and `unwell` the device has its turn.'),
  group: describe(z.nullable(z.string()), 'The group of devices that take turns.'),
  id: describe(z.nullable(z.string()), 'Under which the turn is asked for, or was.'),
  since: describe(z.nullable(instant), 'Since when it has been in this state.'),
  turnSince: describe(z.nullable(instant), 'Since when it has its turn; null without one.'),
  nextAskAt: describe(z.nullable(instant), 'When it asks again for its turn.'),
  detail: describe(z.nullable(z.string()), 'What else there is to tell, for people: what the server says, or what is not well.'),
  server: describe(z.enum(['reachable', 'unreachable', 'not-asked-yet']), 'Whether the server of the fleet answers.'),
});
export type FleetView = z.infer<typeof fleet>;
