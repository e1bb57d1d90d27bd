import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const RECORDINGS = join(
  process.env['IMART_SHARED'] ?? resolve(__dirname, '../../../../../shared'),
  'data',
  'aptos',
);

/** Where a recording lies. */
export const recordedAptos = (path: string): string => join(RECORDINGS, path);

export const readRecordedJson = (path: string): unknown =>
  JSON.parse(readFileSync(recordedAptos(path), 'utf8')) as unknown;

/** Every recorded transaction in protobuf's JSON form, by its path. */
export function recordedTransactions(): ReadonlyMap<string, unknown> {
  const folders = ['marketplaces/wapal/transactions', 'tokens/transactions', 'stream'];
  const files = folders.flatMap((folder) =>
    readdirSync(recordedAptos(folder))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
  return new Map(files.map((file) => [file, readRecordedJson(file)]));
}

/** Specs over recorded transactions, where there are recordings. */
export function describeAptosRecordings(name: string, body: () => void): void {
  if (existsSync(RECORDINGS)) return describe(name, body);
  console.warn(`no recordings at ${RECORDINGS}: ${name} is skipped (IMART_SHARED)`);
  describe.skip(name, () => it('needs recordings', () => undefined));
}
