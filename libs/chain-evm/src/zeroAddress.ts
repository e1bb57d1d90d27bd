/** The address that mints come from and burns go to, and the currency of native coin. */
export const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000';
