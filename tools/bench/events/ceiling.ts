import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { BATCH_EVENTS, benchEvent, type Contestant } from './contestant';

/** One table and one statement for each append, by plain `pg`: what the server and the driver let through, with no promise beside. */
export async function createCeiling(url: string): Promise<Contestant> {
  const pool = new Pool({ connectionString: url, max: 8 });
  await pool.query(`CREATE TABLE ceiling (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream TEXT NOT NULL,
    version BIGINT NOT NULL, id UUID NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream, version))`);
  const insert = (stream: string, from: number, events: number): Promise<unknown> => {
    const versions = Array.from({ length: events }, (_, i) => from + i);
    return pool.query(
      `INSERT INTO ceiling (stream, version, id, name, data)
       SELECT $1, v, id, 'Added', data FROM unnest($2::bigint[], $3::uuid[], $4::text[]) AS e(v, id, data)`,
      [
        stream,
        versions.map((version) => version + 1),
        versions.map(() => randomUUID()),
        versions.map((n) => JSON.stringify(benchEvent(n))),
      ],
    );
  };
  return {
    name: 'plain pg',
    async appendOne(stream, n) {
      await insert(stream, n, 1);
    },
    settled: async () => undefined,
    async appendBatches(batches) {
      const started = performance.now();
      let next = 0;
      const work = async (): Promise<void> => {
        for (let n = next++; n < batches; n = next++) await insert(`batch-${n}`, 0, BATCH_EVENTS);
      };
      await Promise.all(Array.from({ length: 8 }, work));
      return (performance.now() - started) / 1000;
    },
    async fill(stream, events) {
      await insert(stream, 0, events);
    },
    async load(stream) {
      const { rows } = await pool.query(
        'SELECT version, id, name, data FROM ceiling WHERE stream = $1 ORDER BY version',
        [stream],
      );
      const sum = (rows as { data: string }[]).reduce(
        (before, { data }) => before + (JSON.parse(data) as { amount: number }).amount,
        0,
      );
      return { events: rows.length, sum };
    },
    async count() {
      return Number((await pool.query('SELECT count(*) AS n FROM ceiling')).rows[0].n);
    },
    close: () => pool.end(),
  };
}
