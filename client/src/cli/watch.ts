import { canRedraw, wantsColour } from './environment';
import { eventText } from './event-text';
import { LockView } from './lock-view';
import { timeStamp } from './moments';
import { urlOf, type Options } from './options';
import { print, tell } from './output';
import { Screen } from './screen';
import { watchText } from './watch-text';
import { UnreachableError } from '../errors/unreachable-error';
import type { LockEvent } from '../types';
import { UpdateLock } from '../update-lock';

/** Between attempts to find a sidecar that is gone, in milliseconds. */
const RETRY_MS = 1000;

/** Events may come in bursts; a screen is drawn at most so often, in milliseconds. */
const REDRAW_MS = 50;

/** More events than fit on any screen need not be remembered. */
const MAX_RECENT = 200;

interface Watcher {
  event(event: LockEvent): void;
  /** The sidecar is no longer there; called once until it is back. */
  lost(error: UnreachableError): void;
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
  let lastEventId: string | undefined;
  let isLost = false;
  for (;;) {
    try {
      for await (const event of lock.events(lastEventId === undefined ? {} : { lastEventId })) {
        if (isLost) watcher.found();
        isLost = false;
        lastEventId = event.id;
        watcher.event(event);
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      if (!isLost) watcher.lost(error);
      isLost = true;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
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
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const nowMs = Date.now();
    screen.draw(watchText({ url: lock.url, status: view.status, silentSince, recent }, { nowMs, columns: screen.columns, hasColour: wantsColour() }, screen.rows));
    // The clock moves on at the next full second.
    timer = setTimeout(draw, 1000 - (nowMs % 1000));
  };
  const drawSoon = (): void => {
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
      remember(eventText(event));
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
