const TIME = String.raw`(?:\d{4}-\d\d-\d\d )?\d\d:\d\d`;
const WAITS = new RegExp(`^((?:An|Nothing holds back the) update (?:that )?has been waiting since )${TIME}`);
/** The last in the sentence: what comes before may be a reason, and say anything. */
const HELD = new RegExp(`^(.* since )${TIME}(, until (?:(${TIME}) at the latest|it is released|the window opens at (${TIME} UTC)))(?=[.;,])`, 's');
const AGAIN = /(are granted again from )(\d\d):(\d\d)\.$/;
const DAY_MS = 86_400_000;

/** The instants that a summary tells of, as RFC 3339. */
export interface Instants {
  readonly since: string | null;
  readonly expires: string | null;
  readonly waitsSince: string | null;
  /** When the window opens. */
  readonly opens: string | null;
}

/**
 * The sidecar's sentence with its times, which are in UTC, as the reader's clock shows them. Only times in places where no app
 * can have written them are changed.
 * @param show an instant, in milliseconds
 */
export function inLocalTime(summary: string, { since, expires, waitsSince, opens }: Instants, nowMs: number, show: (ms: number) => string): string {
  let text = summary;
  if (waitsSince !== null) text = text.replace(WAITS, (_all, before: string) => `${before}${show(Date.parse(waitsSince))}`);
  if (since !== null) {
    text = text.replace(HELD, (_all, before: string, until: string, end?: string, opening?: string) => {
      const [instant, told] = opening === undefined ? [expires, end] : [opens, opening];
      const shownEnd = told === undefined || instant === null ? until : until.replace(told, () => show(Date.parse(instant)));
      return `${before}${show(Date.parse(since))}${shownEnd}`;
    });
  }
  return text.replace(AGAIN, (_all, before: string, hours: string, minutes: string) => {
    const today = new Date(nowMs).setUTCHours(Number(hours), Number(minutes), 0, 0);
    // Just after midnight, or just before it.
    return `${before}${show(today < nowMs - DAY_MS / 2 ? today + DAY_MS : today)}.`;
  });
}
