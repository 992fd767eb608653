import { formatDuration } from '../../server/duration';
import type { OverrideEvent, ProbeEvent, WindowEvent } from './event';
import type { Describers } from './event-texts';
import { somebodyAt } from './phrases';

/** One description of each event of windows, overrides and probes. */
export const HOLDER_DESCRIBERS: Describers<WindowEvent | OverrideEvent | ProbeEvent> = {
  'window-turned': ({ reason }) =>
    reason === null
      ? { level: 'info', message: 'update window opened', history: { event: 'window-opened', text: 'The update window has opened' } }
      : { level: 'info', message: 'update window closed', fields: { detail: reason }, history: { event: 'window-closed', text: 'The update window has closed' } },
  'override-given': ({ updates, reason, forMs, peer }) => ({
    level: 'info',
    message: 'override given',
    fields: { updates, for: formatDuration(forMs), reason, peer },
    history: { event: 'override-given', text: `${somebodyAt(peer)} ${updates === 'allow' ? 'allows' : 'holds'} updates for ${formatDuration(forMs)}`, detail: reason },
  }),
  'override-ended': ({ updates, peer }) => {
    const isOver = `updates are no longer ${updates === 'allow' ? 'allowed' : 'held'} by hand`;
    return {
      level: 'info',
      message: 'override ended',
      fields: { updates, ...(peer === null ? {} : { peer }) },
      history: { event: 'override-ended', text: peer === null ? `The override is over: ${isOver}` : `${somebodyAt(peer)} ended the override: ${isOver}` },
    };
  },
  'probe-turned': ({ probe, isBusy }) => ({ level: 'info', message: isBusy ? 'probe says busy' : 'probe says free', fields: { probe }, history: null }),
  'probe-missed': ({ probe, problem }) => ({
    level: 'warn',
    message: 'probe failed',
    fields: { probe, detail: problem },
    history: { event: 'probe-missed', name: probe, text: 'failed', detail: problem },
  }),
  'probe-reached': ({ probe }) => ({
    level: 'info',
    message: 'probe works again',
    fields: { probe },
    history: { event: 'probe-reached', name: probe, text: 'works again' },
  }),
  'probe-asked': ({ probe, result }) => ({ level: 'debug', message: 'probe asked', fields: { probe, result }, history: null }),
};
