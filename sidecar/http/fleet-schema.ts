import * as z from 'zod/mini';
import { FLEET_STATES } from '../events/event';
import { describe } from '../../server/http/field-schemas';
import { instant } from './field-schemas';

/** The turn of this device, as it is shown. */
export const fleet = z.strictObject({
  state: describe(z.enum(FLEET_STATES), '`off` where no turns are taken; in `turn`, `settling` and `unwell` the device has its turn.'),
  group: describe(z.nullable(z.string()), 'The group of devices that take turns.'),
  id: describe(z.nullable(z.string()), 'The id under which this device asks for its turn.'),
  since: describe(z.nullable(instant), 'Since when it has been in this state.'),
  turnSince: describe(z.nullable(instant), 'Since when this device has its turn; null without one.'),
  nextAskAt: describe(z.nullable(instant), 'When it asks for its turn again; null while it does not ask.'),
  detail: describe(z.nullable(z.string()), 'More for people: what the server says, or what is not well.'),
  server: describe(z.enum(['reachable', 'unreachable', 'not-asked-yet']), 'Whether the server of the fleet answers.'),
});
export type FleetView = z.infer<typeof fleet>;
