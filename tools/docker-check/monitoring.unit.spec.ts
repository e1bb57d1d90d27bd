import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createMetrics, silentLogger, type Metrics } from '@imart/runtime';
import type { ReadDatabase } from '@imart/storage';
import { positionWords } from '@imart/worker';
import { createServer } from '../../apps/api/src/createServer';
import { registerChainMetrics as registerAptosMetrics } from '../../apps/aptos-worker/src/chainMetrics';
import { registerChainMetrics } from '../../apps/evm-worker/src/chainMetrics';
import { registerPurchaseMetrics } from '../../apps/purchase-worker/src/metrics';
import { registerCacheKeeper } from '../../libs/worker/src/cache/startCacheKeeper';
import { registerNotifications } from '../../libs/worker/src/notifications/notifierMetrics';
import {
  registerTransactions,
  registerWorkerMetrics,
  type WorkerMetricsOptions,
} from '../../libs/worker/src/metrics';
import { readComposeFile } from './composeFile';
import { readRecipe } from './imageRecipe';

const DOCKER = join(__dirname, '../../docker');
const read = (path: string): string => readFileSync(join(DOCKER, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
  readonly panels: readonly Panel[];
}

const { groups } = parse(read('prometheus/alerts.yml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('grafana/dashboards/imart.json')) as Dashboard;
const shown = dashboard.panels.filter(({ type }) => type !== 'row');

/** Remembers what is registered; nothing is read. */
function recorder(): { metrics: Metrics; names: Set<string> } {
  const names = new Set<string>();
  const note = (name: string): { add(): void; set(): void; observe(): void } => {
    names.add(`imart_${name}`);
    return { add: () => undefined, set: () => undefined, observe: () => undefined };
  };
  const metrics: Metrics = {
    counter: note,
    gauge: note,
    histogram: (name) => {
      for (const part of ['bucket', 'count', 'sum']) names.add(`imart_${name}_${part}`);
      return { observe: () => undefined };
    },
    contentType: 'text/plain',
    render: async () => '',
  };
  return { metrics, names };
}

/** What the workers show, of every chain and of purchases: registering reads nothing of what it is given. */
function workerMetrics(): Set<string> {
  const { metrics, names } = recorder();
  registerTransactions(metrics);
  registerWorkerMetrics({
    metrics,
    config: {},
    stats: {},
    view: {},
    words: { position: positionWords('block'), records: 'logs' },
    registerChain: (registry: Metrics) => registerChainMetrics(registry, {} as never, {} as never),
    passStats: {},
    stream: { stats: {} },
  } as unknown as WorkerMetricsOptions);
  registerAptosMetrics(metrics, {} as never);
  registerNotifications(metrics, {} as never);
  registerCacheKeeper(metrics, {} as never);
  registerPurchaseMetrics(metrics, {} as never, () => Promise.reject(new Error('nothing is read')));
  return names;
}

async function apiMetrics(): Promise<Set<string>> {
  const { metrics, names } = recorder();
  const purchases = { desk: () => Promise.reject(new Error('nothing is read')) };
  const app = await createServer({ db: {} as ReadDatabase, logger: silentLogger, metrics, purchases });
  await app.close();
  return names;
}

async function processMetrics(): Promise<Set<string>> {
  const text = await createMetrics().render();
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
}

/** Every metric that an expression names. */
const namedIn = (expression: string): string[] =>
  [...expression.replace(/"[^"]*"/g, '').matchAll(/\b(?:imart|nodejs|process)_[a-z0-9_]+/g)].map(
    ([name]) => name,
  );

describe('the dashboard', () => {
  const expressions = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  it('has panels that each ask for something, say what it is, and do not lie on each other', () => {
    expect(shown.length).toBeGreaterThan(25);
    for (const { title, targets, description } of shown) {
      expect([title, (targets ?? []).length > 0, (description ?? '') !== '']).toEqual([title, true, true]);
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('names only metrics that there are', async () => {
    const known = new Set([...workerMetrics(), ...(await apiMetrics()), ...(await processMetrics())]);
    const variables = dashboard.templating.list.map(({ definition }) => definition);
    const unknown = [...expressions, ...variables].flatMap(namedIn).filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });

  it('shows every metric of the workers and of the API', async () => {
    const named = new Set(expressions.flatMap(namedIn));
    const all = [...workerMetrics(), ...(await apiMetrics())];
    expect(all.length).toBeGreaterThan(40);
    // Of a histogram, its sum alone says nothing.
    const missing = all.filter((name) => !named.has(name) && !/_(sum|count)$/.test(name));
    expect(missing).toEqual([]);
  });
});

describe('the alarms', () => {
  it('name only metrics that there are', async () => {
    const known = new Set([...workerMetrics(), ...(await apiMetrics())]);
    expect(rules.flatMap(({ expr }) => namedIn(expr)).filter((name) => !known.has(name))).toEqual([]);
  });

  it('each say how bad it is, what is wrong, and where it is written what to do', () => {
    const operations = readFileSync(join(DOCKER, '../docs/operations.md'), 'utf8');
    const anchors = [...operations.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    );
    expect(rules.length).toBeGreaterThan(15);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, ['warning', 'critical'].includes(labels.severity), annotations.summary !== '']).toEqual([
        alert,
        true,
        true,
      ]);
      const [page, anchor = ''] = annotations.runbook.split('#');
      expect([alert, page, anchors.includes(anchor)]).toEqual([alert, 'docs/operations.md', true]);
    }
    // And no alarm is described that there is not.
    const described = [...operations.matchAll(/^### (Imart\w+)$/gm)].map(([, name]) => name);
    expect(described.sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  const promtool = spawnSync('promtool', ['--version']).status === 0;
  if (!promtool) console.warn('promtool is not installed: what trips each alarm is not tried');
  (promtool ? it : it.skip)('are tripped by what they are for, and by nothing else', () => {
    const test = spawnSync('promtool', ['test', 'rules', join(__dirname, 'alerts.test.yml')], {
      encoding: 'utf8',
    });
    expect([test.status, test.stderr]).toEqual([0, '']);
  });

  (promtool ? it : it.skip)('are in files that Prometheus reads', () => {
    for (const [what, file] of [
      ['rules', 'alerts.yml'],
      ['config', 'prometheus.yml'],
    ] as const) {
      // Of the configuration only what stands in it: the paths in it are those of the image.
      const syntax = what === 'config' ? ['--syntax-only'] : [];
      const check = spawnSync('promtool', ['check', what, ...syntax, join(DOCKER, 'prometheus', file)], {
        encoding: 'utf8',
      });
      expect([file, check.status, check.stderr]).toEqual([file, 0, '']);
    }
  });

  it('are each tripped in the test of them', () => {
    const { tests } = parse(readFileSync(join(__dirname, 'alerts.test.yml'), 'utf8')) as {
      tests: {
        input_series: { series: string }[];
        promql_expr_test: { exp_samples: { value: number }[] }[];
      }[];
    };
    expect(tests[1]?.promql_expr_test.map(({ exp_samples }) => exp_samples[0]?.value)).toEqual([
      rules.length,
      rules.length,
    ]);
  });
});

describe('Prometheus and Grafana', () => {
  const compose = readComposeFile(join(DOCKER, 'compose.yml'), { POSTGRES_PASSWORD: 'word' });
  const recipe = readRecipe(read('Dockerfile'));

  it('ask every worker and the API, where they listen', () => {
    const { scrape_configs } = parse(read('prometheus/prometheus.yml')) as {
      scrape_configs: {
        dns_sd_configs?: { names: string[]; port: number }[];
        static_configs?: { targets: string[] }[];
      }[];
    };
    const workers = Object.keys(compose.services).filter((name) =>
      /^(evm-worker-.+|aptos-worker|purchase-worker)$/.test(name),
    );
    const found = scrape_configs.flatMap(({ dns_sd_configs = [] }) => dns_sd_configs);
    expect(found.flatMap(({ names }) => names)).toEqual(workers);
    for (const { names, port } of found)
      for (const name of names)
        expect([name, String(port)]).toEqual([name, recipe.get(name)?.env['WORKER_PORT']]);
    expect(scrape_configs.flatMap(({ static_configs = [] }) => static_configs)).toEqual([
      { targets: [`api:${recipe.get('api')?.env['PORT']}`] },
    ]);
  });

  it('find their files where compose.yml puts them', () => {
    const { rule_files } = parse(read('prometheus/prometheus.yml')) as { rule_files: string[] };
    for (const file of rule_files)
      expect([file, existsSync(join(DOCKER, 'prometheus', file))]).toEqual([file, true]);
    const { datasources } = parse(read('grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: { uid: string; url: string }[];
    };
    expect(datasources.map(({ uid, url }) => [uid, url])).toEqual([['prometheus', 'http://prometheus:9090']]);
    expect(new Set(read('grafana/dashboards/imart.json').match(/"uid": "(?!imart|--)[^"]+"/g))).toEqual(
      new Set(['"uid": "prometheus"']),
    );
    const { providers } = parse(read('grafana/provisioning/dashboards/imart.yml')) as {
      providers: { options: { path: string } }[];
    };
    const mounts = compose.services['grafana']?.volumes ?? [];
    expect(mounts).toContain(`./grafana/dashboards:${providers[0]?.options.path}:ro`);
  });
});
