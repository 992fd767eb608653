/** What the last line of `safe_reboot` in the host's journal says. */
export type JournalSays =
  /** A reboot waits for this lock file, a path of the host, as of that wall time in milliseconds. */
  | { readonly kind: 'waits'; readonly path: string; readonly atWallMs: number }
  /** A reboot is under way, as of that wall time in milliseconds. */
  | { readonly kind: 'goes-on'; readonly atWallMs: number }
  /** Nobody has tried to reboot. */
  | { readonly kind: 'waits-not' }
  /** It says neither. */
  | { readonly kind: 'unclear' };

/** A line of `journalctl -o short-unix`: time, host, identifier with the process's number, message. */
const LINE = /^(\d{1,12}(?:\.\d{1,9})?) \S+ safe_reboot(?:\[\d+\])?: (.*)$/;

/** What `safe_reboot` says each time it finds a lock (meta-balena `os-helpers/safe_reboot`). */
const WAITS = /(\/\S+) exists, busy waiting on unlocking/;

/** What it says when it goes on. */
const GOES_ON = /No user service lock exists|Override lock detected|Rebooting now/;

/** What journalctl says of itself, and not of the journal: that there are no entries, or where the journal begins. */
const REMARK = /^-- .* --$/;

/**
 * Understands the answer to `POST /v2/journal-logs` for `safe_reboot` in the format `short-unix`. Null if it is anything else.
 *
 * An empty answer says nothing: the Supervisor may cut it off when journalctl ends (balena-supervisor `src/device-api/v2.ts`).
 */
export function readRebootJournal(text: string): JournalSays | null {
  const lines = text.split('\n').filter((line) => line !== '');
  const entry = lines.filter((line) => !REMARK.test(line)).at(-1);
  if (entry === undefined) return { kind: lines.length === 0 ? 'unclear' : 'waits-not' };
  const [, seconds, message] = LINE.exec(entry) ?? [];
  if (seconds === undefined || message === undefined) return null;
  const atWallMs = Number(seconds) * 1000;
  const path = WAITS.exec(message)?.[1];
  if (path !== undefined) return { kind: 'waits', path, atWallMs };
  return GOES_ON.test(message) ? { kind: 'goes-on', atWallMs } : { kind: 'unclear' };
}
