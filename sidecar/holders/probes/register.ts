import type { LeasePolicies } from '../../leases/policies';

/** The lease that holds the lock while the probe of that name says so. */
export function leaseOfProbe(name: string): string {
  return `@probe-${name}`;
}

/** Says how the leases of these probes are to be treated, before the probes themselves have been loaded. */
export function registerProbes(policies: LeasePolicies, probes: readonly { readonly name: string }[]): void {
  for (const { name } of probes) policies.register(leaseOfProbe(name), {});
}
