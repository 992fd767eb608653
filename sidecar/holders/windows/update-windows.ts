import { parseDuration } from '../../../server/duration';
import { MAX_DURATION_MS } from '../../../server/settings/forms';
import { parseList, type ParsedList } from './parse-list';
import { readWeeklyWindow, type WeeklyWindow } from './weekly-windows';

/** Open for a time after the device has booted, whatever the wall clock says. */
export interface BootWindow {
  readonly afterBootMs: number;
}

export type UpdateWindow = WeeklyWindow | BootWindow;

/**
 * Reads `[days] HH:MM-HH:MM` and `boot+D`, several separated by `;`, or `never` alone, which is no window at all. Spaces and the case
 * of letters do not matter.
 */
export function parseWindows(text: string): ParsedList<UpdateWindow> {
  if (text.trim().toLowerCase() === 'never') return { ok: true, value: [] };
  return parseList(text, (item) => readBootWindow(item) ?? readWeeklyWindow(item));
}

function readBootWindow(item: string): BootWindow | null {
  const [, duration] = /^boot\s*\+\s*(\S+)$/i.exec(item) ?? [];
  const afterBootMs = duration === undefined ? null : parseDuration(duration.toLowerCase());
  return afterBootMs === null || afterBootMs === 0 || afterBootMs > MAX_DURATION_MS ? null : { afterBootMs };
}
