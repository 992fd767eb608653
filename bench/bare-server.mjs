// What the sidecar is measured against: the least that could do the same to the disk. No checks, no journal, no limits.
import { linkSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [directory, socketPath] = process.argv.slice(2);
const anchor = join(directory, '.bare', 'anchor');
const names = ['updates.lock', 'resin-updates.lock'].map((name) => join(directory, name));
for (const name of names) rmSync(name, { force: true });
mkdirSync(join(directory, '.bare'), { recursive: true });
writeFileSync(anchor, 'bare\n');

const body = JSON.stringify({ name: 'recorder', reason: 'recording' });
let isHeld = false;

createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.method === 'PUT' && !isHeld) for (const name of names) linkSync(anchor, name);
    if (request.method === 'DELETE' && isHeld) for (const name of names) unlinkSync(name);
    if (request.method !== 'GET') isHeld = request.method === 'PUT';
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(socketPath);
