import { actor } from '../actor';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { operatorLog } from '../operatorLog';
import { openSubjectOf } from '../openSubject';
import { readOptions } from '../readOptions';

const help = `imart resume [--subject ID] [--reason TEXT] [--by NAME]

Lets a chain that stands still go on where it is: after the cause was mended, and nothing has to be taken back. Where the log has to go
back, imart rewind does both. The workers go on by themselves; a cause that is still there stops them again.

  --subject ID   the chain, as eip155:1; needed where the database has several
  --reason TEXT  why; kept with who and when (imart history), and told on stderr
  --by NAME      who does it; without it, the user of the operating system

Exit code 0: it goes on, or did not stand still. 1: refused, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const resumeCommand: Command = {
  summary: 'lets a chain that stands still go on where it is',
  help,
  async run(args) {
    const { values } = readOptions(args, {
      subject: { type: 'string' },
      reason: { type: 'string' },
      by: { type: 'string' },
    });
    return withDatabase(async (pool) => {
      const { store, subjectId } = await openSubjectOf(pool, values.subject);
      const halt = await store.halted();
      if (halt === null) {
        process.stdout.write(`${subjectId} does not stand still\n`);
        return 0;
      }
      if (halt.code === 'REWINDING') {
        process.stderr.write(`imart resume: ${halt.message}: until then the log ends somewhere in between\n`);
        return 1;
      }
      const decision = { actedBy: actor(values.by), reason: values.reason?.trim() || null };
      if (!(await store.clearHalt(halt.code, decision))) {
        process.stderr.write(
          `imart resume: ${subjectId} does not stand still for ${halt.code} any more; nothing was done, look again\n`,
        );
        return 1;
      }
      const logger = operatorLog();
      logger.info('an operator let the chain go on', {
        subject: subjectId,
        ...decision,
        haltCleared: halt.code,
      });
      await logger.close();
      process.stdout.write(
        `${subjectId} goes on; it stood still since ${new Date(halt.haltedAtMs).toISOString()} (${halt.code}: ${halt.message})\n`,
      );
      return 0;
    });
  },
};
