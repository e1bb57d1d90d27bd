import { forgetPerson } from '@imart/storage';
import { actor } from '../actor';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { operatorLog } from '../operatorLog';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

const help = `imart forget PERSON --yes [--reason TEXT] [--by NAME]

Makes what events say about a person unreadable, for good: deletes the key that it is sealed with, and the snapshots that hold it. The
events stay; in place of the person's data they show "[unreadable]". There is no way back but a backup of the database, which has the key
until it is thrown away. Copies that readers of streams and webhooks have made are theirs to delete.

  PERSON         the name that the aggregate types give the person
  --yes          really do it
  --reason TEXT  why; kept with who and when, without the person's name, and told on stderr
  --by NAME      who does it; without it, the user of the operating system

Exit code 0: forgotten. 1: there is nothing of this person, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const forgetCommand: Command = {
  summary: 'makes what events say about a person unreadable',
  help,
  async run(args) {
    const { values, positionals } = readOptions(
      args,
      {
        yes: { type: 'boolean', default: false },
        reason: { type: 'string' },
        by: { type: 'string' },
      },
      true,
    );
    const [person, ...more] = positionals;
    if (person === undefined || person === '' || more.length > 0)
      throw new UsageError('forget takes one person, as the aggregate types name it');
    if (!values.yes) throw new UsageError('forgetting cannot be undone: say --yes');
    return withDatabase(async (pool) => {
      const decision = { actedBy: actor(values.by), reason: values.reason?.trim() || null };
      const forgotten = await forgetPerson(pool, person, decision);
      if (forgotten === null) {
        process.stderr.write('imart forget: there is nothing of this person, or it is unreadable already\n');
        return 1;
      }
      const logger = operatorLog();
      logger.info('an operator made the data of a person unreadable', { ...decision, ...forgotten });
      await logger.close();
      const where = forgotten.aggregates.map(({ subjectId, count }) => `${subjectId} (${count})`).join(', ');
      process.stdout.write(`forgotten; aggregates with data of this person: ${where}\n`);
      return 0;
    });
  },
};
