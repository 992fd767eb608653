import type { Update } from '../types';

/** Everything that can wait for the lock, in words. */
const THINGS: Readonly<Record<string, string>> = { release: 'an update', reboot: 'a reboot of the host OS' };

/** What waits, as the subject of a sentence that goes on: "an update is", "an update and a reboot of the host OS are". */
export function thingsThatAre({ waiting }: Pick<Update, 'waiting'>): string {
  const things = waiting.map((what) => THINGS[what] ?? `a ${what}`);
  return `${things.join(' and ')} ${things.length === 1 ? 'is' : 'are'}`;
}
