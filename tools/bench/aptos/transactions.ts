import { createHash } from 'node:crypto';
import type { ProtoJson } from '../../../libs/chain-aptos/src/testing/fakeLedger';
import {
  addressSlot,
  commonFields,
  commonInfo,
  createTemplates,
  numberSlot,
  type Templates,
} from './template';

export const PACKAGE = '0x584b50b999c78ade62f8359c91b5165ff390338d45f8e55969a04e65d76258c9';
export const COLLECTION = '0xc011ec7100000000000000000000000000000000000000000000000000bec400';
/** The object whose handles have the market's events. */
export const EVENTS_ACCOUNT = '0x71f7c94805c33d32a7f9560c95f02e9d3b5bc49884a883916f03abe6da11ac08';
const CREATOR = '0xc4ea704000000000000000000000000000000000000000000000000000bec400';
const COIN = '0x1::aptos_coin::AptosCoin';
const NO_ACCOUNT = '0x0000000000000000000000000000000000000000000000000000000000000000';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
/** An account or object of the ledger. Its first digit is no zero, so that every node writes it alike. */
export const addressOf = (what: string): string => `0xa${sha256(what).toString('hex').slice(1)}`;

/** What stands in the templates for the values of a market's transaction. */
export const SLOTS = {
  seller: addressSlot('seller'),
  buyer: addressSlot('buyer'),
  token: addressSlot('token'),
  order: addressSlot('order'),
  price: numberSlot('price', 9),
  commission: numberSlot('commission', 7),
  royalties: numberSlot('royalties', 8),
  expires: numberSlot('expires', 10),
  name: numberSlot('name', 7),
} as const;

interface Told {
  readonly type: string;
  readonly data: unknown;
  readonly account?: string;
  readonly creationNumber?: number;
}

const structOf = (type: string): ProtoJson => {
  const [address = '', module = '', rest = ''] = type.split('::');
  return { address, module, name: rest.replace(/<.*/, '') };
};
const written = (address: string, type: string, data: unknown): ProtoJson => ({
  type: 'TYPE_WRITE_RESOURCE',
  writeResource: {
    address,
    stateKeyHash: sha256(`${address}${type}`).toString('base64'),
    type: structOf(type),
    typeStr: type,
    data: JSON.stringify(data),
  },
});
const handle = (address: string, creation: string, counter: string): unknown => ({
  counter,
  guid: { id: { addr: address, creation_num: creation } },
});
const coinStore = (address: string): ProtoJson =>
  written(address, `0x1::coin::CoinStore<${COIN}>`, {
    coin: { value: '36521137143' },
    deposit_events: handle(address, '2', '7157'),
    frozen: false,
    withdraw_events: handle(address, '3', '7235'),
  });
const account = (address: string): ProtoJson =>
  written(address, '0x1::account::Account', {
    authentication_key: address,
    coin_register_events: handle(address, '0', '3'),
    guid_creation_num: '24',
    key_rotation_events: handle(address, '1', '0'),
    rotation_capability_offer: { for: { vec: [] } },
    sequence_number: '102',
    signer_capability_offer: { for: { vec: [] } },
  });
const objectCore = (address: string, owner: string): ProtoJson =>
  written(address, '0x1::object::ObjectCore', {
    allow_ungated_transfer: true,
    guid_creation_num: '1125899906842628',
    owner,
    transfer_events: handle(address, '1125899906842624', '2'),
  });
const token = (address: string): ProtoJson =>
  written(address, '0x4::token::Token', {
    collection: { inner: COLLECTION },
    description: 'One of many tokens of the benchmark, described at some length.',
    index: '0',
    mutation_events: handle(address, '1125899906842625', '0'),
    name: `Bench #${SLOTS.name}`,
    uri: `https://bench.example.org/tokens/${SLOTS.name}.json`,
  });
const supply: ProtoJson = {
  type: 'TYPE_WRITE_TABLE_ITEM',
  writeTableItem: {
    stateKeyHash: sha256('supply').toString('base64'),
    handle: '0x1b854694ae746cdbd8d44186ca4929b2b337df21d1c74633be19b2710552fdca',
    key: '0x0619dc29a0aac8fa146714058e8dd6d2d0f3bdf5f6331907bf91f3acd81e6935',
    data: {
      key: '"0x619dc29a0aac8fa146714058e8dd6d2d0f3bdf5f6331907bf91f3acd81e6935"',
      keyType: 'address',
      value: '"108812345678901234"',
      valueType: 'u128',
    },
  },
};
const coinEvent = (name: 'Deposit' | 'Withdraw', address: string, amount: string): Told => ({
  type: `0x1::coin::${name}Event`,
  account: address,
  creationNumber: name === 'Deposit' ? 2 : 3,
  data: { amount },
});
const feeStatement: Told = {
  type: '0x1::transaction_fee::FeeStatement',
  data: {
    execution_gas_units: '7',
    io_gas_units: '8',
    storage_fee_octas: '0',
    storage_fee_refund_octas: '0',
    total_charge_gas_units: '15',
  },
};

