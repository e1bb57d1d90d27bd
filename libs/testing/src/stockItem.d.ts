/** Every event says how much is left after it: that is all that the next command is validated against. */
export type StockEvents = {
  readonly Added: {
    readonly quantity: number;
    readonly left: number;
  };
  readonly Taken: {
    readonly quantity: number;
    readonly left: number;
    readonly by: string;
  };
  readonly Closed: {
    readonly left: number;
  };
};
export interface StockState {
  readonly left: number;
  readonly takenBy: Readonly<Record<string, number>>;
  readonly closed: boolean;
}
/** An aggregate for specs: things in stock, that are added and taken until it is closed. */
export declare const stockItem: import('@imart/event-service').AggregateDefinition<StockState, StockEvents>;
