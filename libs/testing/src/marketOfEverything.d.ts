import { type MarketScript } from './marketEvents';
/** Something of every kind of aggregate, with what is easily confused: equal ids, successive rows, hash names. */
export declare function marketOfEverything(): MarketScript;
