/**
 * Reads for people: pages with cursors, amounts as decimal text, times as ISO 8601, addresses in canonical form. Guarantees:
 * nothing is written; what needs several aggregates is computed from the committed rows at the moment of reading; every
 * value of a caller goes to the database as a parameter.
 */
export { findAccount, type AccountRecord } from './accounts';
export { ACTIVITY_KINDS, listActivities, type ActivityFilter, type ActivityRecord } from './activities';
export { findClaim, listClaims, type ClaimFilter, type ClaimKey, type ClaimRecord } from './claims';
export {
  CHAIN_AGGREGATE_TYPES,
  readChainEvents,
  readChainSnapshot,
  readChainState,
  type ChainAggregateKey,
  type ChainAggregateState,
} from './chainAggregates';
export {
  findCollection,
  listCollections,
  type CollectionFilter,
  type CollectionMetadata,
  type CollectionRecord,
  type FloorRecord,
  type VolumeRecord,
} from './collections';
export {
  findCommission,
  listCommissions,
  type CommissionFilter,
  type CommissionKey,
  type CommissionRecord,
} from './commissions';
export {
  findCurationOffer,
  findExhibit,
  findGallery,
  listCurationOffers,
  listExhibits,
  listGalleries,
  type CommissionShare,
  type CuratedKey,
  type CurationOfferFilter,
  type CurationOfferRecord,
  type ExhibitFilter,
  type ExhibitRecord,
  type GalleryFilter,
  type GalleryRecord,
} from './curation';
export { nextTurnOfCollection, readCursor, type ReadCursor } from './cursor';
export { createReadDatabase, type ReadDatabase, type ReadDatabaseOptions, type Reads } from './database';
export {
  CursorError,
  DatabaseNotPreparedError,
  DatabaseUnavailableError,
  QueryTimeoutError,
  UnknownSubjectError,
} from './errors';
export { readLanes, type ObservedLane } from './lanes';
export {
  findLottery,
  findPrize,
  listLotteries,
  listPrizes,
  type LotteryFilter,
  type LotteryKey,
  type LotteryRecord,
  type PrizeFilter,
  type PrizeKey,
  type PrizeRecord,
} from './lotteries';
export {
  listNotifications,
  markNotificationsRead,
  type NotificationFilter,
  type NotificationRecord,
} from './notifications';
export { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, type Page, type PageRequest } from './page';
export { checkReadable, readStatus, type DatabaseStatus, type SubjectStatus } from './status';
export { readStaleSubjects, STALE_AFTER_MS_DEFAULT, type StaleReason, type StaleSubject } from './staleness';
export {
  findTokenDetails,
  listTokenDetails,
  type TokenDetailsFilter,
  type TokenDetailsKey,
  type TokenDetailsRecord,
} from './tokenDetails';
export {
  findToken,
  listTokenBalances,
  listTokens,
  type BalanceRecord,
  type LastSale,
  type TokenFilter,
  type TokenNames,
  type TokenKey,
  type TokenListing,
  type TokenOffer,
  type TokenRecord,
} from './tokens';
export {
  findOffer,
  findOrder,
  listOffers,
  listOrders,
  type BundleItem,
  type OfferFilter,
  type OfferRecord,
  type OrderFilter,
  type OrderRecord,
  type TradeKey,
  type TradeSort,
} from './trades';
