import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Page, type PageOptions } from './page';
import { removeFolder } from './remove-folder';

/* eslint-disable @typescript-eslint/no-explicit-any */

/** As root there is no sandbox, and in a container /dev/shm may be small. Nothing is asked of the network but by pages. */
const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-extensions', '--disable-sync', '--no-proxy-server',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--hide-scrollbars', '--force-color-profile=srgb',
];

interface Reply {
  readonly resolve: (result: any) => void;
  readonly reject: (error: Error) => void;
}

/** Something that Chromium tells of a page. */
export interface Told {
  readonly method: string;
  readonly params: any;
}

/**
 * A real Chromium, driven by the DevTools protocol over a pipe: messages are JSON, each ended by a NUL, commands on its
 * descriptor 3, answers and events on 4 (chromium `content/browser/devtools/devtools_pipe_handler.cc`).
 */
export class Browser {
  readonly #replies = new Map<number, Reply>();
  readonly #listeners = new Map<string, (told: Told) => void>();
  readonly #exited: Promise<unknown>;
  #id = 0;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    this.#exited = once(process, 'exit').then(() => {
      for (const { reject } of this.#replies.values()) reject(new Error('Chromium has exited'));
    });
    let text = '';
    (process.stdio[4] as Duplex).setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'update-lock-browser-'));
    const command = spawn('chromium', [...FLAGS, `--user-data-dir=${folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: folder, ...environment },
    });
    await once(command, 'spawn');
    return new Browser(command, folder);
  }

  /** A page in a browser profile of its own: another reader, with another session. */
  async open(url: string, options: PageOptions = {}): Promise<Page> {
    const { browserContextId } = await this.send('Target.createBrowserContext');
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId as string), () => this.send('Target.closeTarget', { targetId }));
    this.#listeners.set(sessionId as string, page.onTold);
    await page.open(url, options);
    return page;
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    this.#id += 1;
    const id = this.#id;
    const replied = new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
    (this.process.stdio[3] as Duplex).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return replied;
  }

  async close(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#exited;
    await removeFolder(this.folder);
  }

  #take({ id, method, params, sessionId, result, error }: any): void {
    if (id === undefined) {
      this.#listeners.get(sessionId as string)?.({ method, params });
      return;
    }
    const reply = this.#replies.get(id as number);
    this.#replies.delete(id as number);
    if (error === undefined) reply?.resolve(result);
    else reply?.reject(new Error(`${String(error.message)} ${String(error.data ?? '')}`));
  }
}
