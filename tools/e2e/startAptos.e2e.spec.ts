import { join } from 'node:path';
import { aptosSeqNo } from '@imart/chain-aptos';
import type { SeqNo } from '@imart/core';
import { startEmbeddedPostgres } from '@imart/storage';
import { createScriptedMarket, type ScriptedListing } from '../replay-fullnode/src/scriptedMarket';
import { query } from '../realdata/tables';
import { storedMarket } from './aptosTables';
import { createNpmStart, type NpmStart, type Run } from './npmStart';
import { isListening } from './processesOf';
import { until } from './until';

interface ServedActivity {
  readonly subject: string;
  readonly blockNumber: string;
}
interface ServedStatus {
  readonly subjects: readonly { readonly subject: string; readonly executed: string }[];
}

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('npm start -- --aptos', () => {
  let npmStart: NpmStart;
  beforeAll(() => {
    npmStart = createNpmStart();
  });
  afterAll(() => npmStart?.close());

  const get = async <T>(url: string): Promise<T> => {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    return (await response.json()) as T;
  };
  const newest = async ({ api }: Run, subject: string): Promise<number> => {
    const { items } = await get<{ items: readonly ServedActivity[] }>(
      `${api}/v1/activities?subject=${subject}&limit=1`,
    );
    return Number(items[0]?.blockNumber ?? -1);
  };
  /** Something more happens on both chains, and is served. */
  const bothGoOn = async (run: Run): Promise<void> => {
    for (const subject of ['eip155:31337', 'aptos:4']) {
      const seen = await newest(run, subject);
      await until(`more of ${subject} is served`, async () => (await newest(run, subject)) > seen);
    }
  };
  /** The newest activity of each chain, and whether the ledger's listings are those of its script up to there; while nothing runs. */
  const stored = async (): Promise<{ aptos: number; evm: number }> => {
    const server = await startEmbeddedPostgres({ dataDir: join(npmStart.dataDir, 'postgres') });
    try {
      const rows = await query(
        server.url,
        `SELECT s.subject_id AS id, max(a.block_number) AS last
         FROM activities a JOIN subjects s ON s.id = a.subject GROUP BY 1`,
      );
      const lastOf = (id: string): number => Number(rows.find((row) => row['id'] === id)?.['last'] ?? -1);
      const last = lastOf('aptos:4');
      const { open } = await storedMarket(server.url, 'aptos:4');
      const script = createScriptedMarket({ transactions: 20_000, seed: 7 });
      const checkpoints = await query(
        server.url,
        `SELECT min(c.seq_no) AS executed FROM checkpoints c JOIN subjects s ON s.id = c.subject WHERE s.subject_id = 'aptos:4'`,
      );
      const executed = aptosSeqNo.decode(BigInt(String(checkpoints[0]?.['executed'])) as SeqNo).position;
      // Lanes stop where they are: all is executed up to one version, and something up to another.
      const newest = BigInt(last) > executed ? BigInt(last) : executed;
      const isListed =
        (from: bigint, to: bigint) =>
        ({ version, until }: ScriptedListing) =>
          version <= from && (until === null || until > to);
      const found = new Set(open.map(({ version }) => version));
      const expected = script.listings.filter(isListed(executed - 1n, newest));
      expect(expected.length).toBeGreaterThan(5);
      expect(expected.filter(({ version }) => !found.has(version))).toEqual([]);
      const possible = new Set(
        script.listings.filter(isListed(newest, executed - 1n)).map(({ version }) => version),
      );
      expect([...found].filter((version) => !possible.has(version))).toEqual([]);
      return { aptos: last, evm: lastOf('eip155:31337') };
    } finally {
      await server.stop();
    }
  };

  it('shows both chains on one page, with a live line for each; Ctrl-C leaves nothing; starting again goes on with both', async () => {
    const first = await npmStart.start(0, '--aptos');
    const said = first.program.said();
    expect(said).toMatch(/ledger +Aptos, chain id 4, http:/);
    expect(said).toMatch(/aptos-worker +follows it from version 0/);
    expect(said).toContain(`${first.api}/v1/activities?subject=aptos:4`);
    for (const port of first.ports) expect([port, await isListening(port)]).toEqual([port, true]);
    await bothGoOn(first);
    const { subjects } = await get<ServedStatus>(`${first.api}/v1/status`);
    expect(subjects.map(({ subject }) => subject).sort()).toEqual(['aptos:4', 'eip155:31337']);
    for (const line of [/evm +head \d+ .* lag \d+ blocks? /, /aptos +head \d+ .* lag \d+ versions? /])
      await first.program.line((text) => line.test(text), `the live line ${line}`);
    await npmStart.stopByHand(first);
    const before = await stored();

    const second = await npmStart.start(0, '--aptos');
    await bothGoOn(second);
    await npmStart.stopByHand(second);
    const after = await stored();
    expect(after.aptos).toBeGreaterThan(before.aptos);
    expect(after.evm).toBeGreaterThan(before.evm);
  });
});
