import { parentPort } from 'node:worker_threads';
import { matches } from './expression';

/** Serves a {@link Matcher}, from its thread. */
export function serveMatches(): void {
  parentPort?.on('message', ({ program, text }: { readonly program: string; readonly text: string }) => {
    parentPort?.postMessage(matches(program, text));
  });
}
