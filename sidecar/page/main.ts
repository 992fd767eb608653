import { token } from './api';
import { DeviceClock } from './device-clock';
import { byId, setText, tick } from './elements';
import { EventsView } from './events-view';
import { History } from './history';
import { Known } from './known';
import { LeasesView } from './leases-view';
import { OverrideView } from './override-view';
import { Asking } from './question';
import { RestView } from './rest-view';
import { StateView } from './state-view';
import { Stream } from './stream';
import { span, ZONE } from './times';
import { UpdateView } from './update-view';

/** Messages that arrive together are shown together. Milliseconds. */
const SHOW_AFTER_MS = 30;

/** From this difference on the page mentions that the device's clock differs. Milliseconds. */
const CLOCK_DIFFERS_MS = 30_000;

const clock = new DeviceClock();
const known = new Known();
const history = new History(showSoon);
const stream = new Stream(
  clock,
  (message) => {
    known.take(message);
    history.refresh();
    showSoon();
  },
  () => {
    if (stream.connection !== 'lost') lostAtMs = null;
    else lostAtMs ??= clock.nowMs();
    // The stream does not carry everything that happens.
    if (stream.connection === 'live') history.refresh();
    showSoon();
  },
);
const asking = new Asking(() => {
  history.refresh();
  showSoon();
});
const stateView = new StateView();
const leasesView = new LeasesView(asking);
const updateView = new UpdateView(asking);
const restView = new RestView();
const overrideView = new OverrideView(asking);
const eventsView = new EventsView();
const forget = byId('forget', HTMLButtonElement);

let lostAtMs: number | null = null;
let showTimer: ReturnType<typeof setTimeout> | undefined;

/** By a timer, not an animation frame: a tab in the background gets no frames, but its title is visible. */
function showSoon(): void {
  showTimer ??= setTimeout(() => {
    showTimer = undefined;
    show();
  }, SHOW_AFTER_MS);
}

function show(): void {
  const nowMs = clock.nowMs();
  stateView.render(known, stream.connection, lostAtMs ?? nowMs, nowMs);
  if (known.isComplete) {
    leasesView.render(known, nowMs);
    updateView.render(known, nowMs);
    restView.render(known, nowMs);
    overrideView.render(known, nowMs);
    eventsView.render(history.events, nowMs);
    asking.update();
    document.body.classList.remove('starting');
  }
  forget.hidden = token.value === '';
  const differs = Math.abs(clock.aheadMs) >= CLOCK_DIFFERS_MS;
  const direction = clock.aheadMs > 0 ? 'ahead of' : 'behind';
  setText(byId('zone', HTMLElement), `Times are in ${ZONE} unless they name another zone${differs ? `. They follow the device's clock, which is ${span(Math.abs(clock.aheadMs))} ${direction} yours` : ''}.`);
  tick(nowMs);
}

forget.addEventListener('click', () => {
  token.value = '';
  byId('state', HTMLElement).focus();
  showSoon();
});
setInterval(() => {
  if (document.visibilityState === 'visible') tick(clock.nowMs());
}, 1000);
stream.open();
show();
