import type { Lease, LockStatus, LockState, Override, Update, Window } from '../types';
import { columnsOf, fitTo, padTo } from './columns';
import { endOfAll, isUpToPeople, untilText } from './lease-end';
import { future, past } from './moments';
import { printable } from './output';
import { thingsThatAre } from './waiting-text';

/** The style of the text. */
export interface Look {
  readonly nowMs: number;
  /** The width of the terminal, in columns; null for a file or a pipe. */
  readonly columns: number | null;
  readonly hasColour: boolean;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };
const STATE_STYLES: Readonly<Record<LockState, Style>> = { held: 'yellow', free: 'green', updating: 'yellow', foreign: 'red', cooldown: 'red', unavailable: 'red' };

/** Names can have 64 characters; a table with a long one should still show the other columns. */
const MAX_NAME_COLUMNS = 28;
const MIN_REASON_COLUMNS = 10;

/** Says in lines for people who holds back updates, why, since when and until when, what waits, and what to do. */
export function statusText(status: LockStatus, look: Look): string[] {
  const lines = [headline(status, look)];
  const { update, window, override } = status;
  if (status.state !== 'held' && status.state !== 'free') lines.push(...wrap(printable(status.summary), look));
  if (status.leases.length > 0) lines.push('', ...leaseTable(status, look));
  if (status.state === 'held' && !status.flock) {
    lines.push('', ...wrap('Nobody holds flock(2) on the lock file: the host OS may reboot all the same.', look).map((line) => styled(line, 'red', look)));
  }
  const facts = [
    ...(update === null ? [] : [['Update', updateText(update, look)] as const]),
    ...(window === null ? [] : [['Window', windowText(window, look)] as const]),
    ...(override === null ? [] : [['By hand', overrideText(override, look)] as const]),
    ...advice(status).map((text, index) => [index === 0 ? 'To do' : '', text] as const),
  ];
  if (facts.length > 0) lines.push('');
  for (const [title, text] of facts) {
    const indented = wrap(text, { ...look, columns: look.columns === null ? null : look.columns - 8 });
    lines.push(...indented.map((line, index) => `${styled(padTo(index === 0 ? title : '', 8), 'dim', look)}${line}`));
  }
  return lines;
}

function styled(text: string, style: Style, { hasColour }: Look): string {
  return hasColour && text.trim() !== '' ? `\x1b[${String(CODES[style])}m${text}\x1b[0m` : text;
}

function headline(status: LockStatus, look: Look): string {
  const { state, since, leases } = status;
  const end = endOfAll(status);
  const what: Readonly<Record<LockState, string>> = {
    held: 'Updates are held back',
    free: 'Nothing holds back updates',
    updating: 'An update is being applied',
    foreign: 'Somebody else holds back updates',
    cooldown: 'The lock was just taken away',
    unavailable: 'The lock cannot be taken',
  };
  const times = [];
  if (since !== null) times.push(`since ${past(since, look.nowMs)}`);
  const openEnd = leases.some(isUpToPeople) ? 'until somebody allows them' : 'until it is released';
  if (state === 'held') times.push(end === null ? openEnd : `until ${future(end, look.nowMs)} at the latest`);
  // The table already shows it if there is one lease.
  const detail = times.length === 0 || (leases.length === 1 && look.columns !== null && look.columns < 80) ? '' : `, ${times.join(', ')}`;
  const text = fitTo(`${what[state]}${detail}`, look.columns ?? Infinity);
  const head = text.slice(0, what[state].length);
  return `${styled(styled(head, STATE_STYLES[state], look), 'bold', look)}${text.slice(head.length)}`;
}

function leaseTable(status: LockStatus, look: Look): string[] {
  const { leases } = status;
  const maxName = Math.min(MAX_NAME_COLUMNS, Math.ceil((look.columns ?? Infinity) / 3));
  const rows = leases.map((lease) => ({
    name: fitTo(printable(lease.name), maxName),
    times: `since ${past(lease.since, look.nowMs)}, ${untilText(lease, status, look)}`,
    reason: printable(lease.reason),
  }));
  const nameColumns = Math.max(...rows.map(({ name }) => columnsOf(name)));
  const timesColumns = Math.max(...rows.map(({ times }) => columnsOf(times)));
  const left = look.columns === null ? Infinity : look.columns - 2 - nameColumns - 2 - timesColumns - 2;
  const isBeside = left >= MIN_REASON_COLUMNS;
  return rows.flatMap(({ name, times, reason }) => {
    const timesRoom = look.columns === null ? Infinity : look.columns - 4 - nameColumns;
    const shown = isBeside && reason !== '' ? `${padTo(times, timesColumns)}  ${fitTo(reason, left)}` : fitTo(times, timesRoom);
    const first = `  ${styled(padTo(name, nameColumns), 'bold', look)}  ${shown}`;
    if (isBeside || reason === '') return [first];
    return [first, `  ${' '.repeat(nameColumns)}  ${fitTo(reason, timesRoom)}`];
  });
}

