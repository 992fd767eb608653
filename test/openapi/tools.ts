import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Where scripts/openapi-tools.mjs has installed what reads OpenAPI documents. */
export const TOOLS = realpathSync(resolve(__dirname, '../../node_modules/.openapi-tools'));

/** A tool of Node.js. */
export const nodeTool = (name: string): string => join(TOOLS, 'node_modules/.bin', name);

/** A tool of Python. */
export const pythonTool = (name: string): string => join(TOOLS, 'python/bin', name);

const ENVIRONMENT = {
  ...process.env,
  // Nothing that a test runs tells anybody about it.
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  NO_COLOR: '1',
};

/** What a command says on standard output. Fails with all that it says if the command does. */
export async function run(folder: string, command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env: { ...ENVIRONMENT, ...environment }, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}
