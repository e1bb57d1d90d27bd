import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import * as eventService from './index';

/** The example of the README, as it stands there. */
const examples = [
  ...readFileSync(join(__dirname, '..', 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
].map(([, code = '']) => code);

it('the README’s aggregate and its tests run as they stand there', () => {
  const [aggregate = '', tests = ''] = examples;
  const { outputText } = ts.transpileModule(aggregate + tests, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  let used = 0;
  const load = (name: string): unknown => {
    if (name !== '@imart/event-service') return require(name);
    used++;
    return eventService;
  };
  const run = new Function('require', 'exports', outputText) as (load: unknown, exports: object) => void;
  const exported: { product?: { readonly type: string } } = {};
  run(load, exported);
  expect(exported.product?.type).toBe('product');
  expect(used).toBe(2);
});
