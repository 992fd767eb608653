import { clearOverride, setOverride } from './api';
import { appText, badge, byId, element, fact, when, type Badge } from './elements';
import type { Known, Lock } from './known';
import type { Asking, Question } from './question';

type Override = NonNullable<Lock['override']>;

const STATES: Readonly<Record<Override['updates'], Badge>> = {
  allow: { icon: 'open', word: 'Updates allowed', tone: 'good' },
  hold: { icon: 'lock', word: 'Updates held', tone: 'calm' },
};

const QUESTIONS: Readonly<Record<Override['updates'], Pick<Question, 'title' | 'text' | 'yes'>>> = {
  allow: {
    title: 'Allow updates?',
    text: 'They may begin at once, also outside of update windows. Apps that hold the lock still hold it.',
    yes: 'Allow updates',
  },
  hold: {
    title: 'Hold updates?',
    text: 'No update begins, and the device does not reboot for one, before the time is over.',
    yes: 'Hold updates',
  },
};

/** The override by hand, its end before its time, and the buttons for another one. */
export class OverrideView {
  readonly #heading = byId('override-title', HTMLElement);
  readonly #body = byId('override', HTMLElement);
  readonly #fields = byId('override-fields', HTMLElement);
  readonly #for = byId('override-for', HTMLInputElement);
  readonly #reason = byId('override-reason', HTMLInputElement);
  readonly #end = byId('override-end', HTMLButtonElement);
  #lock: Lock | null = null;

  constructor(asking: Asking) {
    const common = { tokenName: 'Admin token', alwaysNeedsToken: true, after: this.#heading };
    for (const updates of ['allow', 'hold'] as const) {
      byId(`override-${updates}`, HTMLButtonElement).addEventListener('click', () => {
        this.#for.value = '1h';
        this.#reason.value = '';
        asking.ask({ ...common, ...QUESTIONS[updates], fields: this.#fields, act: () => setOverride(updates, this.#for.value, this.#reason.value) });
      });
    }
    this.#end.addEventListener('click', () => {
      void asking.attempt({ ...common, title: 'End the override?', text: 'Updates go by the update windows again.', yes: 'End the override', act: clearOverride });
    });
  }

  render({ lock }: Known, nowMs: number): void {
    if (lock === null || lock === this.#lock) return;
    this.#lock = lock;
    const { override } = lock;
    this.#body.replaceChildren(...(override === null ? [element('p', 'nothing', 'Nobody allows or holds updates by hand.')] : overrideParts(override, nowMs)));
    if (override === null && document.activeElement === this.#end) this.#heading.focus();
    this.#end.hidden = override === null;
  }
}

function overrideParts({ updates, reason, since, until, inForce }: Override, nowMs: number): Node[] {
  return [
    element('p', '', badge(STATES[updates])),
    ...(inForce ? [] : [element('p', 'explanation', 'Without effect until the clock of the device is set.')]),
    element(
      'dl',
      'facts',
      ...(reason === '' ? [] : [fact('Reason', appText(reason))]),
      fact('Since', ...when(since, 'since', nowMs)),
      fact('Until', ...when(until, 'until', nowMs)),
    ),
  ];
}
