#!/usr/bin/env node
import { parseArguments } from './cli/arguments';
import { fail } from './cli/failure';
import { run } from './cli/run';

/** Does what a command line says; returns what to exit with. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const invocation = parseArguments(args);
    if (invocation.kind === 'run') return await run(invocation.options, invocation.operands);
    // In a file of its own: `run` should start as fast as if it were not there.
    const { carryOut } = await import('./cli/other-commands.js');
    return await carryOut(invocation);
  } catch (error) {
    return fail(error);
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
