import { ProbedServer } from './probed-server';

/**
 * Counts time as a sidecar sees it: a probe that it asks ten times a second. "Nothing happens for a while" is then so many beats,
 * in which the sidecar's timers have run, however busy the machine is. `ProbedServer.cleanUp()` ends it.
 */
export class Metronome {
  private constructor(private readonly server: ProbedServer) {}

  static async start(): Promise<Metronome> {
    return new Metronome(await ProbedServer.start('tick'));
  }

  /** For the sidecar whose time is counted. */
  get environment(): Readonly<Record<string, string>> {
    return { UPDATE_LOCK_PROBES: JSON.stringify([{ name: 'metronome', url: this.server.url, every: '100ms', holdWhen: '/tock/' }]) };
  }

  async beats(count: number): Promise<void> {
    await this.server.askedAgain(count);
  }

  /** Once a count has stayed the same for so many beats. */
  async untilUnchanged(count: () => number, beats: number): Promise<void> {
    let last: number;
    do {
      last = count();
      await this.beats(beats);
    } while (count() !== last);
  }
}
