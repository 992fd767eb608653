import { canRedraw, wantsColour } from './terminal';
import { eventText } from './event-text';
import { LockView } from './lock-view';
import { timeStamp } from './moments';
import { urlOf, type Options } from './options';
import { print, tell } from './output';
import { Screen } from './screen';
import { watchText } from './watch-text';
import type { LockEvent } from '../types';
import { UpdateLock } from '../update-lock';

/** Events may come in bursts; a screen is drawn at most so often, in milliseconds. */
const REDRAW_MS = 50;

/** More events than fit on any screen need not be remembered. */
const MAX_RECENT = 200;

interface Watcher {
  event(event: LockEvent): void;
  /** The sidecar is not there, or no longer. */
  lost(): void;
  /** It is there (again). */
  found(): void;
}

/** Shows the lock as it changes, until somebody ends us. */
export async function watch(options: Options): Promise<never> {
  const lock = new UpdateLock(urlOf(options));
  if (options['json'] === true) return follow(lock, lineWatcher(lock, JSON.stringify));
  if (!canRedraw()) return follow(lock, lineWatcher(lock, (event) => `${timeStamp(Date.now())}  ${eventText(event)}`));
  return follow(lock, screenWatcher(lock));
}

async function follow(lock: UpdateLock, watcher: Watcher): Promise<never> {
  let isLost = false;
  const onConnection = (error: Error | null): void => {
    if (error !== null && !isLost) watcher.lost();
    if (error === null && isLost) watcher.found();
    isLost = error !== null;
  };
  for await (const event of lock.events({ onConnection })) watcher.event(event);
  // Only its reader ends the events.
  throw new Error('the events have ended');
}

function lineWatcher(lock: UpdateLock, lineOf: (event: LockEvent) => string): Watcher {
  return {
    event: (event) => { print(`${lineOf(event)}\n`); },
    lost: () => { tell(`the sidecar at ${lock.url} does not answer; looking for it`); },
    found: () => { tell('the sidecar is back'); },
  };
}

function screenWatcher(lock: UpdateLock): Watcher {
  const view = new LockView();
  const recent: string[] = [];
  let silentSince: string | null = null;
  let isSnapshot = false;
  let isSoon = false;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    isSoon = false;
    const nowMs = Date.now();
    const look = { nowMs, columns: screen.columns, hasColour: wantsColour() };
    screen.draw(watchText({ url: lock.url, status: view.status, silentSince, recent }, look, screen.rows));
    // The clock moves on at the next full second.
    timer = setTimeout(draw, 1000 - (nowMs % 1000));
  };
  const drawSoon = (): void => {
    if (isSoon) return;
    isSoon = true;
    clearTimeout(timer);
    timer = setTimeout(draw, REDRAW_MS);
  };
  const remember = (line: string): void => {
    recent.push(`${timeStamp(Date.now()).slice(11)}  ${line}`);
    if (recent.length > MAX_RECENT) recent.shift();
    drawSoon();
  };
  const screen = new Screen(process.stdout, draw, (exit) => process.exit(exit));
  draw();
  return {
    event: (event) => {
      view.apply(event);
      // What is there already has not just happened; the update comes last.
      if (event.type === 'lock') isSnapshot = event.data.snapshot;
      if (!isSnapshot) remember(eventText(event));
      if (event.type === 'update') isSnapshot = false;
      drawSoon();
    },
    lost: () => {
      silentSince = new Date().toISOString();
      remember('the sidecar does not answer');
    },
    found: () => {
      silentSince = null;
      remember('the sidecar is back');
    },
  };
}