function userTransaction(
  sender: string,
  entry: string,
  told: readonly Told[],
  changes: readonly ProtoJson[],
  success = true,
): ProtoJson {
  const [address = '', module = '', name = ''] = entry.split('::');
  return {
    ...commonFields(),
    type: 'TRANSACTION_TYPE_USER',
    epoch: '10613',
    blockHeight: '300123456',
    info: {
      ...commonInfo(),
      stateChangeHash: sha256('state').toString('base64'),
      eventRootHash: sha256('events').toString('base64'),
      gasUsed: '15',
      success,
      vmStatus: success ? 'Executed successfully' : 'Move abort in 0x1::coin: EINSUFFICIENT_BALANCE(0x10006)',
      changes,
    },
    user: {
      request: {
        sender,
        sequenceNumber: '102',
        maxGasAmount: '2000',
        gasUnitPrice: '100',
        expirationTimestampSecs: { seconds: '1800000000' },
        payload: {
          type: 'TYPE_ENTRY_FUNCTION_PAYLOAD',
          entryFunctionPayload: {
            function: { module: { address, name: module }, name },
            typeArguments: [],
            arguments: [JSON.stringify(sender), '"100000000"'],
            entryFunctionIdStr: entry,
          },
        },
        signature: {
          type: 'TYPE_ED25519',
          ed25519: {
            publicKey: sha256('key').toString('base64'),
            signature: Buffer.concat([sha256('r'), sha256('s')]).toString('base64'),
          },
        },
      },
      events: [...told, feeStatement].map(({ type, data, account: owner, creationNumber }) => ({
        key: {
          ...(creationNumber === undefined ? {} : { creationNumber: String(creationNumber) }),
          accountAddress: owner ?? NO_ACCOUNT,
        },
        ...(creationNumber === undefined ? {} : { sequenceNumber: '1773319' }),
        type: { type: 'MOVE_TYPES_STRUCT', struct: structOf(type) },
        typeStr: type,
        data: JSON.stringify(data),
      })),
    },
  };
}

const metadata = {
  collection: { vec: [{ inner: COLLECTION }] },
  collection_name: 'Bench',
  creator_address: CREATOR,
  property_version: { vec: [] },
  token: { vec: [{ inner: SLOTS.token }] },
  token_name: `Bench #${SLOTS.name}`,
};
const marketEvent = (name: string, data: object): Told => ({
  type: `${PACKAGE}::events::${name}Event`,
  account: EVENTS_ACCOUNT,
  creationNumber: 1_125_899_906,
  data: { token_metadata: metadata, price: SLOTS.price, ...data },
});
const transfer: Told = {
  type: '0x1::object::Transfer',
  data: { from: SLOTS.seller, object: SLOTS.token, to: SLOTS.buyer },
};
const listed = { listing: SLOTS.order, seller: SLOTS.seller, type: 'fixed price' };
const offered = { token_offer: SLOTS.order, purchaser: SLOTS.buyer };
const paid = { commission: SLOTS.commission, royalties: SLOTS.royalties };
const moved = [objectCore(SLOTS.token, SLOTS.buyer), token(SLOTS.token)];
const offerResource = written(SLOTS.order, `${PACKAGE}::token_offer::TokenOffer`, {
  expiration_time: SLOTS.expires,
  item_price: SLOTS.price,
});

/** The market's transactions: each has the events of its kind, the first at index 0 or after what was paid. */
export const MARKET_TRANSACTIONS = {
  mint: userTransaction(
    SLOTS.seller,
    `${PACKAGE}::mint::mint`,
    [
      {
        type: '0x4::collection::Mint',
        data: { collection: COLLECTION, index: { value: '7' }, token: SLOTS.token },
      },
    ],
    [
      account(SLOTS.seller),
      coinStore(SLOTS.seller),
      objectCore(SLOTS.token, SLOTS.seller),
      token(SLOTS.token),
    ],
  ),
  list: userTransaction(
    SLOTS.seller,
    `${PACKAGE}::coin_listing::init_fixed_price`,
    [marketEvent('ListingPlaced', listed)],
    [
      account(SLOTS.seller),
      coinStore(SLOTS.seller),
      objectCore(SLOTS.order, SLOTS.seller),
      token(SLOTS.token),
    ],
  ),
  delist: userTransaction(
    SLOTS.seller,
    `${PACKAGE}::coin_listing::end_fixed_price`,
    [marketEvent('ListingCanceled', listed)],
    [account(SLOTS.seller), coinStore(SLOTS.seller), objectCore(SLOTS.token, SLOTS.seller)],
  ),
  buy: userTransaction(
    SLOTS.buyer,
    `${PACKAGE}::coin_listing::purchase`,
    [
      coinEvent('Withdraw', SLOTS.buyer, SLOTS.price),
      marketEvent('ListingFilled', { ...listed, ...paid, purchaser: SLOTS.buyer }),
      transfer,
    ],
    [account(SLOTS.buyer), coinStore(SLOTS.buyer), coinStore(SLOTS.seller), ...moved],
  ),
  offer: userTransaction(
    SLOTS.buyer,
    `${PACKAGE}::token_offer::init_offer`,
    [coinEvent('Withdraw', SLOTS.buyer, SLOTS.price), marketEvent('TokenOfferPlaced', offered)],
    [account(SLOTS.buyer), coinStore(SLOTS.buyer), objectCore(SLOTS.order, SLOTS.buyer), offerResource],
  ),
  cancel: userTransaction(
    SLOTS.buyer,
    `${PACKAGE}::token_offer::cancel`,
    [marketEvent('TokenOfferCanceled', offered)],
    [account(SLOTS.buyer), coinStore(SLOTS.buyer), coinStore(EVENTS_ACCOUNT)],
  ),
  accept: userTransaction(
    SLOTS.seller,
    `${PACKAGE}::token_offer::sell`,
    [
      coinEvent('Deposit', SLOTS.seller, SLOTS.price),
      marketEvent('TokenOfferFilled', { ...offered, ...paid, seller: SLOTS.seller }),
      transfer,
    ],
    [account(SLOTS.seller), coinStore(SLOTS.seller), ...moved],
  ),
  gift: userTransaction(
    SLOTS.seller,
    '0x1::object::transfer',
    [transfer],
    [account(SLOTS.seller), coinStore(SLOTS.seller), ...moved],
  ),
} as const satisfies Record<string, ProtoJson>;

