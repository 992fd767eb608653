import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const RECIPES = readFileSync(resolve(__dirname, '../../docs/recipes.md'), 'utf8');

const children: ChildProcess[] = [];

/** The code under a heading of the recipes. */
export function recipe(heading: string): string {
  const section = RECIPES.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return /^```\w+\n(.*?)^```$/ms.exec(section)?.[1] ?? '';
}

/** A program from the recipes with what differs over TCP. */
export function overTcp(language: string, source: string, port: number): string {
  const rows = RECIPES.split('\n').filter((line) => line.startsWith(`| ${language} |`));
  if (rows.length === 0) throw new Error(`the recipes do not say what differs over TCP in ${language}`);
  return rows.reduce((text, row) => {
    const [before = '', after = ''] = [...row.matchAll(/`(.*?)`/g)].map(([, code = '']) => code);
    if (!text.includes(before)) throw new Error(`the recipe for ${language} does not have ${before}`);
    return text.replaceAll(before, after);
  }, source).replaceAll('update-lock:8080', `127.0.0.1:${String(port)}`).replaceAll('"update-lock", 8080', `"127.0.0.1", ${String(port)}`);
}

/** Runs a command in a folder, whose `bin` comes first in the search path. */
export function start(folder: string, command: readonly string[], environment: Record<string, string> = {}, stderr: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
  const [program = '', ...args] = command;
  const PATH = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
  const child = spawn(program, args, { cwd: folder, env: { PATH, ...environment }, stdio: ['pipe', 'pipe', stderr], detached: true });
  children.push(child);
  return child;
}

export async function hasStarted(child: ChildProcess): Promise<void> {
  const [text] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  expect(text.toString()).toBe('started\n');
}

/** Kills all that are left. */
export function endAll(): void {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}
