// Acquires a lease and asks for a turn, with types that openapi-typescript has made.
import createClient from 'openapi-fetch';
import type { components, paths as SidecarPaths } from './sidecar.js';
import type { paths as CoordinatorPaths } from './coordinator.js';

declare const process: { readonly argv: readonly string[] };

const [sidecarUrl = '', coordinatorUrl = ''] = process.argv.slice(2);
const headers = { Authorization: 'Bearer the-token' };

const sidecar = createClient<SidecarPaths>({ baseUrl: sidecarUrl, headers });
const acquired = await sidecar.PUT('/v1/leases/{name}', { params: { path: { name: 'typescript' } }, body: { ttl: 90, reason: 'by a generated client' } });
if (acquired.data === undefined) throw new Error(acquired.error.detail);
const lease: components['schemas']['Lease'] = acquired.data;

const coordinator = createClient<CoordinatorPaths>({ baseUrl: coordinatorUrl, headers });
const asked = await coordinator.POST('/v1/pre-reboot', {
  params: { header: { 'fleet-lock-protocol': 'true' } },
  body: { client_params: { id: 'typescript', group: 'default' } },
  parseAs: 'text',
});
console.log(lease.ttlSeconds, asked.response.status);
