import { bigInteger, defineSetting, integer, listOf, oneOf, text, url, type ValueType } from '@imart/runtime';
import type { EventHandle } from '../source/handleEvents';
import { APTOS_REST_DEFAULTS } from '../source/restSource';

const rootHash: ValueType<string> = {
  label: '0x and 64 hex digits',
  parse(value) {
    if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw new Error('must be 0x and 64 hex digits');
    return value.toLowerCase();
  },
};

const eventHandle: ValueType<EventHandle> = {
  label: 'event handle, as struct/field or account/struct/field',
  parse(value) {
    const [, account, struct = '', field = ''] =
      /^(?:(0x[0-9a-f]{1,64})\/)?(0x[0-9a-f]{1,64}::\w+::\w+)\/(\w+)$/i.exec(value) ?? [];
    if (field === '') throw new Error('must be struct/field or account/struct/field');
    return { address: account ?? struct.slice(0, struct.indexOf('::')), struct, field };
  },
};

/**
 * The settings that say which ledger is read, from whom and in which way: the same ones for every program that reads one, so that two of
 * them with one environment mean the same.
 */
export const aptosChainSettings = {
  source: defineSetting({
    name: 'APTOS_SOURCE',
    type: oneOf('rest', 'grpc', 'handles', 'events'),
    default: 'rest',
    group: 'Chain',
    meaning:
      "Where transactions come from: rest, the fullnodes' API, which forgets what is some weeks old; grpc, the Transaction Stream, for backfills; handles, the fullnodes' API too, but only the transactions that APTOS_HANDLES tell of; events, the events of APTOS_HANDLES alone, where the transactions are pruned. The first three may be changed for each other where they follow the same; events makes a chain of its own, aptos:N-events, that does not stand in one database with the other.",
  }),
  urls: defineSetting({
    name: 'APTOS_URLS',
    type: listOf(url('http', 'https')),
    secret: true,
    group: 'Chain',
    example: 'https://fullnode.example.org/v1,https://fullnode2.example.org/v1',
    meaning: 'Endpoints of that source, of one network, best first; the others take over while it fails.',
  }),
  apiKey: defineSetting({
    name: 'APTOS_API_KEY',
    type: text,
    optional: true,
    secret: true,
    group: 'Chain',
    meaning: 'Sent to each of the endpoints as a bearer token.',
  }),
  chainId: defineSetting({
    name: 'CHAIN_ID',
    type: bigInteger({ min: 1n, max: 255n }),
    optional: true,
    group: 'Chain',
    example: '1',
    meaning:
      'The network that the endpoints must serve: 1 mainnet, 2 testnet. Without it, the first endpoint tells.',
  }),
  genesisHash: defineSetting({
    name: 'GENESIS_HASH',
    type: rootHash,
    optional: true,
    group: 'Chain',
    meaning:
      'Accumulator root of version 0, for endpoints that no longer have it. Not needed for mainnet and testnet.',
  }),
  handles: defineSetting({
    name: 'APTOS_HANDLES',
    type: listOf(eventHandle),
    optional: true,
    group: 'Chain',
    example: '0x1a::FixedMarket::FixedMarketEvents/list_token_events',
    meaning:
      "Event handles of a contract of one's own, needed where APTOS_SOURCE is handles or events, as struct/field; the struct's address is the account that has it, unless `0x.../` stands before it. All of the contract's, or its events are seen in part.",
  }),
  pagesInFlight: defineSetting({
    name: 'APTOS_PAGES_IN_FLIGHT',
    type: integer({ min: 1, max: 100 }),
    default: String(APTOS_REST_DEFAULTS.pagesInFlightMax),
    unit: 'pages',
    group: 'Chain',
    meaning: 'Pages of 100 transactions that are read at the same time, where the source is rest.',
  }),
};
