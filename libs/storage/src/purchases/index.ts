export {
  openPurchases,
  PURCHASE_KEPT_MS_DEFAULT,
  PURCHASE_RESULT_MS_DEFAULT,
  type OpenedPurchases,
  type OpenPurchasesOptions,
} from './openPurchases';
