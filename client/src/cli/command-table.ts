/** An option, and the values that it can have. */
export interface OptionSpec {
  readonly name: string;
  /** Stands for the value in the help; an option without one is a flag. */
  readonly value?: string;
  /** Text is taken as it is. */
  readonly type: 'flag' | 'text' | 'name' | 'duration' | 'choice';
  readonly choices?: readonly string[];
  readonly help: string;
  /** Another option that excludes it. */
  readonly excludes?: string;
}

export type CommandName = 'run' | 'acquire' | 'renew' | 'release' | 'status' | 'watch' | 'wait-update' | 'update' | 'history' | 'override' | 'completion';

export interface CommandSpec {
  readonly name: CommandName;
  /** After the name of the command, in its help and in the general one. */
  readonly usage: string;
  readonly summary: string;
  readonly operand?: 'NAME' | 'SHELL' | 'ACTION';
  readonly options: readonly OptionSpec[];
  /** Paragraphs, lines of at most 80 columns. */
  readonly notes: readonly string[];
  readonly examples: readonly string[];
}

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'url', value: 'URL', type: 'text', help: 'the sidecar, http(s)://HOST:PORT or unix:/PATH' },
  { name: 'token-file', value: 'FILE', type: 'text', help: 'a file with the token; default: UPDATE_LOCK_TOKEN' },
  { name: 'help', type: 'flag', help: 'this text' },
];

/** What `override` can do. */
export const OVERRIDE_ACTIONS: readonly string[] = ['allow', 'hold', 'clear'];

const REASON: OptionSpec = { name: 'reason', value: 'R', type: 'text', help: 'why, for everybody who looks' };
const TTL: OptionSpec = { name: 'ttl', value: 'D', type: 'duration', help: 'for how long, from now' };
const JSON_LEASE: OptionSpec = { name: 'json', type: 'flag', help: 'print the lease as JSON' };

