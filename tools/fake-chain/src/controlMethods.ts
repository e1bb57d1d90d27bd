import type { FakeRpc, FakeRpcRules } from '../../../libs/chain-evm/src/testing/fakeRpc';
import type { MarketTraffic, TrafficReorg } from './marketTraffic';

interface MineRequest {
  /** @defaultValue 1 */
  readonly blocks?: number;
  /** Transactions of each. */
  readonly actions?: number;
  /** Or logs of each, at least. @defaultValue 0 */
  readonly logs?: number;
}

interface RulesRequest {
  /** By its place, from 0. @defaultValue all */
  readonly endpoint?: number;
  /** Come on top of those that it has; `null` takes one away. */
  readonly rules: Readonly<Record<string, unknown>>;
}

interface ServedRequest {
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** Methods of these that take `null` as a value. */
const NULL_MEANS_NULL = new Set(['finalized']);

function setRules(rules: FakeRpcRules, changes: RulesRequest['rules']): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null && !NULL_MEANS_NULL.has(name)) delete rules[name as keyof FakeRpcRules];
    else Object.assign(rules, { [name]: value });
  }
}

/**
 * What a fake chain that is a process of its own is told over JSON-RPC: `fake_mine`, `fake_reorg`, `fake_rules`, `fake_expected`,
 * `fake_served`, `fake_status`. Any endpoint takes them, unless it is told to be down.
 * @returns `undefined` for other methods.
 */
export function controlMethods(
  traffic: MarketTraffic,
  nodes: readonly FakeRpc[],
  method: string,
  [request]: readonly unknown[],
): Promise<{ readonly result: unknown }> | undefined {
  const { chain } = traffic;
  const status = () => ({
    head: chain.head,
    hash: chain.blocks.at(-1)?.hash ?? null,
    endpoints: nodes.map(({ url, rules }) => ({ url, rules })),
  });
  switch (method) {
    case 'fake_mine': {
      const { blocks = 1, actions, logs = 0 } = (request ?? {}) as MineRequest;
      for (let i = 0; i < blocks; i++) {
        if (actions === undefined) traffic.mineLogs(logs);
        else traffic.mine(actions);
      }
      return Promise.resolve({ result: status() });
    }
    case 'fake_reorg':
      traffic.reorg(request as TrafficReorg);
      return Promise.resolve({ result: status() });
    case 'fake_rules': {
      const { endpoint, rules } = request as RulesRequest;
      nodes.forEach((node, i) => {
        if (endpoint === undefined || endpoint === i) setRules(node.rules, rules);
      });
      return Promise.resolve({ result: status() });
    }
    case 'fake_expected':
      return Promise.resolve({ result: traffic.expected() });
    case 'fake_served': {
      const { fromBlock, toBlock } = request as ServedRequest;
      const blocks = chain.blocks.slice(fromBlock, toBlock + 1).flatMap((block) => {
        if (block === null) return [];
        const first = Math.min(...nodes.map(({ servedAt }) => servedAt.get(block.hash) ?? Infinity));
        const { number, hash } = block;
        return [{ number, hash, servedAtMs: Number.isFinite(first) ? first : null }];
      });
      return Promise.resolve({ result: blocks });
    }
    case 'fake_status':
      return Promise.resolve({ result: status() });
    default:
      return undefined;
  }
}
