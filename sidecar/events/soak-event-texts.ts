import { formatDuration } from '../../server/duration';
import type { SoakEvent } from './event';
import type { Describers } from './event-texts';
import { shortCommit } from './phrases';

/** One description of each event of releases that have to wait. */
export const SOAK_DESCRIBERS: Describers<SoakEvent> = {
  'soak-began': ({ commit, forMs }) => {
    const soakFor = formatDuration(Math.ceil(forMs / 1000) * 1000);
    return {
      level: 'info',
      message: 'release soaks',
      fields: { commit, for: soakFor },
      history: { event: 'soak-began', text: `Release ${shortCommit(commit)} has to wait for ${soakFor} before it may be applied` },
    };
  },
  'soak-over': ({ commit }) => ({
    level: 'info',
    message: 'release has soaked',
    fields: { commit },
    history: { event: 'soak-over', text: `Release ${shortCommit(commit)} has waited long enough to be applied` },
  }),
  'soak-missed': ({ problem }) => ({
    level: 'warn',
    message: 'releases do not soak',
    fields: { detail: problem },
    history: { event: 'soak-missed', text: 'Releases do not soak: the Supervisor does not name the one that waits', detail: problem },
  }),
  'soak-reached': () => ({
    level: 'info',
    message: 'releases soak again',
    history: { event: 'soak-reached', text: 'Releases soak again' },
  }),
};
