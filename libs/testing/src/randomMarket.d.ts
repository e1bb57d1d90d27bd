import fc from 'fast-check';
import { type MarketEvent } from '@imart/market';
import { type MarketScript } from './marketEvents';
/** Any history of few orders, offers, tokens and makers, sensible or not: what a market could never log is in it too. */
export declare const randomHistory: fc.Arbitrary<readonly MarketEvent[]>;
/** An event that its aggregate cannot have: its reducer throws, always. */
export declare function addPoison(script: MarketScript, id: string): MarketScript;
