import { forceUpdate } from './api';
import { appText, badge, byId, element, fact, when, type Badge } from './elements';
import { isUpdating, thingsWaiting, type Known, type Update } from './known';
import type { Affected, Asking } from './question';

const SUPERVISOR: Readonly<Record<Update['supervisor'], string>> = {
  reachable: 'reachable',
  unreachable: 'not reachable',
  'not-configured': 'not configured',
  'not-asked-yet': 'not asked yet',
};

/** Whether an update is waiting, since when, for which holders and until when; and the button that forces it. */
export class UpdateView {
  readonly #body = byId('update', HTMLElement);
  readonly #force = byId('force', HTMLButtonElement);
  readonly #heading = byId('update-title', HTMLElement);
  #known: Known | null = null;

  constructor(asking: Asking) {
    this.#force.addEventListener('click', () => {
      asking.ask({
        title: 'Force the update?',
        text: 'The Supervisor takes the lock away and updates at once. The holders get no warning, and are interrupted in their work:',
        yes: 'Force the update',
        tokenName: 'Admin token',
        alwaysNeedsToken: true,
        affected: () => (this.#known === null ? [] : affectedBy(this.#known)),
        act: forceUpdate,
        after: this.#heading,
      });
    });
  }

  render(known: Known, nowMs: number): void {
    this.#known = known;
    const { update } = known;
    if (update === null) return;
    const { since, deadline, drainEnds, blockedBy, waiting, draining, failed, supervisor, detail } = update;
    // The Supervisor knows nothing of the host's reboots.
    const waitsForRelease = waiting.includes('release');
    const isBeingApplied = known.lock !== null && isUpdating(known.lock);
    const [state, explanation] = stateOf(known, update);
    this.#body.replaceChildren(
      element('p', '', badge(state)),
      ...(explanation === '' ? [] : [element('p', 'explanation', explanation)]),
      ...(detail === null ? [] : [element('p', 'explanation', appText(detail))]),
      element(
        'dl',
        'facts',
        ...(since === null ? [] : [fact('Waiting', thingsWaiting(update)), fact('Waiting since', ...when(since, 'since', nowMs))]),
        ...(deadline === null ? [] : [fact('Apps must let go', ...when(deadline, 'until', nowMs))]),
        ...(drainEnds === null ? [] : [fact('Leases end', ...when(drainEnds, 'until', nowMs))]),
        ...(blockedBy.length === 0 ? [] : [fact('Held back by', ...blockedBy.flatMap((name, index) => [index === 0 ? '' : ', ', appText(name)]))]),
        ...(waitsForRelease && failed && blockedBy.length === 0 && !isBeingApplied ? [fact('Last attempt', 'failed')] : []),
        fact('Supervisor', SUPERVISOR[supervisor]),
      ),
    );
    this.#force.hidden = supervisor === 'not-configured' || !(waitsForRelease || draining) || known.lock === null || isBeingApplied;
  }
}

function stateOf({ lock, leases }: Known, { pending, draining, downloading, supervisor }: Update): [Badge, string] {
  if (lock !== null && isUpdating(lock)) return [{ icon: 'update', word: 'Being applied', tone: 'calm' }, ''];
  if (draining) {
    const explanation = 'The update has waited long enough. Apps get no new leases until it is done, and their leases are about to end.';
    return [{ icon: 'alert', word: 'Draining', tone: 'bad' }, explanation];
  }
  if (pending) return [{ icon: 'hourglass', word: 'Waiting', tone: 'warn' }, ''];
  if (downloading) return [{ icon: 'download', word: 'Downloading', tone: 'calm' }, ''];
  switch (supervisor) {
    case 'not-configured':
      return [
        { icon: 'unplugged', word: 'Unknown', tone: 'off' },
        "The sidecar has no access to the Supervisor's API: its service needs the label io.balena.features.supervisor-api.",
      ];
    case 'not-asked-yet':
      return [{ icon: 'unplugged', word: 'Unknown', tone: 'off' }, 'The Supervisor has not been asked yet.'];
    case 'unreachable':
      return leases.size > 0
        ? [{ icon: 'unplugged', word: 'Unknown', tone: 'warn' }, 'The Supervisor does not answer.']
        : [{ icon: 'unplugged', word: 'Unknown', tone: 'off' }, 'The Supervisor is asked only while the lock is held.'];
    case 'reachable':
      return [{ icon: 'check', word: 'No update waiting', tone: 'good' }, ''];
  }
}

function affectedBy({ lock, leases }: Known): Affected[] {
  const files = (lock?.paths ?? []).filter(({ state }) => state === 'foreign');
  return [
    ...[...leases.values()].map(({ name, reason }) => ({ name, reason })),
    ...files.map(({ path }) => ({ name: path, reason: "somebody else's file" })),
  ];
}
