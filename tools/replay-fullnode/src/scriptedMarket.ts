import {
  createFakeLedger,
  type FakeEvent,
  type FakeLedger,
  type ProtoJson,
} from '../../../libs/chain-aptos/src/testing/fakeLedger';
import { SCRIPTED_EVENTS, type ScriptedEvent, type ScriptedEventType } from './scriptedEvents';
import { createScenes, type ScriptedScenes } from './scriptedScenes';

export interface ScriptedMarketOptions {
  readonly chainId?: number;
  /** Of the market's package: where its events come from. */
  readonly address?: string;
  /** User transactions of the script. */
  readonly transactions: number;
  /** The same number gives the same ledger. */
  readonly seed: number;
  /**
   * Beside listings at the module's older name: those at its newer one, sales with a delisting in one transaction, offers, creation and
   * curation. @defaultValue false
   */
  readonly everything?: boolean;
}

/** A listing of the script. */
export interface ScriptedListing {
  readonly seller: string;
  readonly token: string;
  readonly price: bigint;
  /** The version that listed it. */
  readonly version: bigint;
  /** The version that sold it or took it down; `null`: it stands for ever. */
  readonly until: bigint | null;
}

export interface ScriptedMarket {
  readonly ledger: FakeLedger;
  readonly address: string;
  /** All listings, by version. */
  readonly listings: readonly ScriptedListing[];
  /** Those that nobody has bought and their sellers have not taken down: what whoever read all of it must find. */
  readonly open: readonly ScriptedListing[];
  /** `together`: delistings in the transaction of a sale. */
  readonly counts: Readonly<Record<'listed' | 'delisted' | 'sold' | 'together' | 'failed', number>>;
  /** Empty where the script is of listings only. */
  readonly scenes: ScriptedScenes;
}

export const SCRIPTED_ADDRESS = `0x${'1a'.repeat(32)}`;
const TRADERS = 12;
const TOKENS = 40;
const COIN = {
  account_address: '0x1',
  module_name: '0x6170746f735f636f696e',
  struct_name: '0x4170746f73436f696e',
};
/** One user transaction in so many fails. */
const FAILS_EVERY = 11;

/** Numbers that depend on the seed alone. */
function createRandom(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return (state >>> 8) % below;
  };
}

/** The changes that come with each transaction of a user: what the worker goes over. About two kilobytes. */
function changesOf(trader: string, balance: number): ProtoJson[] {
  const guid = (creation_num: string): object => ({
    counter: '3',
    guid: { id: { addr: trader, creation_num } },
  });
  const resource = (typeStr: string, data: object): ProtoJson => ({
    type: 'TYPE_WRITE_RESOURCE',
    writeResource: { address: trader, stateKeyHash: '', typeStr, data: JSON.stringify(data) },
  });
  return [
    resource('0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>', {
      coin: { value: String(balance) },
      deposit_events: guid('2'),
      frozen: false,
      withdraw_events: guid('3'),
    }),
    resource('0x1::account::Account', {
      authentication_key: trader,
      coin_register_events: guid('0'),
      guid_creation_num: '9',
      key_rotation_events: guid('1'),
      rotation_capability_offer: { for: { vec: [] } },
      sequence_number: '7',
      signer_capability_offer: { for: { vec: [] } },
    }),
    {
      type: 'TYPE_WRITE_TABLE_ITEM',
      writeTableItem: {
        stateKeyHash: '',
        handle: `0x${'1b'.repeat(32)}`,
        key: trader,
        data: {
          key: JSON.stringify(trader),
          keyType: 'address',
          value: JSON.stringify(String(balance)),
          valueType: 'u128',
        },
      },
    },
  ];
}

/**
 * A ledger on which traders list, take down and buy tokens at IMart's market: blocks with their metadata and checkpoints, transactions
 * that fail, and events of others, like on a real one.
 */
