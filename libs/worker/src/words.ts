/** What a chain calls the places of its order: settings, log fields and texts are named by it. */
export interface PositionWords {
  /** `block`, `version`. */
  readonly one: string;
  readonly many: string;
  /** The settings that say where reading begins and ends: `START_BLOCK`, `END_BLOCK`. */
  readonly startSetting: string;
  readonly endSetting: string;
  /** The name of a log field. @example `field('next')` // 'nextBlock' */
  field(what: string): string;
}

/**
 * The words of a chain whose positions are called so.
 * @example positionWords('version').endSetting // 'END_VERSION'
 */
export function positionWords(one: string): PositionWords {
  const capital = `${one.charAt(0).toUpperCase()}${one.slice(1)}`;
  return {
    one,
    many: `${one}s`,
    startSetting: `START_${one.toUpperCase()}`,
    endSetting: `END_${one.toUpperCase()}`,
    field: (what) => `${what}${capital}`,
  };
}
