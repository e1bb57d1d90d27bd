import { APTOS_MUTANTS } from './broken/aptos';
import { AUDIT_MUTANTS } from './broken/audit';
import { CHAIN_MUTANTS } from './broken/chain';
import { COMMAND_MUTANTS } from './broken/commands';
import { ENGINE_MUTANTS } from './broken/engine';
import { READER_MUTANTS } from './broken/readers';
import { PROCESS_MUTANTS } from './broken/processes';
import { PURCHASE_MUTANTS } from './broken/purchases';
import { STORAGE_MUTANTS } from './broken/storage';
import { STREAM_MUTANTS } from './broken/stream';
import { VALUE_MUTANTS } from './broken/values';
import type { Mutant } from './mutants';

/** Every build that is broken on purpose. */
export const MUTANTS: readonly Mutant[] = [
  ...APTOS_MUTANTS,
  ...AUDIT_MUTANTS,
  ...CHAIN_MUTANTS,
  ...COMMAND_MUTANTS,
  ...ENGINE_MUTANTS,
  ...READER_MUTANTS,
  ...PROCESS_MUTANTS,
  ...PURCHASE_MUTANTS,
  ...STORAGE_MUTANTS,
  ...STREAM_MUTANTS,
  ...VALUE_MUTANTS,
];