function updateText(update: Update, { nowMs }: Look): string {
  if (update.supervisor === 'not-configured') return 'not known: the sidecar has no access to the Supervisor';
  if (update.supervisor === 'not-asked-yet' && !update.pending) return 'not known: the Supervisor has not been asked yet';
  if (update.supervisor === 'unreachable' && !update.pending) return 'not known: the Supervisor does not answer';
  const detail = update.detail === null ? '' : `. ${printable(update.detail)}`;
  if (!update.pending) return `${update.downloading ? 'none is pending; one is being downloaded' : 'none is pending'}${detail}`;
  const parts = [`${thingsThatAre(update)} waiting${update.since === null ? '' : ` since ${past(update.since, nowMs)}`}`];
  if (update.downloading) parts.push('and is being downloaded');
  else if (update.downloaded) parts.push('downloaded');
  if (update.blockedBy.length > 0) parts.push(`for ${printable(update.blockedBy.join(', '))}`);
  if (update.draining) parts.push(update.drainEnds === null ? 'the leases of apps have ended' : `the leases of apps end ${future(update.drainEnds, nowMs)}`);
  else if (update.deadline !== null) parts.push(`until ${future(update.deadline, nowMs)} at the latest`);
  return parts.join(', ');
}

function windowText({ open, opens, closes, frozen, timezone }: Window, { nowMs }: Look): string {
  const zone = printable(timezone);
  if (open) return closes === null ? 'open' : `open, closes ${future(closes, nowMs)}; set in ${zone}`;
  const state = frozen ? 'frozen' : 'closed';
  return opens === null ? `${state}, and does not open` : `${state}, opens ${future(opens, nowMs)}; set in ${zone}`;
}

function overrideText({ updates, reason, until, inForce }: Override, { nowMs }: Look): string {
  const why = reason === '' ? '' : ` (${printable(reason)})`;
  const what = `updates are ${updates === 'allow' ? 'allowed' : 'held'}${why} until ${future(until, nowMs)}`;
  return inForce ? what : `${what}, once the clock of the device is set`;
}

/** The sidecar's own leases that let go while somebody allows updates. */
const YIELD_TO_ALLOW: readonly string[] = ['@window', '@soak', '@fleet'];
const OVERRIDE = '@override';

/** What a person can do to let updates through. */
function advice({ state, leases, update }: LockStatus): string[] {
  if (state === 'held') return update !== null && !update.pending ? [] : letThrough(leases);
  if (state === 'foreign') return ['find out who made the lock file, and let them remove it; the sidecar does not'];
  if (state === 'unavailable') return ["look at the sidecar's log, and at GET /readyz"];
  return [];
}

/** The commands after which no lease holds back updates, as far as commands can end them. */
function letThrough(leases: readonly Lease[]): string[] {
  const names = leases.map(({ name }) => name);
  const apps = names.filter((name) => !name.startsWith('@'));
  const commands = apps.length === 0 ? [] : [`update-lock release ${apps.length === 1 ? printable(apps.join()) : 'NAME'}`];
  // An override that allows updates replaces one that holds them.
  if (names.some((name) => YIELD_TO_ALLOW.includes(name))) commands.push('update-lock override allow --for 1h');
  else if (names.includes(OVERRIDE)) commands.push('update-lock override clear');
  if (commands.length === 0) return [];
  const others = names.filter((name) => name.startsWith('@') && name !== OVERRIDE && !YIELD_TO_ALLOW.includes(name));
  const when = others.length === 0 ? 'now' : `once ${others.map(printable).join(' and ')} ${others.length === 1 ? 'lets' : 'let'} go`;
  const token = commands.some((command) => command.startsWith('update-lock override')) ? ', with the admin token' : '';
  return [`to let updates through ${when}${token}: ${commands.join(' && ')}`];
}

/** Lines that fit, broken at spaces. */
function wrap(text: string, { columns }: Look): string[] {
  if (columns === null || columnsOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns || line === '') line = longer;
    else {
      lines.push(fitTo(line, columns));
      line = word;
    }
  }
  return [...lines, fitTo(line, columns)];
}

