import { Gauge, type Registry } from 'prom-client';
import { OVERRIDES, type Override } from '../holders/override/override';

/** Whether updates are allowed or held by hand, read when Prometheus asks. */
export function addOverrideMetrics(registry: Registry, holder: { readonly inForce: Override | null }): void {
  new Gauge({
    name: 'update_lock_override',
    help: '1 for the override by hand that is in force.',
    registers: [registry],
    labelNames: ['updates'],
    collect() {
      const { inForce } = holder;
      for (const updates of OVERRIDES) this.set({ updates }, Number(updates === inForce?.updates));
    },
  });
}
