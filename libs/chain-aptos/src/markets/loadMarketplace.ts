import { messageOf, WorkerError } from '@imart/core';
import { existsSync, readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { declarationProblems } from './checkDeclaration';
import type { MarketDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import type { AptosMarketplace } from './marketplace';

const EXTENSIONS = ['.json', '.js', '.cjs', '.mjs'];

/** A file that declares no marketplace. Every problem is named with its place; nothing of the file is used. */
export class MarketFileError extends WorkerError {
  readonly problems: readonly string[];

  constructor(path: string, problems: readonly string[], cause?: unknown) {
    super(
      `marketplace file ${path} is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
      {
        code: 'MARKETPLACE_FILE',
        disposition: 'stop',
        fields: { path, problems },
        ...(cause === undefined ? {} : { cause }),
      },
    );
    this.problems = problems;
  }
}

async function contentOf(file: string): Promise<unknown> {
  if (extname(file) === '.json') return { marketplace: JSON.parse(readFileSync(file, 'utf8')) as unknown };
  return import(pathToFileURL(file).href);
}

/**
 * The marketplace that a file declares: JSON, or a JavaScript file that exports a {@link MarketDeclaration} as `marketplace` (and runs with
 * all the rights of the worker).
 *
 * @throws {MarketFileError} no such file, it cannot be read, or what it has is no declaration.
 */
export async function loadAptosMarketplace(path: string): Promise<AptosMarketplace> {
  const file = resolve(path);
  if (!EXTENSIONS.includes(extname(file))) {
    throw new MarketFileError(path, [`its name must end in ${EXTENSIONS.join(', ')}`]);
  }
  if (!existsSync(file)) throw new MarketFileError(path, [`there is no such file (${file})`]);
  let exported: unknown;
  try {
    exported = await contentOf(file);
  } catch (error) {
    throw new MarketFileError(path, [`it cannot be read: ${messageOf(error)}`], error);
  }
  return declaredIn(exported, path);
}

/**
 * The marketplace that is declared among a module's exports.
 * @throws {MarketFileError} it is not there, or no declaration.
 */
export function declaredIn(exported: unknown, path: string): AptosMarketplace {
  const named = exported as { marketplace?: unknown; default?: { marketplace?: unknown } } | null | undefined;
  const declaration = named?.marketplace ?? named?.default?.marketplace;
  if (typeof declaration !== 'object' || declaration === null || Array.isArray(declaration)) {
    throw new MarketFileError(path, ['it has no object named "marketplace"']);
  }
  const problems = [...declarationProblems(declaration as Record<string, unknown>, 'marketplace')];
  if (problems.length > 0) throw new MarketFileError(path, problems);
  return declareMarketplace(declaration as MarketDeclaration);
}
