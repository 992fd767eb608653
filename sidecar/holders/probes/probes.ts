import { probeLease } from '../../leases/lease';
import { Probe, type ProbeOptions } from './probe';
import type { ProbeSettings } from './probe-settings';

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
    this.#byLease = new Map(this.all.map((probe) => [probeLease(probe.name), probe]));
  }

  start(): void {
    for (const [index, probe] of this.all.entries()) probe.start((index + this.options.random()) * APART_MS);
  }

  /** The probe that a lease belongs to. */
  of(leaseName: string): Probe | undefined {
    return this.#byLease.get(leaseName);
  }

  /** To be called when the lock may be had again, where that is not waited for. */
  retry(): void {
    for (const probe of this.all) probe.retry();
  }

  close(): void {
    for (const probe of this.all) probe.close();
  }
}
