import { Gauge, type Registry } from 'prom-client';

interface MeasuredProbe {
  readonly name: string;
  /** Whether it answered when it was last asked. */
  readonly isUp: boolean;
  /** Whether its lease is live. */
  readonly holds: boolean;
}

/** Two series for each probe, read only when Prometheus asks. */
export function addProbeMetrics(registry: Registry, probes: readonly MeasuredProbe[]): void {
  const gauge = (name: string, help: string, read: (probe: MeasuredProbe) => boolean): void => {
    new Gauge({
      name: `update_lock_${name}`,
      help,
      registers: [registry],
      labelNames: ['probe'],
      collect() {
        for (const probe of probes) this.set({ probe: probe.name }, Number(read(probe)));
      },
    });
  };
  gauge('probe_up', '1 if the probe could be asked last time; 0 if not, or not yet.', ({ isUp }) => isUp);
  gauge('probe_holds', '1 while the lease of the probe is live.', ({ holds }) => holds);
}
