import type { ControlTagEvent, TagEvent } from './event';
import type { Describers } from './event-texts';

/** One description of each event of device tags. */
export const TAG_DESCRIBERS: Describers<TagEvent | ControlTagEvent> = {
  'tag-missed': ({ name, problem }) => ({ level: 'warn', message: 'device tag cannot be written', fields: { tag: name, detail: problem }, history: null }),
  'tag-reached': ({ name }) => ({ level: 'info', message: 'device tag written again', fields: { tag: name }, history: null }),
  'control-tags-changed': ({ changes }) => ({
    level: 'info',
    message: 'control tags changed',
    fields: { tags: Object.fromEntries(changes.map(({ name, value }) => [name, value])) },
    history: {
      event: 'control-tags-changed',
      text: 'Device tags have changed',
      detail: changes.map(({ name, value }) => `${name} ${value === null ? 'was removed' : `is ${value}`}`).join(', '),
    },
  }),
  'control-tag-unreadable': ({ name, value, problem }) => ({
    level: 'warn',
    message: 'control tag cannot be read',
    fields: { tag: name, value, detail: problem },
    history: { event: 'control-tag-unreadable', text: `The device tag ${name} cannot be read`, detail: `${value} ${problem}` },
  }),
  'control-tags-missed': ({ problem }) => ({
    level: 'warn',
    message: 'device tags cannot be read',
    fields: { detail: problem },
    history: { event: 'control-tags-missed', text: 'The device tags cannot be read', detail: problem },
  }),
  'control-tags-reached': () => ({
    level: 'info',
    message: 'device tags can be read again',
    history: { event: 'control-tags-reached', text: 'The device tags can be read again' },
  }),
};
