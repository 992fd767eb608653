import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import globals from './scripts/globals.mjs';
import tseslint from 'typescript-eslint';

/** Who may not import whom; docs/architecture.md has the picture. Each room may import itself and what is not listed. */
const rooms = ['leases', 'events', 'lock', 'journal', 'keeper', 'state', 'holders', 'gates', 'supervisor', 'http', 'metrics', 'config'];
const mayImport = {
  leases: [],
  events: ['leases'],
  lock: ['leases'],
  journal: ['leases'],
  state: ['events', 'lock'],
  holders: ['leases', 'events', 'state'],
  gates: ['leases', 'events', 'state'],
  keeper: ['leases', 'events', 'lock', 'journal'],
  supervisor: ['leases', 'events', 'state'],
  http: ['leases', 'events', 'lock', 'keeper', 'supervisor', 'holders'],
  metrics: ['leases', 'events', 'keeper', 'supervisor', 'holders', 'http'],
  config: ['leases', 'holders'],
};
const zones = rooms.flatMap((room) => [
  ...rooms
    .filter((other) => other !== room && !mayImport[room].includes(other))
    .map((other) => ({ target: `./sidecar/${room}`, from: `./sidecar/${other}` })),
  { target: `./sidecar/${room}`, from: './client' },
  { target: `./sidecar/${room}`, from: './sidecar/page' },
]);

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts', '.js'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...zones,
            // Shared with other servers: knows neither the sidecar nor its clients.
            { target: './server', from: ['./sidecar', './coordinator', './client'] },
            // Pure: what a lease is does not depend on any clock, file or library.
            { target: './sidecar/leases', from: './sidecar', except: ['./leases'] },
            { target: './sidecar/leases', from: './server' },
            // Runs in a browser; of the sidecar it knows only what its answers look like.
            { target: './sidecar/page', from: './sidecar', except: ['./page', './http/schemas.ts', './leases/waiting.ts'] },
            { target: './sidecar/page', from: './server' },
            { target: './client', from: ['./server', './sidecar', './coordinator'] },
            { target: './sidecar', from: ['./client', './coordinator'] },
            { target: './coordinator', from: ['./client', './sidecar'] },
            // Pure: who gets the next turn does not depend on any clock, store or library.
            { target: './coordinator/groups.ts', from: ['./coordinator', './server'], except: ['./groups.ts'] },
            { target: './coordinator/store', from: './coordinator', except: ['./store', './groups.ts', './config'] },
            { target: './coordinator/config', from: './coordinator', except: ['./config', './groups.ts'] },
            { target: './coordinator/page', from: './coordinator', except: ['./page', './http/schemas.ts'] },
            { target: './coordinator/page', from: './server' },
            { target: './coordinator/http', from: ['./coordinator/service.ts', './coordinator/main.ts', './coordinator/metrics.ts'] },
            { target: ['./server', './sidecar', './coordinator', './client'], from: './test' },
          ],
        },
      ],
      'max-lines': ['error', { max: 280, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Only config.ts and main.ts, and endpoint.ts, cli/child.ts and cli/terminal.ts of the client, read the environment.' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Takes winston's transports, which are typed as interfaces, for other classes.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  { files: ['server/**/*.ts', 'sidecar/**/*.ts', 'coordinator/**/*.ts', 'client/src/**/*.ts'], rules: { 'max-lines': ['error', 250] } },
  { files: ['sidecar/main.ts', 'coordinator/main.ts', 'client/src/endpoint.ts', 'client/src/cli/child.ts', 'client/src/cli/terminal.ts', 'test/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['sidecar/leases/**/*.ts', 'coordinator/groups.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'This is pure.' }] }] },
  },
  {
    // Answers are what the OpenAPI document says, which is checked of each; their types would say it twice.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs'], languageOptions: { globals } },
);
