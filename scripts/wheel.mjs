// Makes the wheel of the Python client where there is no Python, as in the image's build: node scripts/wheel.mjs FOLDER
// client/python/build_wheel.py makes the same one for pip; a test compares them.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const source = fileURLToPath(new URL('../client/python/', import.meta.url));
const read = (name) => readFileSync(join(source, name), 'utf8');
const field = (name) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(read('pyproject.toml'))[1];

/** 1980-01-01, the first date that a zip file can have: the same files make the same wheel. */
const DATE = 0x21;

/** A zip file whose entries are stored as they are. */
function zip(files) {
  const [entries, directory] = [[], []];
  let offset = 0;
  for (const [name, content] of files) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(0o644 << 16, 6);
    rest.writeUInt32LE(offset, 10);
    entries.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), content);
    // Made on Unix, so that the permissions count.
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, Buffer.from(name));
    offset += 30 + name.length + content.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...entries, ...directory, Buffer.from('PK\x05\x06'), end]);
}

const version = field('version');
const info = `update_lock_client-${version}.dist-info`;
const metadata = [
  ['Metadata-Version', '2.1'], ['Name', field('name')], ['Version', version], ['Summary', field('description')],
  ['License', 'Apache-2.0'], ['Requires-Python', field('requires-python')], ['Description-Content-Type', 'text/markdown'],
].map(([name, value]) => `${name}: ${value}\n`).join('');
const files = [
  ['update_lock/__init__.py', read('update_lock.py')],
  ['update_lock/py.typed', ''],
  [`${info}/METADATA`, `${metadata}\n${read('README.md')}`],
  [`${info}/WHEEL`, 'Wheel-Version: 1.0\nGenerator: update-lock\nRoot-Is-Purelib: true\nTag: py3-none-any\n'],
].map(([name, text]) => [name, Buffer.from(text)]);
const record = files.map(([name, content]) => `${name},sha256=${createHash('sha256').update(content).digest('base64url')},${content.length}\n`).join('');
files.push([`${info}/RECORD`, Buffer.from(`${record}${info}/RECORD,,\n`)]);
writeFileSync(join(process.argv[2], `update_lock_client-${version}-py3-none-any.whl`), zip(files));
