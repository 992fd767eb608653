import { parseArguments, type Invocation } from './arguments';
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
    const { explain } = await import('./failure');
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
      const { commandHelp, generalHelp } = await import('./help');
      print(invocation.command === undefined ? generalHelp() : commandHelp(invocation.command));
      return EXIT.ok;
    }
    case 'command':
      return (await perform(invocation)) ?? EXIT.ok;
  }
}

/** @returns what to exit with, if that is not 0 */
async function perform({ command, options, operands }: Extract<Invocation, { kind: 'command' }>): Promise<number | undefined> {
  switch (command.name) {
    case 'run':
      return (await import('./run')).run(options, operands);
    case 'acquire':
      return void (await (await import('./lease-commands')).acquire(options, operands));
    case 'renew':
      return void (await (await import('./lease-commands')).renew(options, operands));
    case 'release':
      return void (await (await import('./lease-commands')).release(options, operands));
    case 'status':
      return void (await (await import('./status')).status(options));
    case 'watch':
      return void (await (await import('./watch')).watch(options));
    case 'wait-update':
      return (await import('./update-commands')).waitUpdate(options);
    case 'update':
      return (await import('./update-commands')).requestUpdate(options);
    case 'completion':
      return complete(operands[0], options);
  }
}

async function complete(shell: string | undefined, options: Options): Promise<undefined> {
  if (shell === 'bash' || shell === 'zsh') print((await import('./completion')).completionScript(shell));
  else await (await import('./lease-commands')).listLeases(options);
}
