import { EventFragment } from 'ethers';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EventDecodeError } from './errors';
import { compileEventDecoder } from './eventDecoder';
import { KNOWN_EVENTS } from './knownEvents.spec';
import { decodeByEthers, type EncodedLog } from './reference.spec';

// Where the recordings are is the one thing a spec is told.
const shared = process.env['IMART_SHARED'] ?? resolve(__dirname, '../../../../../shared');
const recordings = join(shared, 'data', 'evm');

/** Every object with topics and data in any of the recorded formats, JSON lines and base64-wrapped answers included. */
function* logsIn(value: unknown): Generator<EncodedLog> {
  if (typeof value === 'string') {
    // chainstorage keeps the node's own JSON answers as base64.
    if (value.startsWith('Cns') || value.startsWith('ey')) yield* logsIn(JSON.parse(atob(value)) as unknown);
  } else if (Array.isArray(value)) {
    for (const item of value) yield* logsIn(item);
  } else if (typeof value === 'object' && value !== null) {
    const { topics, data } = value as { topics?: unknown; data?: unknown };
    if (Array.isArray(topics) && typeof data === 'string') yield { topics: topics as string[], data };
    else for (const item of Object.values(value)) yield* logsIn(item);
  }
}

function logsOfFile(path: string): EncodedLog[] {
  const text = readFileSync(path, 'utf8');
  try {
    return [...logsIn(JSON.parse(text))];
  } catch {
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [...logsIn(JSON.parse(line))]));
  }
}

const FOLDERS = [
  ['mainnet-14000000', 2025],
  ['mainnet-15000000', 2228],
  ['mainnet-single', 1],
  ['etl-17173049', 681],
  ['rpc-wire', 1],
  ['chainstorage', 1],
  ['marketplace-logs', 10],
  ['single-tx', 1],
  ['zksync', 1],
] as const;

const known = KNOWN_EVENTS.map(([, signature]) => ({
  fragment: EventFragment.from(`event ${signature}`),
  decoder: compileEventDecoder(signature),
}));

const describeRecorded = existsSync(recordings) ? describe : describe.skip;
if (!existsSync(recordings))
  process.stderr.write(`no recordings at ${recordings}: their logs are not compared (IMART_SHARED)\n`);

describeRecorded('compiled decoders on recorded logs', () => {
  it.each(FOLDERS)('agree with ethers on every log of %s', (folder, logsMin) => {
    const files = readdirSync(join(recordings, folder), { recursive: true, encoding: 'utf8' }).filter((f) =>
      f.endsWith('.json'),
    );
    const logs = files.flatMap((file) => logsOfFile(join(recordings, folder, file)));
    const events = new Map<string, number>();
    const refused: string[] = [];
    for (const log of logs) {
      const fits = known.filter(({ decoder }) => decoder.topic0 === log.topics[0]);
      for (const { fragment, decoder } of fits.filter(
        ({ decoder: d }) => d.topicCount === log.topics.length,
      )) {
        let ours: Record<string, unknown>;
        try {
          ours = decoder.decode(log.topics, log.data);
        } catch (error) {
          if (!(error instanceof EventDecodeError)) throw error;
          refused.push(`${decoder.name} ${error.path ?? ''}: ${error.reason}`);
          expect(() => decodeByEthers(fragment, log)).toThrow();
          continue;
        }
        expect(ours).toStrictEqual(decodeByEthers(fragment, log));
        events.set(decoder.name, (events.get(decoder.name) ?? 0) + 1);
      }
    }
    console.info(
      `${folder}: ${logs.length} logs; ${[...events].map(([n, c]) => `${n} ${c}`).join(', ')}; refused: ${refused.join('; ') || 'none'}`,
    );
    expect(logs.length).toBeGreaterThanOrEqual(logsMin);
    expect(events.size).toBeGreaterThan(0);
    if (folder !== 'zksync') expect(refused).toEqual([]);
    else expect(refused.length).toBeGreaterThanOrEqual(2);
  });
});
