import { defineConfig, defineSetting, loadConfig, text, url, type ConfigOf } from '@imart/runtime';

/** Which database the commands work on: the worker's own settings. */
export const imartConfig = defineConfig({
  databaseUrl: defineSetting({
    name: 'DATABASE_URL',
    type: url('postgresql', 'postgres'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'postgresql://user:password@localhost:5432/imart',
    meaning: "The worker's database. Without it, the embedded one under DATA_DIR.",
  }),
  dataDir: defineSetting({
    name: 'DATA_DIR',
    type: text,
    default: '.data',
    group: 'Storage',
    meaning: 'Directory of the embedded PostgreSQL.',
  }),
});

export type ImartConfig = ConfigOf<typeof imartConfig>;

/** @throws {ConfigError} */
export function loadImartConfig(): ImartConfig {
  return loadConfig(imartConfig, process.env).config;
}
