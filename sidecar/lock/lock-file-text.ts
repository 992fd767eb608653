import { BANNER_START } from './anchor';
import type { Lease } from '../leases/lease';
import { printable } from '../../server/text';

/** More holders than this are only counted. */
const MAX_SHOWN = 10;

/**
 * The text of the lock file, for people who wonder why a device is not updated and run `cat updates.lock`.
 * @param whereToAsk what curl needs to reach the API: a URL without a path, and options
 * @param toRfc3339 shows a monotonic time
 */
export function lockFileText(
  leases: Iterable<Lease>,
  count: number,
  whereToAsk: string,
  toRfc3339: (monotonicMs: number) => string,
): string {
  const lines = [
    `${BANNER_START}the balena update lock, held by the update-lock sidecar for the apps of this device.`,
    'While this file exists, the device is neither updated nor rebooted.',
    `To see more:         curl ${whereToAsk}/v1/lock`,
    `To release a lease:  curl -X DELETE ${whereToAsk}/v1/leases/NAME`,
    'Held by:',
  ];
  const heading = lines.length;
  for (const { name, reason, sinceMs } of leases) {
    if (lines.length === heading + MAX_SHOWN) {
      lines.push(`  and ${String(count - MAX_SHOWN)} more`);
      break;
    }
    lines.push(`  ${name}${reason === '' ? '' : ` (${printable(reason)})`} since ${toRfc3339(sinceMs)}`);
  }
  return `${lines.join('\n')}\n`;
}
