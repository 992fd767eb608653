import type { Registry } from 'prom-client';
import type { Checks } from '../../server/checks';
import type { History } from '../events/history';
import type { Keeper } from '../keeper/keeper';
import type { Access } from './access';
import type { EventStreams } from './streams/event-streams';
import type { HoldStreams } from './streams/hold-streams';
import { openapiDocument } from '../../server/http/openapi';
import { apiDescription } from './api-description';
import type { Route } from '../../server/http/route';
import { clientRoutes } from './routes/clients';
import { eventsRoute } from './routes/events';
import { fleetRoute } from './routes/fleet';
import { historyRoute } from './routes/history';
import { holdRoute } from './routes/hold';
import { leaseRoutes } from './routes/leases';
import { overrideRoutes } from './routes/override';
import { pageRoute } from './routes/page';
import { stateRoutes } from './routes/state';
import { updateRoutes } from './routes/update';
import type { OverrideHolder } from '../holders/override/override-holder';
import type { UpdateSource } from '../supervisor/updates';
import type { TtlLimits } from './schemas';
import type { Views } from './views';

export interface RouteParts {
  readonly keeper: Keeper;
  readonly views: Views;
  readonly limits: TtlLimits;
  readonly holds: HoldStreams;
  readonly events: EventStreams;
  readonly history: History;
  readonly updates: UpdateSource;
  readonly override: OverrideHolder;
  readonly access: Access;
  readonly registry: Registry;
  readonly checks: Checks;
  readonly version: string;
}

/** The whole interface. Serving, metrics and the OpenAPI document follow from this table. */
export function routeTable(parts: RouteParts): Route[] {
  const { keeper, views, limits, holds, events, history, updates, override, access, registry, checks, version } = parts;
  let document: unknown;
  const routes: Route[] = [
    ...leaseRoutes(keeper, views, limits),
    holdRoute(keeper, views, holds),
    ...updateRoutes(updates, views, access),
    ...overrideRoutes(override, views),
    fleetRoute(views),
    eventsRoute(events),
    historyRoute(history, views),
    pageRoute(),
    ...clientRoutes,
    ...stateRoutes(checks, views, registry, () => (document ??= openapiDocument(routes, apiDescription(version)))),
  ];
  return routes;
}
