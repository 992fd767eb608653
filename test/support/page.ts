import type { Told } from './browser';
import { until } from './until';

/* eslint-disable @typescript-eslint/no-explicit-any */

export interface PageOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
  readonly timezone?: string;
  readonly reducedMotion?: boolean;
  /** What runs before anything of the page's own. */
  readonly script?: string;
}

/** Keys by their name, as in `KeyboardEvent.key`. */
const KEYS: Readonly<Record<string, readonly [number, string?]>> = { Tab: [9], Enter: [13, '\r'], Escape: [27], ' ': [32, ' '] };
const SHIFT = 8;

/** How slow a page may be on a machine that is busy with everything else, in milliseconds. */
const SHOWN_WITHIN_MS = 20_000;

/** A page as a person has it in front of them: what can be seen, clicked and typed, and what goes out from it. */
export class Page {
  /** What it has asked for, whoever answered. */
  readonly requests: string[] = [];
  /** What the browser has complained of: errors, policies that were violated. */
  readonly complaints: string[] = [];

  constructor(
    readonly send: (method: string, params?: object) => Promise<any>,
    readonly close: () => Promise<unknown>,
  ) {}

  readonly onTold = ({ method, params }: Told): void => {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url as string);
    else if (method === 'Runtime.exceptionThrown') this.complaints.push(String(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text));
    else if (method === 'Log.entryAdded') this.complaints.push(`${String(params.entry.source)}: ${String(params.entry.text)}`);
    else if (method === 'Audits.issueAdded') this.complaints.push(JSON.stringify(params.issue));
  };

  async open(url: string, options: PageOptions): Promise<void> {
    const { scheme = 'light', width = 1280, height = 900, scale = 1, timezone = 'UTC', reducedMotion = true, script } = options;
    for (const domain of ['Page', 'Runtime', 'Network', 'Log', 'Audits']) await this.send(`${domain}.enable`);
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: false });
    await this.send('Emulation.setTimezoneOverride', { timezoneId: timezone });
    await this.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    await this.setScheme(scheme, reducedMotion);
    if (script !== undefined) await this.send('Page.addScriptToEvaluateOnNewDocument', { source: script });
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${String(errorText)}`);
    await until(() => this.run('document.readyState === "complete"'), SHOWN_WITHIN_MS);
  }

  async setScheme(scheme: 'light' | 'dark', reducedMotion = true): Promise<void> {
    const features = [
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
    ];
    await this.send('Emulation.setEmulatedMedia', { features });
  }

  /** The value of an expression in the page, awaited if it is a promise. */
  async run(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(String(exceptionDetails.exception?.description ?? exceptionDetails.text));
    return result.value;
  }

  /** What a person reads there: the text that is shown. */
  async text(selector = 'body'): Promise<string> {
    return (await this.run(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)) as string;
  }

  async shows(text: string | RegExp, selector = 'body'): Promise<void> {
    let last = '';
    try {
      await until(async () => {
        last = await this.text(selector);
        return typeof text === 'string' ? last.includes(text) : text.test(last);
      }, SHOWN_WITHIN_MS);
    } catch {
      throw new Error(`${selector} does not show ${String(text)}, but: ${last}`);
    }
  }

  async showsNot(text: string, selector = 'body'): Promise<void> {
    await until(async () => !(await this.text(selector)).includes(text), SHOWN_WITHIN_MS);
  }

  /** Clicks where the button with this name is, as a mouse does. */
  async click(name: string): Promise<void> {
    const find = `[...document.querySelectorAll('button')].find((each) => each.checkVisibility() && (each.ariaLabel ?? each.innerText) === ${JSON.stringify(name)})`;
    await until(async () => (await this.run(`${find} !== undefined`)) as boolean, SHOWN_WITHIN_MS);
    // Not while something above it is still growing.
    const { x, y } = await this.run(`new Promise((resolve) => {
      let last = '';
      const look = () => {
        const button = ${find};
        button?.scrollIntoView({ block: 'center' });
        const { x, y, width, height } = button?.getBoundingClientRect() ?? {};
        const place = JSON.stringify([x, y]);
        if (button !== undefined && place === last) resolve({ x: x + width / 2, y: y + height / 2 });
        else requestAnimationFrame(look);
        last = place;
      };
      look();
    })`);
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
    }
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async press(key: keyof typeof KEYS, withShift = false): Promise<void> {
    const [windowsVirtualKeyCode, text] = KEYS[key] ?? [0];
    const common = { key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode, modifiers: withShift ? SHIFT : 0 };
    await this.send('Input.dispatchKeyEvent', { type: text === undefined ? 'rawKeyDown' : 'keyDown', ...common, ...(text === undefined ? {} : { text }) });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  /** What has the focus, by its name. */
  async focused(): Promise<string> {
    return (await this.run('document.activeElement.ariaLabel ?? (document.activeElement.innerText || document.activeElement.id)')) as string;
  }

  /** A PNG of what is to be seen, or of all of the page. */
  async screenshot(whole = false): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole, ...(whole ? { clip: await this.#wholeClip() } : {}) });
    return Buffer.from(data as string, 'base64');
  }

  async #wholeClip(): Promise<object> {
    const { cssContentSize } = await this.send('Page.getLayoutMetrics');
    return { x: 0, y: 0, width: cssContentSize.width, height: cssContentSize.height, scale: 1 };
  }
}
