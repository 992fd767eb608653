import { parseArguments } from './arguments';
import { fail } from './failure';
import { run } from './run';

/** Does what a command line says; returns what to exit with. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const invocation = parseArguments(args);
    if (invocation.kind === 'run') return await run(invocation.options, invocation.operands);
    // In a file of its own: `run` should start as fast as if it were not there.
    const { carryOut } = await import('./other-commands.js');
    return await carryOut(invocation);
  } catch (error) {
    return fail(error);
  }
}
