import type { ApiDatabase } from './apiDatabase';
import { address, NATIVE, seqNo, UINT256_MAX } from './seedMarket';

/** An address as Aptos has it. */
export const aptosAddress = (name: string): string => `0x${name.padStart(64, '0')}`;

export const CURATION = address('c0');
export const POOL = address('9001');
export const LOTTERY = address('107e');
export const APTOS_CURATION = aptosAddress('c0');
export const CURATOR = address('cc');
export const OWNER = address('abcdef01');
export const BUYER = address('b1');
export const ART = address('a27');
export const ROOT = `0x${'cd'.repeat(32)}`;
/** Of an edition: a 256-bit number and a version above it. */
export const EDITION = ((7n << 256n) | (2n ** 256n - 1n)).toString();
export const THINGS = aptosAddress('7416');
export const SENDER = aptosAddress('5e');
export const RECEIVER = aptosAddress('4e');

const DAY_US = 86_400_000_000n;
const JAN_1_2024_US = 1_704_067_200_000_000n;
export const day = (number: number): string =>
  new Date(Number((JAN_1_2024_US + BigInt(number - 1) * DAY_US) / 1000n)).toISOString();

const common = { subject: 1, updated_at: day(9), seq_no: seqNo(9), version: 1 };
const curated = {
  ...common,
  contract: CURATION,
  market: 'imart-curation',
  collection: ART,
  token_id: '1',
};
const exhibit = { ...curated, gallery_id: '1', origin: OWNER, price: '100', currency: NATIVE };
const offer = { ...curated, gallery_id: '1', from_address: CURATOR, to_address: OWNER, price: '90' };

/** Galleries, exhibits and offers of two chains; commissions and lotteries of one; claims and names of the other. */
export async function seedCuration({ insert }: ApiDatabase): Promise<void> {
  const subject = {
    genesis_hash: '0x00',
    epoch: 0,
    lanes: 1,
    start_position: 1,
    next_position: 101,
    ingested_seq_no: seqNo(100),
    finalized_seq_no: -1,
    last_feed_no: 0,
    followed: '',
    // The last day of January: what ends before it has ended.
    chain_time_us: (JAN_1_2024_US + 30n * DAY_US).toString(),
  };
  await insert(
    'subjects',
    { ...subject, id: 1, subject_id: 'eip155:1' },
    { ...subject, id: 2, subject_id: 'aptos:1' },
  );
  await insert(
    'galleries',
    {
      ...curated,
      gallery_id: '1',
      created_at: day(1),
      owner: CURATOR,
      space_type: 'hall',
      name: 'H\u00e4ll "1"',
      metadata_uri: 'ipfs://1',
      commissions: JSON.stringify([{ payee: CURATOR, rate: UINT256_MAX }]),
      commission_pool: POOL,
      admissions: JSON.stringify([ART]),
    },
    { ...curated, gallery_id: '2', created_at: day(1), collection: null, token_id: null, owner: BUYER },
    {
      ...curated,
      subject: 2,
      contract: APTOS_CURATION,
      gallery_id: '1',
      created_at: day(2),
      collection: THINGS,
      token_id: EDITION,
      standard: 'aptos-v1',
      owner: SENDER,
    },
  );
  await insert(
    'exhibits',
    { ...exhibit, exhibit_id: '1', created_at: day(1), status: 'listing', price: UINT256_MAX },
    { ...exhibit, exhibit_id: '2', created_at: day(2), status: 'listing', expires_at: day(31) },
    { ...exhibit, exhibit_id: '3', created_at: day(2), status: 'listing', expires_at: day(32) },
    { ...exhibit, exhibit_id: '4', created_at: day(3), status: 'sold', owner: BUYER, gallery_id: '2' },
    {
      ...exhibit,
      exhibit_id: '10',
      created_at: day(4),
      status: 'redeemed',
      token_id: '2',
      expires_at: day(2),
    },
    {
      ...exhibit,
      subject: 2,
      contract: APTOS_CURATION,
      exhibit_id: '1',
      created_at: day(5),
      status: 'frozen',
      collection: THINGS,
      token_id: EDITION,
      origin: SENDER,
      curator: RECEIVER,
    },
  );
  await insert(
    'curation_offers',
    { ...offer, offer_id: '1', created_at: day(1), status: 'pending', price: UINT256_MAX },
    { ...offer, offer_id: '2', created_at: day(2), status: 'pending', expires_at: day(30) },
    { ...offer, offer_id: '3', created_at: day(3), status: 'pending', starts_at: day(40) },
    { ...offer, offer_id: '4', created_at: day(4), status: 'accepted', exhibit_expires_at: day(60) },
    { ...offer, offer_id: '5', created_at: day(5), status: 'rejected', to_address: BUYER },
  );
  const commission = {
    ...common,
    contract: POOL,
    market: 'imart-commission-pool',
    currency: NATIVE,
    created_at: day(1),
  };
  await insert(
    'commissions',
    { ...commission, gallery_id: '1', payee: CURATOR, claimable: UINT256_MAX },
    { ...commission, gallery_id: '1', payee: BUYER, claimable: '0' },
    { ...commission, gallery_id: '2', payee: CURATOR, claimable: '7' },
  );
  const lottery = {
    ...common,
    contract: LOTTERY,
    market: 'imart-lottery',
    organizer: OWNER,
    collection: ART,
  };
  await insert(
    'lotteries',
    { ...lottery, lottery_id: '1', created_at: day(1), status: 'drawn', end_block: '500', merkle_root: ROOT },
    { ...lottery, lottery_id: '2', created_at: day(2), status: 'withdrawn', end_block: UINT256_MAX },
  );
  const prize = { ...lottery, quantity: '1', claimed_quantity: '0' };
  await insert(
    'prizes',
    { ...prize, lottery_id: '1', token_id: '1', created_at: day(1), claimed_quantity: '1', claimer: BUYER },
    {
      ...prize,
      lottery_id: '1',
      token_id: '2',
      created_at: day(1),
      quantity: '3',
      claimed_quantity: '1',
      claimer: BUYER,
    },
    { ...prize, lottery_id: '2', token_id: UINT256_MAX, created_at: day(2) },
  );
  const claim = {
    ...common,
    subject: 2,
    collection: THINGS,
    sender: SENDER,
    receiver: RECEIVER,
    standard: 'aptos-v1',
  };
  await insert(
    'claims',
    { ...claim, token_id: EDITION, created_at: day(1), quantity: '2', status: 'PENDING' },
    { ...claim, token_id: '5', created_at: day(2), quantity: '0', status: 'CLAIMED' },
  );
  const names = {
    ...common,
    subject: 2,
    collection: THINGS,
    standard: 'aptos-v1',
    creator: SENDER,
    collection_name: 'Things',
    created_at: day(1),
  };
  await insert(
    'token_details',
    { ...names, token_id: EDITION, name: 'Thing #1', edition: '7', description: 'd', uri: 'ipfs://thing' },
    { ...names, token_id: '5', name: 'Thing #5', edition: '0' },
  );
  await insert('balances', {
    ...common,
    subject: 2,
    collection: THINGS,
    token_id: EDITION,
    owner: SENDER,
    quantity: '3',
    standard: 'aptos-v1',
    created_at: day(1),
  });
}
