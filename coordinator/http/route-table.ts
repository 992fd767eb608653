import type { Registry } from 'prom-client';
import type { Route } from '../../server/http/route';
import type { Store } from '../store/store';
import type { Access } from './access';
import { fleetLockRoutes } from './fleet-lock-routes';
import { groupRoutes, type GroupRouteParts } from './group-routes';
import { pageRoute } from './page-route';
import { stateRoutes } from './state-routes';

export interface RouteParts extends GroupRouteParts {
  readonly access: Access;
  readonly store: Pick<Store, 'problem'>;
  readonly registry: Registry;
}

/** The whole interface. Serving, metrics and the OpenAPI document follow from this table. */
export function routeTable(parts: RouteParts): Route[] {
  const { coordinator, access, store, registry, failures } = parts;
  const routes: Route[] = [
    ...fleetLockRoutes(coordinator, access, failures),
    ...groupRoutes(parts),
    pageRoute(),
    ...stateRoutes(store, registry, failures, () => routes),
  ];
  return routes;
}
