import type { Logger } from '../../server/log';
import { describe } from './event-texts';
import type { SidecarEvent } from './event';

/** Writes every event to the log. */
export class EventLog {
  constructor(
    private readonly log: Logger,
    private readonly leaseCount: () => number,
  ) {}

  onEvent(event: SidecarEvent, time: Date): void {
    const description = describe(event);
    if (description === null || !this.log.isLevelEnabled(description.level)) return;
    this.log.log(description.level, description.message, { ...description.fields, time });
  }

  close(): void {
    this.log.info('stopped', { leases: this.leaseCount() });
  }
}
