import { execFileSync } from 'node:child_process';
import { Coordinator } from '../support/coordinator';
import { blocksOf } from '../support/markdown';

afterEach(() => Coordinator.cleanUp());

test('two devices take turns by the requests of docs/fleet.md, and each is answered as its comment says', async () => {
  const coordinator = await Coordinator.start();
  const [block] = blocksOf('docs/fleet.md').filter(({ text }) => text.includes('http://localhost:8081'));
  const lines = (block?.text ?? '').trimEnd().split('\n');
  const answers = lines.map((line) => {
    const output = execFileSync('sh', ['-c', line.replace('http://localhost:8081/', coordinator.url.href)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /^HTTP\/1\.1 (\d+)/.exec(output)?.[1] ?? (JSON.parse(output) as object);
  });
  const group = expect.objectContaining({ holders: [expect.objectContaining({ id: 'one' })], waiting: [expect.objectContaining({ id: 'two' })] }) as unknown;
  expect(answers).toEqual(lines.map((line) => /# (\d+):/.exec(line)?.[1] ?? group));
});
