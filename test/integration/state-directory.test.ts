import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_USER_ID, LockUser } from '../../sidecar/lock/lock-user';
import { StateDirectory } from '../../sidecar/state/state-directory';
import { removeFolder } from '../support/remove-folder';
import { makeFolder, Sidecar } from '../support/sidecar';
import { SmallDisk } from '../support/small-disk';

interface Note {
  readonly version: number;
  readonly text: string;
}

/** Reads version 1, and nothing else. */
function parseNote(json: unknown): Note | null {
  return typeof json === 'object' && json !== null && 'version' in json && json.version === 1 ? (json as Note) : null;
}

const note = (text: string): Note => ({ version: 1, text });
const user = LockUser.detect();

let folder: string;
let failures: string[];
let opened: StateDirectory[];
beforeEach(() => {
  folder = makeFolder();
  failures = [];
  opened = [];
});
afterEach(async () => {
  for (const state of opened) state.close();
  await Sidecar.cleanUp();
  await removeFolder(folder);
});

function open(path = join(folder, 'state')): StateDirectory {
  const state = new StateDirectory(path, ({ operation, detail }) => failures.push(`${operation}: ${detail}`), user);
  opened.push(state);
  return state;
}

test('what is written is there for the next process, in a directory of its own user', () => {
  open().write('note', note('one'));
  const state = open();
  expect(state.read('note', parseNote)).toEqual(note('one'));
  expect(lstatSync(join(folder, 'state')).uid).toBe(LOCK_USER_ID);
  expect(readdirSync(join(folder, 'state'))).toEqual(['note']);
  expect([state.problem(), failures]).toEqual([null, []]);
});

test('nothing was written: nothing is read', () => {
  expect(open().read('note', parseNote)).toBeNull();
  expect(failures).toEqual([]);
});

test.each([
  ['of a newer version', '{"version": 2, "text": "from the future"}\n'],
  ['of garbage', '\0\0\0'],
  ['that is empty, after a power cut', ''],
  ['of more than anybody has written', `"${'x'.repeat(2_000_000)}"`],
])('a file %s is kept aside and reported once; what is written then is read', (_, text) => {
  open().write('note', note('old'));
  writeFileSync(join(folder, 'state/note'), text);
  const state = open();
  expect([state.read('note', parseNote), state.read('note', parseNote)]).toEqual([null, null]);
  expect(failures).toEqual([`state: ${folder}/state/note cannot be understood; it is kept as note.unreadable`]);
  expect(readFileSync(join(folder, 'state/note.unreadable'), 'utf8')).toBe(text);
  state.write('note', note('new'));
  expect(open().read('note', parseNote)).toEqual(note('new'));
});

describe('on a disk of its own', () => {
  let disk: SmallDisk;
  beforeEach(() => { disk = new SmallDisk('256k'); });
  afterEach(() => {
    for (const state of opened) state.close();
    opened = [];
    disk.remove();
  });

  test('that is full: reading follows writing, the former file stays, and it is written as soon as something else is', () => {
    const state = open(join(disk.path, 'state'));
    state.write('note', note('before'));
    disk.fill();
    state.write('note', note('after'));
    state.write('note', note('later'));
    expect(state.read('note', parseNote)).toEqual(note('later'));
    expect(open(join(disk.path, 'state')).read('note', parseNote)).toEqual(note('before'));
    expect(state.problem()).toContain('ENOSPC');
    expect(failures.filter((failure) => failure.includes('ENOSPC'))).toHaveLength(1);
    disk.makeRoom();
    state.write('other', note('other'));
    expect(state.problem()).toBeNull();
    expect(open(join(disk.path, 'state')).read('note', parseNote)).toEqual(note('later'));
  });
});

test('a directory that was deleted meanwhile is made again', () => {
  const state = open();
  rmSync(join(folder, 'state'), { recursive: true });
  state.write('note', note('again'));
  expect(open().read('note', parseNote)).toEqual(note('again'));
});

test.each([
  ['a file', (path: string): void => { writeFileSync(path, ''); }],
  ['a link', (path: string): void => { mkdirSync(`${path}-elsewhere`); symlinkSync(`${path}-elsewhere`, path); }],
  ['a directory of somebody else', (path: string): void => { mkdirSync(path); chownSync(path, 1000, 1000); }],
])('%s in its place is left alone, and said', (_, make) => {
  const path = join(folder, 'state');
  make(path);
  const before = lstatSync(path);
  const state = open();
  state.write('note', note('in memory'));
  expect(state.read('note', parseNote)).toEqual(note('in memory'));
  expect(state.problem()).toContain(path);
  expect([lstatSync(path).uid, existsSync(join(path, 'note'))]).toEqual([before.uid, false]);
});

test('a link in the place of a file is not followed', () => {
  open().write('note', note('own'));
  writeFileSync(join(folder, 'secret'), '{"version": 1, "text": "secret"}');
  rmSync(join(folder, 'state/note'));
  symlinkSync(join(folder, 'secret'), join(folder, 'state/note'));
  const state = open();
  expect(state.read('note', parseNote)).toBeNull();
  state.write('note', note('own'));
  expect([readFileSync(join(folder, 'secret'), 'utf8'), lstatSync(join(folder, 'state/note')).isFile()]).toEqual(['{"version": 1, "text": "secret"}', true]);
});

test('a sidecar whose state directory cannot be used serves the lock, and warns in log and /readyz', async () => {
  const path = join(folder, 'state');
  writeFileSync(path, '');
  chmodSync(path, 0o444);
  const sidecar = await Sidecar.start({ folder });
  const { status, body } = await sidecar.send('GET', '/readyz');
  expect(status).toBe(200);
  const check = (body as { checks: { name: string }[] }).checks.find(({ name }) => name === 'state');
  expect(check).toMatchObject({ ok: true, warning: true, detail: expect.stringMatching(`${path} cannot be used.*ENOTDIR`) });
  expect((await sidecar.put('app')).status).toBe(201);
  const told = (await sidecar.wholeLog()).filter(({ level, message }) => level === 'warn' && String(message).includes(`${path} cannot be used`));
  expect(told).toEqual([expect.objectContaining({ message: expect.stringContaining('ENOTDIR') })]);
});
