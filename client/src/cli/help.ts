import { COMMANDS, GLOBAL_OPTIONS, type CommandSpec } from './command-table';

/** What the command is for, on a screen of 80 by 24. */
export function generalHelp(): string {
  const commands = COMMANDS.map(({ name, operand, summary }) => {
    const usage = name === 'run' ? 'run [--] COMMAND' : operand === undefined ? name : `${name} ${operand}`;
    return `  ${usage.padEnd(18)}${summary}`;
  });
  return `Usage: update-lock COMMAND [OPTION...]

Holds back updates and reboots of a balena device, through its sidecar.

${commands.join('\n')}

Options: --url URL (default UPDATE_LOCK_URL, else the socket in /run/update-lock
if it is there, else http://update-lock:8080), --version, COMMAND --help

  update-lock run --reason "nightly backup" -- backup.sh /data

Exits: as COMMAND did; 64 wrong usage, 69 the sidecar cannot be reached, 75 the
lock could not be had, 77 not allowed (UPDATE_LOCK_TOKEN).
`;
}

export function commandHelp({ name, usage, summary, options, notes, examples }: CommandSpec): string {
  // A completion script asks the sidecar that the completed command line names.
  const common = name === 'completion' ? GLOBAL_OPTIONS.filter((option) => option.name === 'help') : GLOBAL_OPTIONS;
  const all = [...options, ...common].map((option) => ({
    left: option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value}`,
    help: option.help,
  }));
  const width = Math.max(...all.map(({ left }) => left.length));
  return `Usage: update-lock ${name} ${usage}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

${all.map(({ left, help }) => `  ${left.padEnd(width)}  ${help}`).join('\n')}

${notes.join('\n\n')}

${examples.map((example) => `  ${example}`).join('\n')}
`;
}
