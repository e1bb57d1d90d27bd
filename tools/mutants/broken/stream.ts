import type { Mutant } from '../mutants';

/** Jobs. */
export const STREAM_MUTANTS: readonly Mutant[] = [
  {
    name: 'evicting-redis-accepted',
    breaks: 'a Redis that may throw jobs away is used (Q4)',
    patches: [
      {
        file: 'libs/stream/src/redisJobs.ts',
        search: "if (policy !== 'noeviction') throw new RedisPolicyError(redisHost(url), policy);",
        replace: 'void policy;',
      },
    ],
    suite: {
      files: ['libs/stream/src/createWakeUpStream.int.spec.ts'],
      only: 'refuses a Redis that may evict jobs',
    },
  },
  {
    name: 'job-ids-without-epoch',
    breaks: 'the id of a finished job keeps out the one of the same place after a reorg (Q5)',
    patches: [
      {
        file: 'libs/pipeline/src/wakeUps.ts',
        search: '-${seqNo}-${epoch}-${lane}`',
        replace: '-${seqNo}-${lane}`',
      },
    ],
    suite: { files: ['libs/pipeline/src/wakeUps.unit.spec.ts'], only: '(Q5)' },
  },
];
