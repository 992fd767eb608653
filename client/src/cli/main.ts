import { parseArguments, type Invocation } from './arguments';
import type { CommandName } from './command-table';
import { EXIT } from './exits';
import type { Options } from './options';
import { print, tell } from './output';
import { UsageError } from './usage-error';

declare const __VERSION__: string;

/**
 * Does what a command line says; returns what to exit with. What a command needs is loaded when it is needed: `run` should
 * start as fast as if it were not there.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await carryOut(parseArguments(args));
  } catch (error) {
    const { explain } = await import('./failure.js');
    const { exit, message } = explain(error);
    if (message !== null) tell(message);
    if (error instanceof UsageError) {
      const command = error.command === undefined ? '' : `${error.command} `;
      tell(`see update-lock ${command}--help`);
    }
    return exit;
  }
}

async function carryOut(invocation: Invocation): Promise<number> {
  switch (invocation.kind) {
    case 'version':
      print(`update-lock ${__VERSION__}\n`);
      return EXIT.ok;
    case 'help': {
      const { commandHelp, generalHelp } = await import('./help.js');
      print(invocation.command === undefined ? generalHelp() : commandHelp(invocation.command));
      return EXIT.ok;
    }
    case 'command':
      return PERFORM[invocation.command.name](invocation.options, invocation.operands);
  }
}

/** What each command does; resolves to what to exit with. */
const PERFORM: Readonly<Record<CommandName, (options: Options, operands: readonly string[]) => Promise<number>>> = {
  run: async (...call) => (await import('./run.js')).run(...call),
  acquire: async (...call) => (await import('./lease-commands.js')).acquire(...call),
  renew: async (...call) => (await import('./lease-commands.js')).renew(...call),
  release: async (...call) => (await import('./lease-commands.js')).release(...call),
  status: async (options) => (await import('./status.js')).status(options),
  watch: async (options) => (await import('./watch.js')).watch(options),
  'wait-update': async (options) => (await import('./update-commands.js')).waitUpdate(options),
  update: async (options) => (await import('./update-commands.js')).requestUpdate(options),
  completion: async (options, [shell]) => {
    if (shell !== 'bash' && shell !== 'zsh') return (await import('./lease-commands.js')).listLeases(options);
    print((await import('./completion.js')).completionScript(shell));
    return EXIT.ok;
  },
};
