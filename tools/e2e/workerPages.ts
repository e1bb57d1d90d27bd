import type { Program } from './programs';

/** What a health page answered. */
export interface PageAnswer {
  readonly status: number;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** The pages of a worker that runs as a process. */
export interface WorkerPages {
  get(path: '/healthz' | '/readyz' | '/progress'): Promise<PageAnswer>;
  /** The value of a metric; `labels` is a part of its labels as the page has them. `null`: there is no such metric. */
  metric(name: string, labels?: string): Promise<number | null>;
}

/** Waits until the worker serves its pages. */
export async function pagesOf(worker: Program): Promise<WorkerPages> {
  const line = await worker.line((text) => text.includes('"health pages"'), 'the line of its pages');
  const { healthPort } = JSON.parse(line) as { healthPort: number };
  const fetchPage = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${healthPort}${path}`, { signal: AbortSignal.timeout(10_000) });
  return {
    async get(path) {
      const answer = await fetchPage(path);
      const { checks } = (await answer.json()) as Pick<PageAnswer, 'checks'>;
      return { status: answer.status, checks };
    },
    async metric(name, labels = '') {
      const text = await (await fetchPage('/metrics')).text();
      const found = text.split('\n').find((one) => one.startsWith(`imart_${name}{`) && one.includes(labels));
      return found === undefined ? null : Number(found.replace(/^.* /, ''));
    },
  };
}
