// Loaded into a process before its own code: its monotonic clock is ahead by the milliseconds in a file, and so are its timers. SIGUSR2 has it read
// the file again.
const { readFileSync } = require('node:fs');

// Shorter timers are not moved: among them are those of requests that are under way.
const STAYS_MS = 30_000;

const real = { setTimeout, clearTimeout, hrtime: process.hrtime };
const read = () => Number(readFileSync(process.env.MOVED_CLOCK_FILE, 'utf8'));
let aheadMs = read();
const timers = new Set();

const nowMs = () => Number(real.hrtime.bigint()) / 1e6 + aheadMs;

process.hrtime = Object.assign(() => [Math.floor(nowMs() / 1000), Math.floor((nowMs() % 1000) * 1e6)], { bigint: real.hrtime.bigint });

class Timer {
  #isRefed = true;

  constructor(callback, delayMs) {
    this.callback = callback;
    this.delayMs = delayMs;
    this.refresh();
  }

  refresh() {
    this.dueMs = nowMs() + this.delayMs;
    timers.add(this);
    this.arm();
    return this;
  }

  arm() {
    real.clearTimeout(this.timer);
    this.timer = real.setTimeout(() => {
      timers.delete(this);
      this.callback();
    }, Math.max(0, this.dueMs - nowMs()));
    if (!this.#isRefed) this.timer.unref();
  }

  unref() {
    this.#isRefed = false;
    this.timer.unref();
    return this;
  }

  ref() {
    this.#isRefed = true;
    this.timer.ref();
    return this;
  }

  clear() {
    timers.delete(this);
    real.clearTimeout(this.timer);
  }
}

globalThis.setTimeout = (callback, delayMs = 0, ...args) => new Timer(() => { callback(...args); }, delayMs);
globalThis.clearTimeout = (timer) => { timer instanceof Timer ? timer.clear() : real.clearTimeout(timer); };

process.on('SIGUSR2', () => {
  aheadMs = read();
  for (const timer of timers) if (timer.delayMs > STAYS_MS) timer.arm();
});
