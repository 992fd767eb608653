import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findCommand, GLOBAL_OPTIONS, OVERRIDE_ACTIONS, type CommandName, type CommandSpec, type OptionSpec } from './command-table';
import { UsageError } from './usage-error';
import { parseDuration } from '../duration';

/** The options that were given, by name; flags are `true`. */
export type Options = Readonly<Record<string, string | true>>;

/** A command line that was understood. */
export type Invocation =
  | { readonly kind: 'help'; readonly command: CommandSpec | undefined }
  | { readonly kind: 'version' }
  | ({ readonly kind: 'run' } & Details)
  | ({ readonly kind: 'command'; readonly name: OtherCommandName } & Details);

export type OtherCommandName = Exclude<CommandName, 'run'>;

interface Details {
  readonly options: Options;
  readonly operands: readonly string[];
}

/** The names that a lease can have. Others are refused before the sidecar is asked. */
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SHELLS = ['bash', 'zsh', 'leases'];

const VERSION_OPTION: OptionSpec = { name: 'version', type: 'flag', help: '' };

/** @throws UsageError */
export function parseArguments(args: readonly string[]): Invocation {
  const first = readOptions(args, [...GLOBAL_OPTIONS, VERSION_OPTION], undefined);
  if (first.options['help'] === true) return { kind: 'help', command: undefined };
  if (first.options['version'] === true) return { kind: 'version' };
  const [word, ...rest] = first.rest;
  if (word === undefined) throw new UsageError('which command?');
  if (word === 'help') return help(rest[0]);
  const command = commandNamed(word);
  const { options, rest: operands } = readOptions(rest, [...command.options, ...GLOBAL_OPTIONS], command);
  if (options['help'] === true) return { kind: 'help', command };
  for (const spec of [...command.options, ...GLOBAL_OPTIONS]) checkOption(spec, options, command);
  checkOperands(command, operands);
  const { name } = command;
  const details: Details = { options: { ...first.options, ...options }, operands };
  return name === 'run' ? { kind: 'run', ...details } : { kind: 'command', name, ...details };
}

function help(topic: string | undefined): Invocation {
  return { kind: 'help', command: topic === undefined ? undefined : commandNamed(topic) };
}

function commandNamed(word: string): CommandSpec {
  const command = findCommand(word);
  if (command === undefined) throw new UsageError(`there is no command '${word}'`);
  return command;
}

/**
 * Reads options anywhere, or only up to the first operand if the rest belongs to another command: before our own command's name, and
 * for `run` before COMMAND.
 */
function readOptions(args: readonly string[], specs: readonly OptionSpec[], command: CommandSpec | undefined): { options: Options; rest: string[] } {
  const stopsAtOperand = command === undefined || command.name === 'run';
  // The most frequent case, without the cost of loading the parser: `run` should start fast.
  if (args[0] === '--') return { options: {}, rest: args.slice(1) };
  if (stopsAtOperand && args[0]?.startsWith('-') !== true) return { options: {}, rest: [...args] };
  const config = Object.fromEntries(specs.map(({ name, type }) => [name, { type: type === 'flag' ? ('boolean' as const) : ('string' as const) }]));
  const { tokens } = parseArgs({ args: [...args], options: { ...config, help: { type: 'boolean', short: 'h' } }, strict: false, allowPositionals: true, tokens: true });
  const options: Record<string, string | true> = {};
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') return { options, rest: [...rest, ...args.slice(token.index + 1)] };
    if (token.kind === 'positional') {
      if (stopsAtOperand) return { options, rest: args.slice(token.index) };
      rest.push(token.value);
      continue;
    }
    const spec = specs.find(({ name }) => name === token.name);
    if (spec === undefined) throw new UsageError(`${command?.name ?? 'update-lock'} has no option '${token.rawName}'`, command?.name);
    options[token.name] = optionValue(spec, token, command);
  }
  return { options, rest };
}

function optionValue(spec: OptionSpec, token: { value?: string | undefined; inlineValue?: boolean | undefined }, command: CommandSpec | undefined): string | true {
  const { value, inlineValue } = token;
  if (spec.type === 'flag') {
    if (value !== undefined) throw new UsageError(`--${spec.name} takes no value`, command?.name);
    return true;
  }
  // `--name --reason R` would make a lease called "--reason".
  if (value === undefined || (inlineValue !== true && value.startsWith('-'))) {
    throw new UsageError(`--${spec.name} needs a value: --${spec.name}=${spec.value ?? ''}`, command?.name);
  }
  return value;
}

function checkOption(spec: OptionSpec, options: Options, command: CommandSpec): void {
  const value = options[spec.name];
  if (value === undefined) return;
  if (spec.excludes !== undefined && options[spec.excludes] !== undefined) {
    throw new UsageError(`--${spec.name} and --${spec.excludes} exclude each other`, command.name);
  }
  if (value === true) return;
  if (spec.type === 'duration' && parseDuration(value) === null) {
    throw new UsageError(`--${spec.name}: '${value}' is not a duration; allowed is a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d`, command.name);
  }
  if (spec.type === 'choice' && spec.choices?.includes(value) === false) {
    throw new UsageError(`--${spec.name}: '${value}' is not one of ${spec.choices.join(', ')}`, command.name);
  }
  if (spec.type === 'name') checkName(value, command);
}

function checkName(name: string, command: CommandSpec): void {
  if (name.startsWith('@')) throw new UsageError(`'${name}': names beginning with @ are the sidecar's own`, command.name);
  if (!NAME_PATTERN.test(name)) {
    throw new UsageError(`'${name}' cannot be a lease's name: 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit`, command.name);
  }
}

function checkOperands(command: CommandSpec, operands: readonly string[]): void {
  const [first, second] = operands;
  if (command.name === 'run') {
    if (first === undefined) throw new UsageError('run which command?', command.name);
    return;
  }
  if (command.operand === 'ACTION') checkAction(command, first);
  if (command.operand === undefined && first !== undefined) throw new UsageError(`${command.name} takes no '${first}'`, command.name);
  if (command.operand !== undefined && first === undefined) throw new UsageError(`${command.name} which ${command.operand}?`, command.name);
  if (second !== undefined) throw new UsageError(`${command.name} takes one ${command.operand ?? ''}: what is '${second}'?`, command.name);
  if (command.operand === 'NAME') checkName(first ?? '', command);
  if (command.operand === 'SHELL' && !SHELLS.includes(first ?? '')) throw new UsageError(`there is completion for bash and zsh, not for '${first ?? ''}'`, command.name);
}

function checkAction({ name }: CommandSpec, action: string | undefined): void {
  if (action === undefined) throw new UsageError(`${name} allow, hold or clear?`, name);
  if (!OVERRIDE_ACTIONS.includes(action)) throw new UsageError(`${name} takes allow, hold or clear, not '${action}'`, name);
}

/** The value of an option that has one. */
export function textOf(option: string | true | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/**
 * The sidecar and the token that the options name.
 * @throws UsageError if the file of the token cannot be read, or has none in it
 */
export function sidecarOf({ url, 'token-file': tokenFile }: Options): { url?: string; token?: string } {
  return { ...(typeof url === 'string' ? { url } : {}), ...(typeof tokenFile === 'string' ? { token: readToken(tokenFile) } : {}) };
}

function readToken(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--token-file: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`--token-file: ${path} does not have one token in it: a line of visible ASCII characters is allowed`);
  return token;
}
