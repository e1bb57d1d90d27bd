import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderSettings } from './render-settings';

describe('settings in the documents', () => {
  it.each(Object.entries(renderSettings()))(
    '%s is what the apps define (if not: npx tsx tools/render-settings.ts)',
    (file, expected) => {
      expect(readFileSync(join(__dirname, '..', file), 'utf8')).toBe(expected);
    },
  );

  it('names every setting of every app in both files', () => {
    const files = renderSettings();
    for (const name of ['RPC_URLS', 'END_BLOCK', 'APTOS_URLS', 'END_VERSION', 'API_PORT', 'DATABASE_URL']) {
      expect(files['docs/settings.md']).toContain(`\`${name}\``);
      expect(files['.env.example']).toMatch(new RegExp(`^(# )?${name}=`, 'm'));
    }
  });

  it('leaves only what must be set uncommented in .env.example, and no setting twice', () => {
    const lines = (renderSettings()['.env.example'] ?? '').split('\n');
    const names = lines.flatMap((line) => /^(?:# )?([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(new Set(names).size).toBe(names.length);
    const open = lines.filter((line) => line !== '' && !line.startsWith('#'));
    expect(open.map((line) => line.split('=')[0]).sort()).toEqual(['APTOS_URLS', 'MARKETS', 'RPC_URLS']);
  });
});
