import { appendFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { fromJsonText, toJsonText, type Action } from './actions';

/** Where a transaction was mined. */
export interface Placement {
  readonly hash: string;
  readonly block: number;
  /** The index of its first log within the block. */
  readonly firstLog: number;
  /** Unix seconds. */
  readonly time: number;
}

/** An action that was asked for, in the order of asking. */
export interface JournalEntry {
  readonly nonce: number;
  readonly action: Action;
  placement: Placement | null;
}

type Line =
  { readonly nonce: number; readonly action: Action } | { readonly placed: number; readonly at: Placement };

/**
 * What the traffic asked for, on disk, so that it can go on after any end of its process: an action is written before it is
 * sent, its placement when it is known. The actions, applied in order, are the whole model.
 */
export interface Journal {
  readonly entries: readonly JournalEntry[];
  append(entries: readonly Omit<JournalEntry, 'placement'>[]): void;
  /** By the index of their entries. */
  place(placements: readonly (readonly [number, Placement])[]): void;
  /** Keeps only these entries: the others never reached the chain. */
  replace(entries: readonly JournalEntry[]): void;
}

export function openJournal(file: string): Journal {
  let entries: JournalEntry[] = [];
  if (existsSync(file)) {
    const written = readFileSync(file, 'utf8');
    // What follows the last line end is of a process that was killed while writing: it had not been sent yet.
    const whole = written.slice(0, written.lastIndexOf('\n') + 1);
    if (whole.length < written.length) truncateSync(file, Buffer.byteLength(whole));
    for (const text of whole.split('\n')) {
      if (text === '') continue;
      const line = fromJsonText(text) as Line;
      if ('placed' in line) {
        const entry = entries[line.placed];
        if (entry !== undefined) entry.placement = line.at;
      } else {
        entries.push({ nonce: line.nonce, action: line.action, placement: null });
      }
    }
  }
  const append = (lines: readonly Line[]): void =>
    appendFileSync(file, lines.map((line) => `${toJsonText(line)}\n`).join(''));
  return {
    get entries() {
      return entries;
    },
    append(added) {
      append(added.map(({ nonce, action }) => ({ nonce, action })));
      for (const entry of added) entries.push({ ...entry, placement: null });
    },
    place(placements) {
      for (const [index, placement] of placements) (entries[index] as JournalEntry).placement = placement;
      append(placements.map(([placed, at]) => ({ placed, at })));
    },
    replace(kept) {
      entries = [...kept];
      const lines = entries.flatMap(({ nonce, action, placement }, placed): Line[] =>
        placement === null
          ? [{ nonce, action }]
          : [
              { nonce, action },
              { placed, at: placement },
            ],
      );
      writeFileSync(`${file}.new`, lines.map((line) => `${toJsonText(line)}\n`).join(''));
      renameSync(`${file}.new`, file);
    },
  };
}
