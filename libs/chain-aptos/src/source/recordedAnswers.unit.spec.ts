import { readdirSync } from 'node:fs';
import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';
import { readRestPage } from '../read/restTransaction';
import { describeAptosRecordings, readRecordedJson, recordedAptos } from '../testing/recordings.spec';
import { readEvents } from './handleEvents';
import { toRestError, type LedgerHeaders } from './restErrors';
import { readLedgerInfo } from './restLedger';

const place = { endpoint: 'rest #1 node', method: 'GET' };
const bodyOf = (file: string): string => JSON.stringify(readRecordedJson(`rest/${file}.json`));
const AT_GENESIS: LedgerHeaders = { chainId: 4, version: 0n, oldestVersion: 0n };
const UNKNOWN: LedgerHeaders = { chainId: null, version: null, oldestVersion: null };

/** Refusals: status, version that was asked for, and what it means, also where the node does not say how far it is. */
const REFUSALS: readonly (readonly [string, number, bigint | null, string, string])[] = [
  [
    'get_transactions_with_start_version_is_too_large',
    400,
    1_000_000n,
    'VERSION_NOT_SERVED',
    'VERSION_NOT_SERVED',
  ],
  ['get_transaction_by_version_not_found', 404, 10_000n, 'VERSION_NOT_SERVED', 'VERSION_NOT_SERVED'],
  [
    'get_account_resources_by_too_large_ledger_version',
    404,
    10n ** 18n,
    'VERSION_NOT_SERVED',
    'RPC_METHOD_UNSUPPORTED',
  ],
  ['get_transactions_with_zero_limit', 400, null, 'RPC_METHOD_UNSUPPORTED', 'RPC_METHOD_UNSUPPORTED'],
  [
    'get_events_by_invalid_account_event_handle_field_name',
    404,
    null,
    'RPC_METHOD_UNSUPPORTED',
    'RPC_METHOD_UNSUPPORTED',
  ],
  ['get_events_by_invalid_creation_number', 400, null, 'RPC_METHOD_UNSUPPORTED', 'RPC_METHOD_UNSUPPORTED'],
];
const EVENTS = 'get_events_by_account_event_handle';
const INFO = 'get_index';
const PAGES = [
  'get_transactions_output_user_transaction_with_entry_function_payload',
  'get_transactions_returns_last_page_when_start_version_is_not_specified',
];

describeAptosRecordings('recorded answers of a fullnode', () => {
  it.each(REFUSALS)('%s: %i is what it says', (file, status, version, code, codeOfText) => {
    const body = bodyOf(file);
    const { message } = JSON.parse(body) as { message: string };
    for (const [ledger, expected] of [
      [AT_GENESIS, code],
      [UNKNOWN, codeOfText],
    ] as const) {
      const error = toRestError(place, { status, body, retryAfterMs: null, ledger, version });
      expect([error.code, error.disposition]).toEqual([
        expected,
        expected === 'VERSION_NOT_SERVED' ? 'retry' : 'stop',
      ]);
      expect(error.message).toContain(message.slice(0, 60));
    }
  });

  it.each(REFUSALS)('%s is nothing else', (file) => {
    const body = bodyOf(file);
    expect(() => readEvents(body)).toThrow(AptosDecodeError);
    expect(() => readRestPage(body)).toThrow(AptosDecodeError);
    expect(() => readLedgerInfo('rest #1 node', body)).toThrow(/the ledger info lacks/);
  });

  it('of a handle are its events', () => {
    expect(readEvents(bodyOf(EVENTS))).toEqual([
      {
        version: 0n,
        sequenceNumber: 0n,
        account: canonicalAddress('0x1'),
        creationNumber: 2n,
        json: (readRecordedJson(`rest/${EVENTS}.json`) as readonly unknown[])[0],
      },
    ]);
    expect(() => readEvents(bodyOf(INFO))).toThrow(AptosDecodeError);
    for (const file of PAGES) expect(() => readEvents(bodyOf(file))).toThrow(AptosDecodeError);
  });

  it('of the ledger are how far it is', () => {
    expect(readLedgerInfo('rest #1 node', bodyOf(INFO))).toEqual({
      chainId: 4,
      version: 0n,
      oldestVersion: 0n,
      timestampUs: 0n,
    });
    expect(() => readLedgerInfo('rest #1 node', bodyOf(EVENTS))).toThrow(/the ledger info lacks/);
  });

  it('of transactions are pages, each from its first version on', () => {
    expect(PAGES.map((file) => readRestPage(bodyOf(file))[0]?.version)).toEqual([1n, 36n]);
  });

  it('are all there are', () => {
    const read = [...REFUSALS.map(([file]) => file), EVENTS, INFO, ...PAGES];
    expect(readdirSync(recordedAptos('rest')).sort()).toEqual(read.map((file) => `${file}.json`).sort());
  });
});
