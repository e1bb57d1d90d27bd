import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where it lies: beside a bundle, in the package (above `dist`), in the repository (above `libs/storage/src` or `dist`). */
const PLACES = ['prisma', '../prisma', '../../../prisma'];

/**
 * The directory with this version's `migrations` (for {@link migrate}) and `views.sql` (for {@link applyViews}), absolute.
 *
 * @example
 * await migrate(pool, join(prismaDirectory(), 'migrations'));
 * await applyViews(pool, join(prismaDirectory(), 'views.sql'));
 *
 * @throws {Error} when the installation is not complete.
 */
export function prismaDirectory(): string {
  const found = PLACES.map((place) => join(__dirname, place)).find((directory) =>
    existsSync(join(directory, 'views.sql')),
  );
  if (found === undefined) {
    throw new Error(
      `no directory with migrations and views.sql beside ${__dirname}: install the package again`,
    );
  }
  return found;
}
