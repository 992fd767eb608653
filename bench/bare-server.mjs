// What the sidecar is measured against: the least that could do the same to the disk. No checks, no limits, and no journal, unless it is
// `durable`: then it makes the same system calls for the lock and the leases as the sidecar does.
import { closeSync, fstatSync, linkSync, lstatSync, mkdirSync, openSync, rmSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [directory, socketPath, durable] = process.argv.slice(2);
const anchor = join(directory, '.bare', 'anchor');
const journal = join(directory, '.bare', 'journal');
const names = ['updates.lock', 'resin-updates.lock'].map((name) => join(directory, name));
for (const name of names) rmSync(name, { force: true });
mkdirSync(join(directory, '.bare'), { recursive: true });
writeFileSync(anchor, 'bare\n');
closeSync(openSync(journal, 'w'));
const journalFd = openSync(journal, 'r+');

/** As long as a record of the sidecar's journal. */
const line = Buffer.alloc(2048);
const body = JSON.stringify({ name: 'recorder', reason: 'recording' });
const held = new Set();
/** The place of each lease in the journal. */
const places = new Map();

function record(name, isLive) {
  // Whether the lock is ours on disk, and the journal is where the next process looks for it.
  const isHeld = names.every((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  const isThere = lstatSync(journal).ino === fstatSync(journalFd).ino;
  if (!isHeld || !isThere) throw new Error('the lock or the journal is gone');
  if (!places.has(name)) places.set(name, places.size);
  line.fill(0x20).write(JSON.stringify({ name, isLive, reason: 'recording', ttlMs: 60_000, sinceMs: Date.now() }));
  writeSync(journalFd, line, 0, line.length, places.get(name) * line.length);
}

function take(name) {
  if (held.size === 0) for (const path of names) linkSync(anchor, path);
  if (durable) record(name, true);
  held.add(name);
}

function giveBack(name) {
  if (durable) record(name, false);
  held.delete(name);
  if (held.size === 0) for (const path of names) unlinkSync(path);
}

createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.method === 'PUT') take(request.url);
    if (request.method === 'DELETE' && held.has(request.url)) giveBack(request.url);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(socketPath);
