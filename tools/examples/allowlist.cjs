// @ts-check
'use strict';

/**
 * Aggregate types in one file, of the kind that `AGGREGATES=./allowlist.cjs` loads: a list of wallets that may buy in a drop. It has so many
 * places; each wallet takes one, until they are gone or the list is closed. See docs/commands.md.
 */

/** @typedef {{ readonly left: number }} Left what every event tells: all that the next command is validated against */

/**
 * The module is given what it defines its types with, so that it needs no packages beside it.
 * @param {any} kit
 */
exports.aggregates = ({ z, defineAggregate, everyEvents }) => {
  // Filled in by `complete`, from the event before.
  const left = z.number().int().default(0);
  /** @param {{ data: Left } | null} marked */
  const leftAfter = (marked) => marked?.data.left ?? 0;

  const allowlist = defineAggregate({
    type: 'allowlist',
    events: {
      Opened: {
        schema: z.object({ places: z.number().int().min(1).max(100_000), left }),
        complete: (/** @type {{ places: number }} */ data) => ({ ...data, left: data.places }),
      },
      Joined: {
        schema: z.object({ wallet: z.string().regex(/^0x[0-9a-f]{40,64}$/), left }),
        complete: (/** @type {object} */ data, /** @type {any} */ marked) => ({
          ...data,
          left: leftAfter(marked) - 1,
        }),
      },
      Closed: {
        schema: z.object({ left }),
        complete: (/** @type {object} */ _data, /** @type {any} */ marked) => ({ left: leftAfter(marked) }),
      },
    },
    rules: [
      {
        name: 'opened-once',
        refuses: (/** @type {any} */ asked, /** @type {any} */ marked) =>
          (asked.name === 'Opened') === (marked === null)
            ? null
            : marked === null
              ? 'the list was not opened yet'
              : 'the list was opened before',
      },
      {
        name: 'not-closed',
        refuses: (/** @type {any} */ _asked, /** @type {any} */ marked) =>
          marked?.name === 'Closed' ? 'the list is closed' : null,
      },
      {
        name: 'places-left',
        refuses: (/** @type {any} */ asked, /** @type {any} */ marked) =>
          asked.name === 'Joined' && leftAfter(marked) < 1 ? 'every place is taken' : null,
      },
    ],
    reducer: {
      version: 1,
      initial: () => ({ places: 0, closed: false, wallets: [] }),
      fold: (/** @type {any} */ state, /** @type {any} */ { name, data }) => {
        if (name === 'Opened') return { ...state, places: data.places };
        if (name === 'Closed') return { ...state, closed: true };
        // A wallet that joins twice takes two places: a rule sees the latest event only, not the list.
        return { ...state, wallets: [...state.wallets, data.wallet] };
      },
    },
    snapshots: everyEvents(50),
  });
  return [allowlist];
};