export type MarketAction = keyof typeof MARKET_TRANSACTIONS;

/** Where the events of a transaction that mean something are, by its kind. */
export const EVENT_INDEX: Readonly<Record<MarketAction, readonly number[]>> = {
  mint: [0],
  list: [0],
  delist: [0],
  buy: [1, 2],
  offer: [1],
  cancel: [0],
  accept: [1, 2],
  gift: [0],
};

const people = Array.from({ length: 8 }, (_, i) => addressOf(`somebody ${i}`));

/** What others do, which means nothing to the market. */
export const FOREIGN_TRANSACTIONS: readonly ProtoJson[] = people.flatMap((sender, i) => {
  const other = people[(i + 1) % people.length] as string;
  const pool = addressOf(`pool ${i}`);
  return [
    userTransaction(
      sender,
      '0x1::aptos_account::transfer',
      [coinEvent('Withdraw', sender, '100000000'), coinEvent('Deposit', other, '100000000')],
      [coinStore(sender), account(sender), coinStore(other), supply],
    ),
    userTransaction(
      sender,
      `${pool}::router::swap_exact_input`,
      [
        coinEvent('Withdraw', sender, '100000000'),
        {
          type: `${pool}::swap::SwapEvent<${COIN}, ${pool}::usd::USD>`,
          account: pool,
          creationNumber: 7,
          data: { amount_x_in: '100000000', amount_y_out: '8123456', user: sender },
        },
        coinEvent('Deposit', sender, '8123456'),
      ],
      [coinStore(sender), account(sender), coinStore(pool), supply],
    ),
    userTransaction(
      sender,
      `${pool}::game::play`,
      [{ type: `${pool}::game::Played`, data: { player: sender, score: '18446744073709551615' } }],
      [
        account(sender),
        coinStore(sender),
        objectCore(pool, sender),
        written(pool, `${pool}::game::Board`, {
          cells: Array.from({ length: 48 }, (_, cell) => String(cell)),
        }),
      ],
    ),
    userTransaction(sender, '0x1::coin::transfer', [], [coinStore(sender), account(sender), supply], i > 1),
  ];
});

/** The first transaction of a block, and its last. */
export const BLOCK_TRANSACTIONS = {
  first: {
    ...commonFields(),
    type: 'TRANSACTION_TYPE_BLOCK_METADATA',
    epoch: '10613',
    blockHeight: '300123456',
    info: { ...commonInfo(), success: true, vmStatus: 'Executed successfully', changes: [supply] },
    blockMetadata: {
      id: '0x01',
      round: '5',
      proposer: people[0],
      events: [
        {
          key: { creationNumber: '3', accountAddress: people[0] },
          sequenceNumber: '300123456',
          typeStr: '0x1::block::NewBlockEvent',
          data: JSON.stringify({ epoch: '10613', height: '300123456', proposer: people[0] }),
        },
      ],
    },
  },
  last: {
    ...commonFields(),
    type: 'TRANSACTION_TYPE_STATE_CHECKPOINT',
    epoch: '10613',
    blockHeight: '300123456',
    info: { ...commonInfo(), success: true, vmStatus: 'Executed successfully', changes: [] },
    stateCheckpoint: {},
  },
} as const satisfies Record<string, ProtoJson>;

export const templatesOf = (json: ProtoJson): Templates => createTemplates(json);
export const marketTemplates = (action: MarketAction): Templates =>
  createTemplates(MARKET_TRANSACTIONS[action], SLOTS);
