import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Third-party packages that only adapters may name: ports keep the rest of the code free of them. */
const adapterPackages = ['ethers', '@aptos-labs/*', '@grpc/*', '@prisma/*', 'pg', 'bullmq', 'ioredis', 'ws'];

const environment = {
  object: 'process',
  property: 'env',
  message: "Only an app's config.ts reads the environment; everything else receives its settings.",
};

const config = tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/generated/**',
      '.data/**',
      '.nx/**',
      'coverage/**',
      'tools/devnet/artifacts/**',
    ],
  },
  ...tseslint.configs.recommended.map((part) => ({ ...part, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.cjs'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@nx': nx, '@typescript-eslint': tseslint.plugin },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-restricted-properties': ['error', environment],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-require-imports': 'off',
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: [
            { sourceTag: 'type:core', onlyDependOnLibsWithTags: [], bannedExternalImports: ['*'] },
            {
              sourceTag: 'type:domain',
              onlyDependOnLibsWithTags: ['type:core'],
              bannedExternalImports: adapterPackages,
            },
            {
              sourceTag: 'type:engine',
              // One engine may stand on another one: commands use the log, lanes and feed of the pipeline.
              onlyDependOnLibsWithTags: ['type:core', 'type:domain', 'type:engine'],
              bannedExternalImports: adapterPackages,
            },
            {
              sourceTag: 'type:runtime',
              onlyDependOnLibsWithTags: ['type:core'],
              bannedExternalImports: adapterPackages,
            },
            {
              sourceTag: 'type:transport',
              onlyDependOnLibsWithTags: ['type:core', 'type:engine', 'type:runtime'],
              bannedExternalImports: adapterPackages,
            },
            {
              sourceTag: 'type:adapter',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:domain',
                'type:engine',
                'type:runtime',
                'type:transport',
              ],
            },
            {
              // Storage and jobs are the same for every chain; which chain it is, only the app knows.
              sourceTag: 'type:worker',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:domain',
                'type:engine',
                'type:runtime',
                'type:adapter',
              ],
              notDependOnLibsWithTags: ['reads:chain'],
              bannedExternalImports: adapterPackages,
            },
            {
              sourceTag: 'type:testing',
              onlyDependOnLibsWithTags: ['type:core', 'type:domain', 'type:engine', 'type:runtime'],
            },
            {
              sourceTag: 'type:app',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:domain',
                'type:engine',
                'type:adapter',
                'type:runtime',
                'type:worker',
              ],
              bannedExternalImports: adapterPackages,
            },
          ],
        },
      ],
    },
  },
  {
    // Specs may use the test kit, and read the variables that say where servers and recorded data are.
    files: ['**/*.spec.ts', '**/*.bench.ts', '**/testing/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['apps/*/src/config.ts', 'docker/**', 'tools/**', '*.mjs', '*.cjs', 'jest.config.cjs'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['tools/**'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  { files: ['eslint.config.mjs', 'tools/examples/**'], rules: { 'no-restricted-syntax': 'off' } },
);

export default config;
