import type { LockStatus } from '../types';
import { columnsOf, fitTo } from './columns';
import { past, timeStamp } from './moments';
import { printable } from './printable';
import { statusText, styled, type Look } from './status-text';

export interface WatchView {
  readonly url: string;
  /** Null until the sidecar has answered. */
  readonly status: LockStatus | null;
  /** Since when the sidecar has not been heard; null while it is. */
  readonly silentSince: string | null;
  /** The latest events, oldest first, each with its time. */
  readonly recent: readonly string[];
}

/** What `watch` shows on a screen of so many lines. */
export function watchText(view: WatchView, look: Look & { readonly columns: number }, rows: number): string[] {
  const { nowMs, columns } = look;
  const clock = timeStamp(nowMs);
  const title = fitTo(`update-lock  ${printable(view.url)}`, Math.max(1, columns - clock.length - 2));
  const lines = [styled(`${title}${' '.repeat(Math.max(2, columns - columnsOf(title) - clock.length))}${clock}`, 'dim', look), ''];
  if (view.silentSince !== null) {
    lines.push(styled(fitTo(`The sidecar does not answer since ${past(view.silentSince, nowMs)}; looking for it.`, columns), 'red', look), '');
  }
  if (view.status !== null) lines.push(...statusText(view.status, look));
  else if (view.silentSince === null) lines.push('Asking the sidecar ...');
  const room = rows - lines.length - 2;
  if (room > 0 && view.recent.length > 0) {
    const shown = view.recent.slice(-room).map((line) => styled(fitTo(line, columns), 'dim', look));
    // At the bottom, so that they do not jump about when a lease comes or goes.
    const gap = Math.max(1, rows - lines.length - shown.length);
    lines.push(...Array.from({ length: gap }, () => ''), ...shown);
  }
  return lines.slice(0, rows);
}
