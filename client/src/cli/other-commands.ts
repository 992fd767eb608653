import type { Invocation, OtherCommandName } from './arguments';
import { completionScript } from './completion';
import { EXIT } from './exits';
import { fail } from './failure';
import { commandHelp, generalHelp } from './help';
import { history } from './history';
import { acquire, listLeases, release, renew } from './lease-commands';
import type { Options } from './arguments';
import { print } from './output';
import { override } from './override';
import { status } from './status';
import { requestUpdate, waitUpdate } from './update-commands';
import { watch } from './watch';

declare const __VERSION__: string;

/** Runs all commands but `run`, and returns the exit status. Errors are handled here: bundled apart, their classes differ from those of `run`. */
export async function carryOut(invocation: Exclude<Invocation, { kind: 'run' }>): Promise<number> {
  try {
    switch (invocation.kind) {
      case 'version':
        print(`update-lock ${__VERSION__}\n`);
        return EXIT.ok;
      case 'help':
        print(invocation.command === undefined ? generalHelp() : commandHelp(invocation.command));
        return EXIT.ok;
      case 'command':
        return await PERFORM[invocation.name](invocation.options, invocation.operands);
    }
  } catch (error) {
    return fail(error);
  }
}

/** The commands; each resolves to its exit status. */
const PERFORM: Readonly<Record<OtherCommandName, (options: Options, operands: readonly string[]) => Promise<number>>> = {
  acquire,
  renew,
  release,
  status,
  watch,
  'wait-update': waitUpdate,
  update: requestUpdate,
  history,
  override,
  completion: (options, [shell]) => {
    if (shell !== 'bash' && shell !== 'zsh') return listLeases(options);
    print(completionScript(shell));
    return Promise.resolve(EXIT.ok);
  },
};