/** All commands. Parsing, help and completion follow from this table. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    usage: '[OPTION...] [--] COMMAND [ARG...]',
    summary: 'hold the lock while COMMAND runs',
    options: [
      { name: 'name', value: 'N', type: 'name', help: 'the name of the lease; default: COMMAND, host and process' },
      REASON,
      { name: 'wait', value: 'D', type: 'duration', help: 'wait this long for the lock; default: without limit', excludes: 'no-wait' },
      { name: 'no-wait', type: 'flag', help: 'do not wait at all' },
      { name: 'on-lost', value: 'term|warn', type: 'choice', choices: ['term', 'warn'], help: 'if the lock is lost: end COMMAND, or say so (default)' },
    ],
    notes: [
      'COMMAND starts when the lock is held, with UPDATE_LOCK_HELD=1 and\nUPDATE_LOCK_NAME in its environment. Signals are passed on to it. The lock is\nreleased when it ends.',
      'Exits as COMMAND did, with 128+N if signal N ended it; 126 if COMMAND cannot be\nrun, 127 if it is not there; 75 if the lock was lost with --on-lost term.',
    ],
    examples: ['update-lock run --reason "nightly backup" -- backup.sh /data', 'update-lock run --no-wait --on-lost term -- recorder'],
  },
  {
    name: 'acquire',
    usage: 'NAME [OPTION...]',
    summary: 'hold the lock for a time, or extend that time',
    operand: 'NAME',
    options: [
      TTL,
      REASON,
      { name: 'wait', value: 'D', type: 'duration', help: 'wait this long for the lock; default: 1s, 0: not at all' },
      JSON_LEASE,
    ],
    notes: [
      'The default of --ttl is a setting of the sidecar (UPDATE_LOCK_DEFAULT_TTL, 5m).\nThe lease then ends by itself: renew it in time, and release it when done.',
      'Prints a line on a terminal, and nothing otherwise.',
    ],
    examples: ['update-lock acquire recorder --ttl 10m --reason recording'],
  },
  {
    name: 'renew',
    usage: 'NAME [OPTION...]',
    summary: 'extend a lease that is live',
    operand: 'NAME',
    options: [TTL, JSON_LEASE],
    notes: [
      'Exits 75 if the lease has ended, and says how: the work was not protected.',
    ],
    examples: ['update-lock renew recorder --ttl 10m'],
  },
  {
    name: 'release',
    usage: 'NAME',
    summary: 'end a lease',
    operand: 'NAME',
    options: [],
    notes: [
      'Also exits 0 if there was no such lease.',
    ],
    examples: ['update-lock release recorder'],
  },
  {
    name: 'status',
    usage: '[--json] [--check]',
    summary: 'who holds back updates, why and until when',
    options: [
      { name: 'json', type: 'flag', help: 'print what GET /v1/lock answers' },
      { name: 'check', type: 'flag', help: 'exit 1 if updates are held back' },
    ],
    notes: [
      'Exits 0 in every state. With --check, exits 0 if updates are possible now or one\nis being applied, and 1 if they are held back.',
    ],
    examples: ['update-lock status', "update-lock status --json | jq -r '.leases[].name'"],
  },
  {
    name: 'watch',
    usage: '[--json]',
    summary: 'show the status, and each change of it',
    options: [{ name: 'json', type: 'flag', help: 'print each event as a line of JSON: {"id", "type", "data"}' }],
    notes: [
      'On a terminal it shows what status prints, anew at every event, until Ctrl-C.\nPiped, it prints a line for each event. If the sidecar goes away, it waits until\nthe sidecar is back.',
    ],
    examples: ['update-lock watch', 'update-lock watch --json | jq --unbuffered .type'],
  },
  {
    name: 'wait-update',
    usage: '[--timeout D]',
    summary: 'wait until an update waits',
    options: [
      { name: 'timeout', value: 'D', type: 'duration', help: 'give up after this long; default: never' },
      { name: 'json', type: 'flag', help: 'print the update as JSON' },
    ],
    notes: [
      'Exits 0 as soon as an update waits, 75 at the end of the timeout, and 69 if the\nsidecar has no access to the Supervisor.',
      'It also waits for a sidecar that is not up yet, or restarts.',
    ],
    examples: ['update-lock wait-update --timeout 1h && finish-up'],
  },
  {
    name: 'update',
    usage: '[--force]',
    summary: 'ask the Supervisor to try the update now',
    options: [
      { name: 'force', type: 'flag', help: 'take the lock away from its holders; needs the admin token' },
      { name: 'json', type: 'flag', help: 'print the update as JSON' },
    ],
    notes: [
      'Exits 0 once the Supervisor has been asked, and 69 if it cannot be asked.\nWithout --force the update still waits for the lock.',
    ],
    examples: ['update-lock update', 'UPDATE_LOCK_TOKEN="$ADMIN_TOKEN" update-lock update --force'],
  },
  {
    name: 'history',
    usage: '[--json]',
    summary: 'what has happened lately, newest first',
    options: [{ name: 'json', type: 'flag', help: 'print what GET /v1/history answers' }],
    notes: [
      'Up to fifty events since the sidecar was started, each as a line: when, what and\nwhy.',
    ],
    examples: ['update-lock history', "update-lock history --json | jq -r '.events[].text'"],
  },
  {
    name: 'override',
    usage: 'allow|hold --for D [--reason R] | override clear',
    summary: 'allow or hold updates by hand',
    operand: 'ACTION',
    options: [{ name: 'for', value: 'D', type: 'duration', help: 'for how long, at most 30d' }, REASON],
    notes: [
      'allow: updates are allowed, also outside of update windows; apps can still hold\nthe lock. hold: updates are held back. clear ends either before its time.',
      'There is one override at a time; a new one replaces it. It outlives restarts and\nreboots. All three need the admin token.',
    ],
    examples: ['update-lock override allow --for 1h --reason "agreed with the shop"', 'update-lock override clear --token-file /run/secrets/admin-token'],
  },
  {
    name: 'completion',
    usage: 'bash|zsh',
    summary: 'print the completion script for a shell',
    operand: 'SHELL',
    options: [],
    notes: [
      'It completes commands, options, and the names of live leases.',
    ],
    examples: ['source <(update-lock completion bash)', 'update-lock completion zsh > "${fpath[1]}/_update-lock"'],
  },
];

export function findCommand(name: string): CommandSpec | undefined {
  return COMMANDS.find((command) => command.name === name);
}
