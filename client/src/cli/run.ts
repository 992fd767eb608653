import { textOf, sidecarOf, type Options } from './arguments';
import { checkFound, startChild, type Child } from './child';
import { EXIT, exitAs } from './exits';
import { inheritedFiles } from './inherited-files';
import { printable, tell } from './output';
import { SignalRelay } from './signal-relay';
import { LOCK } from '../answer';
import { Caller } from '../caller';
import type { Hold } from '../hold';
import { holdUntilReleased } from '../hold-lock';
import { makeName } from '../lease-name';

/** How long COMMAND has to end after SIGTERM when the lock is lost, in milliseconds. */
const TERM_MS = 5000;

/** After this time a message says that the command is waiting. Milliseconds. */
const SAY_WAITING_AFTER_MS = 2000;

/** Holds the lock while COMMAND runs, and exits as it did. */
export async function run(options: Options, [command = '', ...args]: readonly string[]): Promise<never> {
  checkFound(command);
  const files = inheritedFiles();
  const signals = new SignalRelay(exitAs);
  // Not through UpdateLock: loading all of it would take longer than the request.
  const caller = new Caller(sidecarOf(options));
  const stopSayingWaiting = sayWaiting(caller);
  const holding = holdUntilReleased(caller, {
    name: textOf(options['name']) ?? makeName(command),
    reason: textOf(options['reason']),
    wait: waitOf(options),
    onDraining: ({ endsInSeconds, reason }) => {
      const when = endsInSeconds > 0 ? `in ${String(Math.round(endsInSeconds))} s` : 'now';
      tell(`the lock is about to be taken away, ${when}${reason === undefined ? '' : `: ${printable(reason)}`}`);
    },
  });
  const hold = await holding;
  stopSayingWaiting();
  signals.expectChild();
  const child = await startChild(command, args, hold.name, files);
  signals.passTo(child.process);
  const isEnding = onLoss(hold, child, options['on-lost'] === 'term');
  const exit = await child.exited;
  const wasLost = isEnding();
  await hold.release();
  exitAs(wasLost ? EXIT.unavailable : exit);
}

/** Undefined for without limit. */
function waitOf(options: Options): string | number | undefined {
  return options['no-wait'] === true ? 0 : textOf(options['wait']);
}

/** @returns stops it */
function sayWaiting(caller: Caller): () => void {
  let asking: AbortController | undefined;
  const timer = setTimeout(() => {
    const { signal } = (asking = new AbortController());
    caller.ask({ method: 'GET', path: '/v1/lock', signal }, LOCK).then(
      ({ summary }) => { tell(`waiting for the lock. ${printable(summary)}`); },
      () => { if (!signal.aborted) tell(`waiting for the sidecar at ${caller.whereabouts}`); },
    );
  }, SAY_WAITING_AFTER_MS);
  return () => {
    clearTimeout(timer);
    asking?.abort();
  };
}

/** @returns whether COMMAND is being ended because the lock was lost */
function onLoss({ signal }: Hold, { process: child }: Child, mayEnd: boolean): () => boolean {
  let isEnding = false;
  const lost = (): void => {
    const { message } = signal.reason as Error;
    if (!mayEnd) {
      tell(`the lock is lost, and the command goes on without it: ${printable(message)}`);
      return;
    }
    isEnding = true;
    tell(`the lock is lost, and the command is ended: ${printable(message)}`);
    child.kill('SIGTERM');
    // A stopped process would not get the signal.
    child.kill('SIGCONT');
    setTimeout(() => child.kill('SIGKILL'), TERM_MS);
  };
  if (signal.aborted) lost();
  else signal.addEventListener('abort', lost, { once: true });
  return () => isEnding;
}
