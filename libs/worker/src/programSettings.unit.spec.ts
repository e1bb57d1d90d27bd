import { defineConfig, defineSetting, text } from '@imart/runtime';
import { programSettings } from './programSettings';
import { engineSettings, positionSettings, roleSettings, whereChainIsRead } from './settings';
import { positionWords } from './words';

const schema = defineConfig({
  ...roleSettings,
  node: whereChainIsRead(defineSetting({ name: 'NODE', type: text, meaning: 'A node.' })),
  ...positionSettings(positionWords('version'), 9n),
  ...engineSettings,
});
const { loadConfig, readsChain } = programSettings({
  schema,
  environment: () => ({ NODE: 'of the process', ROLE: 'ingest' }),
});

describe("a program's settings", () => {
  it("are the process's own unless others are given, those of the arguments first", async () => {
    expect((await loadConfig([])).config).toMatchObject({ node: 'of the process', role: 'ingest' });
    const { config } = await loadConfig([['ROLE', 'all']], { NODE: 'another', ROLE: 'apply' });
    expect(config).toMatchObject({ node: 'another', role: 'all' });
  });

  it('tell whether the chain is read, and then that what it needs is there', async () => {
    const { config } = await loadConfig([]);
    expect(readsChain(config) && config.node.length).toBe('of the process'.length);
    expect(readsChain((await loadConfig([], { ROLE: 'apply' })).config)).toBe(false);
    await expect(loadConfig([], {})).rejects.toThrow('NODE');
  });
});
