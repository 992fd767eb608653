import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Coordinator } from '../support/coordinator';
import { makeFolder, Sidecar } from '../support/sidecar';
import { nodeTool, pythonTool, run, TOOLS } from './tools';

const TOKEN = 'the-token';
const DOCUMENTS = ['sidecar', 'coordinator'];
let folder: string;
let sidecar: Sidecar;
let coordinator: Coordinator;
let urls: string[];

beforeAll(async () => {
  sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: TOKEN } });
  coordinator = await Coordinator.start({ COORDINATOR_DEVICE_TOKEN: TOKEN, COORDINATOR_GROUPS: 'default=10' });
  folder = sidecar.folder;
  writeFileSync(join(folder, 'sidecar.json'), (await sidecar.send('GET', '/openapi.json')).text);
  writeFileSync(join(folder, 'coordinator.json'), (await coordinator.send('GET', '/openapi.json')).text);
  const { port } = sidecar.tcpTarget as { port: number };
  urls = [`http://127.0.0.1:${String(port)}`, coordinator.url.origin];
});
afterAll(async () => {
  await Promise.all([Sidecar.cleanUp(), Coordinator.cleanUp()]);
});

const program = (name: string): string => join(__dirname, 'programs', name);

test.each(DOCUMENTS)('redocly finds nothing wrong with the document of the %s', async (document) => {
  await run(folder, nodeTool('redocly'), ['lint', `${document}.json`, '--max-problems=1000']);
});

/** Makes clients of both documents, compiles a program that uses them, and runs it: it says for how long its lease lasts, and whether it has a turn. */
const LANGUAGES: Readonly<Record<string, () => Promise<string>>> = {
  typescript: async () => {
    const place = makeFolder();
    symlinkSync(join(TOOLS, 'node_modules'), join(place, 'node_modules'));
    for (const document of DOCUMENTS) await run(place, nodeTool('openapi-typescript'), [join(folder, `${document}.json`), '--output', `${document}.d.ts`]);
    copyFileSync(program('acquire.mts'), join(place, 'acquire.mts'));
    await run(place, nodeTool('tsc'), ['--strict', '--module', 'nodenext', '--target', 'es2022', 'acquire.mts']);
    return run(place, process.execPath, ['acquire.mjs', ...urls]);
  },
  python: async () => {
    const place = makeFolder();
    const path = [join(TOOLS, 'python/bin'), process.env['PATH']].join(delimiter);
    for (const document of DOCUMENTS) {
      const args = ['generate', '--path', join(folder, `${document}.json`), '--output-path', document];
      await run(place, pythonTool('openapi-python-client'), args, { PATH: path });
    }
    await run(place, pythonTool('python3'), ['-m', 'compileall', '-q', ...DOCUMENTS]);
    return run(place, pythonTool('python3'), [program('acquire.py'), ...urls], { PYTHONPATH: DOCUMENTS.map((each) => join(place, each)).join(delimiter) });
  },
  go: async () => {
    const place = makeFolder();
    for (const file of ['go.mod', 'go.sum']) copyFileSync(join(TOOLS, file), join(place, file));
    copyFileSync(program('acquire.go'), join(place, 'acquire.go'));
    for (const document of DOCUMENTS) {
      mkdirSync(join(place, document));
      const args = ['-generate', 'types,client', '-package', document, '-o', `${document}/client.gen.go`, join(folder, `${document}.json`)];
      await run(place, join(TOOLS, 'oapi-codegen'), args);
    }
    await run(place, 'go', ['build', '-o', 'acquire', '.']);
    return run(place, join(place, 'acquire'), urls);
  },
};

test.each(Object.keys(LANGUAGES))('clients in %s that are generated from both documents compile, acquire a lease and get a turn', async (language) => {
  expect(await LANGUAGES[language]?.()).toBe('90 200\n');
  expect((await sidecar.send('GET', `/v1/leases/${language}`)).body).toMatchObject({ kind: 'timed', reason: 'by a generated client', ttlSeconds: 90 });
  expect(await coordinator.holders()).toContain(language);
}, 120_000);
