/** Every chain on which some marketplace here is known to be, by id, ascending. A spec keeps it complete. */
export const knownChainIds: readonly number[] = [1, 10, 56, 137, 204, 324, 8453, 42161, 43114];