export function createScriptedMarket(options: ScriptedMarketOptions): ScriptedMarket {
  const { chainId = 4, address = SCRIPTED_ADDRESS, transactions, seed, everything = false } = options;
  const random = createRandom(seed);
  const ledger = createFakeLedger(chainId, `imart ${seed}`);
  const counts = { listed: 0, delisted: 0, sold: 0, together: 0, failed: 0 };
  let sequence: Partial<Record<ScriptedEventType, number>> = {};
  const listings: ScriptedListing[] = [];
  /** Places among the listings, by token. */
  const open = new Map<number, number>();
  let offerId = 0;

  const trader = (i: number): string => `0x${(0xa000 + i).toString(16).repeat(16)}`;
  const tokenId = (i: number): object => ({
    property_version: '0',
    token_data_id: { collection: `Collection ${i % 5}`, creator: trader(i % 3), name: `Token #${i}` },
  });
  const timestamp = (): string => String(ledger.timestampUs(ledger.head) + 1_000n);

  /**
   * Adds a transaction with these events of the market among those of others; events of what fails are not the ledger's, though a careless
   * node could show them.
   */
  const add = (sender: string, told: readonly ScriptedEvent[], success: boolean): bigint => {
    const at = { ...sequence };
    const foreign: FakeEvent = {
      type: '0x1::coin::WithdrawEvent',
      account: sender,
      creationNumber: 3,
      sequenceNumber: offerId,
      data: { amount: '700' },
    };
    const events = told.map(([type, data]): FakeEvent => {
      const sequenceNumber = at[type] ?? 0;
      at[type] = sequenceNumber + 1;
      const [, creationNumber] = SCRIPTED_EVENTS[type];
      return { type: `${address}::${type}`, account: address, creationNumber, sequenceNumber, data };
    });
    if (success) sequence = at;
    else counts.failed++;
    const changes = changesOf(sender, offerId * 1_000);
    return ledger.add({ events: [foreign, ...events], sender, success, changes });
  };

  /** Which of the module's two names a token is traded under. */
  const moduleOf = (token: number): 'FixedMarket' | 'fixed_price_market' =>
    everything && token % 2 === 1 ? 'fixed_price_market' : 'FixedMarket';
  const commonOf = (token: number): object => ({
    offer_id: String(++offerId),
    timestamp: timestamp(),
    token_amount: '1',
    token_id: tokenId(token),
  });
  const end = (token: number, until: bigint): void => {
    const place = open.get(token) ?? -1;
    const listing = listings[place];
    if (listing !== undefined) listings[place] = { ...listing, until };
    open.delete(token);
  };

  /** What one user does with a token. */
  const trade = (): void => {
    const who = random(TRADERS);
    const token = random(TOKENS);
    const seller = trader(who);
    const success = random(FAILS_EVERY) !== 0;
    const listing = listings[open.get(token) ?? -1];
    const module = moduleOf(token);
    const common = commonOf(token);
    if (listing === undefined) {
      const price = 100_000_000n + BigInt(random(1_000_000)) * 1_000n;
      const data = { ...common, coin_type_info: COIN, locked_until_secs: '0', price: String(price), seller };
      const version = add(seller, [[`${module}::ListTokenEvent`, data]], success);
      if (!success) return;
      counts.listed++;
      open.set(token, listings.length);
      listings.push({ seller, token: String(token), price, version, until: null });
    } else if (listing.seller === seller) {
      const version = add(seller, [[`${module}::DelistTokenEvent`, { ...common, seller }]], success);
      if (!success) return;
      counts.delisted++;
      end(token, version);
    } else {
      const coin_amount = String(listing.price);
      const { seller: owner } = listing;
      const sold = { ...common, buyer: seller, seller: owner, coin_amount, price: coin_amount };
      const sale: ScriptedEvent = [`${module}::BuyTokenEvent`, { ...sold, coin_type_info: COIN }];
      const own = everything
        ? [...open].find(([, place]) => listings[place]?.seller === seller)?.[0]
        : undefined;
      const told = [sale];
      // Who buys takes something down in the same transaction, before or behind the sale.
      if (own !== undefined) {
        const delisted: ScriptedEvent = [`${moduleOf(own)}::DelistTokenEvent`, { ...commonOf(own), seller }];
        told.splice(random(2), 0, delisted);
      }
      const version = add(seller, told, success);
      if (!success) return;
      counts.sold++;
      end(token, version);
      if (own === undefined) return;
      counts.delisted++;
      counts.together++;
      end(own, version);
    }
  };

  const { act, scenes } = createScenes({
    random,
    anybody: () => trader(random(TRADERS)),
    anyToken() {
      const token = random(TOKENS);
      return { key: String(token), id: tokenId(token) };
    },
    timestamp,
    coin: COIN,
    send(sender, told) {
      offerId++;
      const success = random(FAILS_EVERY) !== 0;
      const version = add(sender, told, success);
      return success ? version : null;
    },
  });

  for (let done = 0; done < transactions;) {
    ledger.add({
      kind: 'blockMetadata',
      events: [
        {
          type: '0x1::block::NewBlockEvent',
          account: '0x1',
          creationNumber: 3,
          sequenceNumber: done,
          data: { height: String(done) },
        },
      ],
    });
    for (let i = 1 + random(4); i > 0 && done < transactions; i--, done++) {
      if (everything && random(2) === 0) act();
      else trade();
    }
    ledger.add({ kind: 'stateCheckpoint' });
  }
  return { ledger, address, counts, scenes, listings, open: listings.filter(({ until }) => until === null) };
}
