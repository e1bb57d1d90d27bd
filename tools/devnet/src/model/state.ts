import type { CurationTerms, ExhibitTerms, GalleryTerms, TokenStandard } from '../actions';
import { Bag } from '../bag';
import type { DevnetContracts } from '../contracts';
import type { ExpectedActivity, ExpectedCollection, ExpectedPlace, LogArgument } from '../expected';

export const ZERO = '0x0000000000000000000000000000000000000000';

export interface TokenState {
  readonly collection: string;
  readonly tokenId: bigint;
  owner: string | null;
  transferCount: number;
  mintedAt: number;
  /** The live order of each seller, who may no longer own the token. */
  readonly orders: Map<string, bigint>;
}

export interface TradeState {
  readonly contract: string;
  readonly id: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly maker: string;
  readonly quantity: bigint;
  taker: string | null;
  price: bigint;
  expiresAt: bigint;
  filled: bigint;
  status: 'open' | 'filled' | 'canceled';
  createdAt: number;
  updatedAt: number;
}

export interface BalanceState {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly owner: string;
  quantity: bigint;
}

export interface CollectionState {
  readonly address: string;
  readonly standard: TokenStandard;
  /** How many were minted: the last token id of an ERC-721 collection. */
  minted: bigint;
  /** ERC-1155: how much of each id was ever minted. */
  readonly mintedOf: Map<bigint, bigint>;
  readonly maximum: bigint;
  /** `null`: deployed without a factory. */
  created: Omit<ExpectedCollection, 'createdAt'> | null;
  createdAt: number;
}

/** A row that takes the times of blocks. */
export interface Stamped {
  createdAt: number;
  updatedAt: number;
}

export interface GalleryState extends Stamped {
  readonly id: bigint;
  readonly owner: string;
  terms: GalleryTerms;
}

export interface CurationOfferState extends Stamped {
  readonly id: bigint;
  readonly from: string;
  readonly terms: CurationTerms;
  status: 'pending' | 'accepted' | 'rejected' | 'canceled';
}

export interface ExhibitState extends Stamped {
  readonly id: bigint;
  readonly origin: string;
  readonly terms: ExhibitTerms;
  /** Who bought it. */
  owner: string | null;
  status: 'listing' | 'reserved' | 'sold' | 'frozen' | 'redeemed';
}

export interface CommissionState extends Stamped {
  readonly galleryId: bigint;
  readonly payee: string;
  claimable: bigint;
}

export interface LotteryState extends Stamped {
  readonly id: bigint;
  readonly organizer: string;
  readonly collection: string;
  readonly endBlock: bigint;
  merkleRoot: string | null;
  isWithdrawn: boolean;
  /** What is neither claimed nor withdrawn, in the contract's order. */
  readonly left: bigint[];
}

export interface PrizeState extends Stamped {
  readonly lottery: LotteryState;
  readonly tokenId: bigint;
  claimer: string | null;
}

/** All that the traffic knows of the chain. Changed by `applyAction` only. */
export interface ModelState {
  readonly contracts: DevnetContracts;
  readonly collections: Map<string, CollectionState>;
  readonly tokens: Map<string, TokenState>;
  readonly balances: Map<string, BalanceState>;
  /** By id, from 1: IMartMarket's orders and offers, MixverseSpace's listings. */
  readonly orders: TradeState[];
  readonly offers: TradeState[];
  readonly items: TradeState[];
  /** By id, from 1. */
  readonly galleries: GalleryState[];
  readonly curationOffers: CurationOfferState[];
  readonly exhibits: ExhibitState[];
  readonly lotteries: LotteryState[];
  /** `<gallery id>:<payee>` */
  readonly commissions: Map<string, CommissionState>;
  /** `<lottery id>:<token id>` */
  readonly prizes: Map<string, PrizeState>;
  /** What can still be acted on, to choose from. */
  readonly open: {
    readonly tokens: Bag<TokenState>;
    readonly balances: Bag<BalanceState>;
    readonly orders: Bag<TradeState>;
    readonly offers: Bag<TradeState>;
    readonly items: Bag<TradeState>;
    readonly curationOffers: Bag<CurationOfferState>;
    /** Those that are still in their gallery. */
    readonly exhibits: Bag<ExhibitState>;
    readonly commissions: Bag<CommissionState>;
    readonly lotteries: Bag<LotteryState>;
  };
  /** `<collection>:<owner>:<operator>` */
  readonly approvals: Set<string>;
  /** How many collections each factory has created. */
  readonly createdBy: Map<string, number>;
}

export type ActivityDraft = Omit<ExpectedActivity, keyof ExpectedPlace | 'item' | 'contract'>;

/** A log that an action must give, known before it is mined. */
export interface PredictedLog {
  readonly address: string;
  readonly event: string;
  readonly args: readonly LogArgument[];
  readonly activities: readonly ActivityDraft[];
  /** Rows that take the time of the block: called when it is known. */
  readonly stamp?: (time: number) => void;
}

export function createModelState(contracts: DevnetContracts): ModelState {
  const bare = (address: string, standard: TokenStandard): [string, CollectionState] => [
    address,
    { address, standard, minted: 0n, mintedOf: new Map(), maximum: 0n, created: null, createdAt: 0 },
  ];
  return {
    contracts,
    collections: new Map([bare(contracts.erc721, 'erc721'), bare(contracts.erc1155, 'erc1155')]),
    tokens: new Map(),
    balances: new Map(),
    orders: [],
    offers: [],
    items: [],
    galleries: [],
    curationOffers: [],
    exhibits: [],
    lotteries: [],
    commissions: new Map(),
    prizes: new Map(),
    open: {
      tokens: new Bag(),
      balances: new Bag(),
      orders: new Bag(),
      offers: new Bag(),
      items: new Bag(),
      curationOffers: new Bag(),
      exhibits: new Bag(),
      commissions: new Bag(),
      lotteries: new Bag(),
    },
    approvals: new Set(),
    createdBy: new Map(),
  };
}

/** Fails where the traffic would ask for what the contracts refuse: a fault of the traffic. */
export function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`devnet traffic: ${what}`);
}
