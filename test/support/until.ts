import { setTimeout as sleep } from 'node:timers/promises';

/** A little after an instant of the wall clock, such as the `expires` of a lease. */
export async function untilPast(instant: unknown): Promise<void> {
  const remainingMs = Date.parse(String(instant)) - Date.now();
  if (Number.isNaN(remainingMs)) throw new Error(`${String(instant)} is no instant`);
  await sleep(Math.max(0, remainingMs) + 100);
}

/** Waits until something outside is so, which nothing tells us of. The time is a bound for failures, not for speed. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not so within ${String(withinMs)} ms: ${isSo.toString()}`);
    await sleep(2);
  }
}
