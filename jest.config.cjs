const swc = [
  '@swc/jest',
  { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
];
const libs = [
  'core',
  'market',
  'pipeline',
  'event-service',
  'purchase',
  'endpoints',
  'storage',
  'stream',
  'worker',
  'chain-evm',
  'chain-aptos',
  'runtime',
  'testing',
];

const project = (kind, extra = {}) => ({
  displayName: kind,
  testEnvironment: 'node',
  testMatch: ['libs', 'apps', 'tools'].map((dir) => `<rootDir>/${dir}/**/*.${kind}.spec.ts`),
  transform: { '^.+\\.[cm]?[jt]s$': swc },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.data/'],
  moduleNameMapper: Object.fromEntries(
    libs.map((lib) => [`^@imart/${lib}$`, `<rootDir>/libs/${lib}/src/index.ts`]),
  ),
  ...extra,
});

/**
 * Kinds of tests: unit (nothing but node_modules), int (a PostgreSQL, embedded by default), e2e (processes). faults: what only
 * `npm run test:faults` runs, because it takes minutes. servers: what only `npm run test:servers` runs, beside int.
 */
module.exports = {
  projects: [project('unit'), project('int'), project('e2e'), project('faults'), project('servers')],
  // What hangs is to fail, not what is slow: the end to end tests share two cores with all that they start.
  testTimeout: 400_000,
  // End to end tests wait for processes most of the time; more of them at once would only wait for each other.
  maxWorkers: 2,
};
