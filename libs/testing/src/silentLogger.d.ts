import type { Logger } from '@imart/pipeline';
/** Takes everything, shows nothing. */
export declare const silentLogger: Logger;
