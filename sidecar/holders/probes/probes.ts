import type { SidecarEvent } from '../../events/event';
import { Probe, type ProbeOptions } from './probe';
import { leaseOfProbe, type ProbeSettings } from './probe-settings';

/** At the start they are asked one after the other, this many milliseconds apart. */
const APART_MS = 10;

/** All probes that are configured. */
export class Probes {
  readonly all: readonly Probe[];
  readonly #byLease: ReadonlyMap<string, Probe>;

  constructor(
    settings: readonly ProbeSettings[],
    private readonly options: ProbeOptions,
  ) {
    this.all = settings.map((each) => new Probe(each, options));
    this.#byLease = new Map(this.all.map((probe) => [leaseOfProbe(probe.name), probe]));
  }

  start(): void {
    for (const [index, probe] of this.all.entries()) probe.start((index + this.options.random()) * APART_MS);
  }

  onEvent(event: SidecarEvent): void {
    switch (event.type) {
      case 'store-opened':
        for (const probe of this.all) probe.retry();
        return;
      case 'lease-acquired':
        if (event.recovered) this.#byLease.get(event.lease.name)?.onRecovered(event.lease.reason);
        return;
      case 'lease-ended':
        this.#byLease.get(event.lease.name)?.onEnded(event.lease);
        return;
      default:
    }
  }

  close(): void {
    for (const probe of this.all) probe.close();
  }
}
