/** The page on which purchases are seen going through their steps, and the stock of sales. Everything it loads is {@link purchaseScript}. */
export const purchasePage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>IMart purchases</title>
<style>
:root { color-scheme: light dark; --line: #d5dae1; --soft: #6b7686; --fine: #14804a; --bad: #b3261e; --now: #1f4fd1; --few: #b26a00; --card: #fff; --back: #f4f5f7 }
@media (prefers-color-scheme: dark) { :root { --line: #39424f; --soft: #9aa5b4; --fine: #4cc38a; --bad: #ff8a80; --now: #8ab0ff; --few: #f0a94a; --card: #1b212a; --back: #12161c } }
a { color: var(--now) }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 64rem; background: var(--back) }
[hidden] { display: none !important }
h1 { font-size: 1.4rem; margin: 0 0 1rem } h2 { font-size: 1.05rem; margin: 2rem 0 .75rem }
.sales { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; display: grid; gap: .6rem }
.card header { display: flex; justify-content: space-between; gap: 1rem } .soft { color: var(--soft); font-size: .875rem }
.status { font-size: .75rem; font-weight: 600; align-self: center; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; color: var(--soft) }
.status.LIVE { color: var(--fine) }
.stock { display: flex; justify-content: space-between; gap: 1rem } .stock.out { color: var(--bad); font-weight: 600 }
.bar { height: .6rem; border-radius: .3rem; background: var(--line); overflow: hidden }
.bar div { height: 100%; background: var(--fine); transition: width .3s } .bar.low div { background: var(--few) }
form { display: flex; gap: .5rem; flex-wrap: wrap; align-items: end } label { display: grid; font-size: .75rem; color: var(--soft) }
label input { color: CanvasText } .pieces input { width: 4.5rem } .wallet { flex: 1; min-width: 7rem } .wallet input { min-width: 0 }
input, button { font: inherit; font-size: 1rem; padding: .35rem .6rem; border-radius: 5px; border: 1px solid var(--line) } input { background: var(--card) }
button { background: var(--now); border-color: var(--now); color: var(--card); cursor: pointer } button.many { background: none; color: var(--now) }
ol.purchases { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem }
.purchase header { flex-wrap: wrap; gap: .2rem 1rem } .mono { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere }
ol.steps { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem }
ol.steps li { border: 1px solid var(--line); border-radius: 5px; padding: .15rem .6rem; font-size: .8rem; color: var(--soft) }
ol.steps li.next { border-style: dashed; opacity: .7 } ol.steps li.done { color: inherit; border-color: var(--fine) } ol.steps li.refused { color: var(--bad); border-color: var(--bad) } ol.steps li.now { color: var(--now); border-color: var(--now) }
ol.steps li.confirmed { background: var(--fine); color: var(--card); border-color: var(--fine) }
ol.steps li.rejected, ol.steps li.failed { background: var(--bad); color: var(--card); border-color: var(--bad) }
.problem { color: var(--bad); margin: 0 0 1rem } .problem:empty { display: none } .result:empty { display: none } .result.wrong { color: var(--bad) } .result b { font-family: ui-monospace, monospace; font-size: .875rem }
.key { margin: 0 0 1rem } .key input { width: min(24rem, 100%) }
</style>
</head>
<body>
<h1>IMart purchases</h1>
<p class="soft">Each purchase is answered at once, and decided step by step a moment later. The same as an <a href="/docs">API</a>.</p>
<form class="key" id="key" hidden><label>API key with the scope purchases:write<input id="secret" type="password" autocomplete="off"></label></form>
<p id="problem" class="problem" role="alert"></p>
<section class="sales" id="sales" aria-label="Sales"></section>
<h2>Purchases made here</h2>
<p class="soft" id="none">None yet: buy something above.</p>
<ol class="purchases" id="purchases" aria-live="polite"></ol>
<script src="/purchases/page.js"></script>
</body>
</html>
`;

/** What the page runs. Texts of others are only ever set as text. */
export const purchaseScript = `'use strict';
const SHOWN_MAX = 30;
const byId = (id) => document.getElementById(id);
const element = (name, className = '', text = '') => Object.assign(document.createElement(name), { className, textContent: text });
const problem = (text) => { byId('problem').textContent = text; };

async function ask(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    if (response.status === 401 || response.status === 403) byId('key').hidden = false;
    throw Object.assign(new Error(body.error ? body.error.message : 'it answers ' + response.status), { code: body.error?.code, status: response.status });
  }
  return body;
}

/** What went wrong, in one sentence: what has no code comes from the browser. */
const told = ({ code, message }) => code ? code + ': ' + message : 'The server cannot be asked (' + message + ').';

const cards = new Map();
function cardOf(sale) {
  const card = element('article', 'card');
  const head = element('header');
  const name = element('strong', '', sale.name);
  const status = element('span', 'status');
  head.append(name, status);
  const left = element('div', 'stock');
  const bar = element('div', 'bar');
  const level = element('div');
  bar.append(level);
  const terms = element('span', 'soft');
  const form = element('form');
  const labelled = (className, text, input) => {
    const label = element('label', className, text);
    label.append(input);
    form.append(label);
    return input;
  };
  const quantity = labelled('pieces', 'Pieces', Object.assign(element('input'), { type: 'number', min: 1, value: 1 }));
  const wallet = labelled('wallet', 'Wallet', Object.assign(element('input'), { value: '0xalice' }));
  const buy = element('button', '', 'Buy');
  const many = Object.assign(element('button', 'many', '20 at once'), { type: 'button' });
  form.append(buy, many);
  const order = () => purchase(sale, Number(quantity.value), wallet.value || null);
  form.addEventListener('submit', (event) => { event.preventDefault(); order(); });
  many.addEventListener('click', () => {
    for (let i = 1; i <= 20; i++) purchase(sale, Number(quantity.value), (wallet.value || '0x') + '-' + i);
  });
  card.append(head, left, bar, terms, form);
  byId('sales').append(card);
  return { status, left, bar, level, terms };
}

async function showSales() {
  try {
    const { items } = await ask('/v1/sales');
    for (const sale of items) {
      if (!cards.has(sale.id)) cards.set(sale.id, cardOf(sale));
      const { status, left, bar, level, terms } = cards.get(sale.id);
      status.textContent = sale.status;
      status.className = 'status ' + sale.status;
      left.className = sale.left === 0 ? 'stock out' : 'stock';
      left.replaceChildren(element('span', '', sale.left === 0 ? 'sold out' : sale.left + ' left'), element('span', 'soft', 'of ' + sale.supply));
      bar.className = sale.left * 4 <= sale.supply ? 'bar low' : 'bar';
      level.style.width = 100 * sale.left / sale.supply + '%';
      terms.textContent = sale.price + ' ' + sale.currency + ' each' + (sale.walletLimit === null ? '' : ', at most ' + sale.walletLimit + ' per wallet');
    }
    if (items.length === 0) problem('There is no sale yet: imart sale create --help tells how to make one.');
    else problem('');
  } catch (error) {
    problem(told(error));
  }
}

const after = (from, to) => '+' + Math.max(0, Math.round(Date.parse(to) - Date.parse(from))) + ' ms';

/** The way to an order; a refusal leaves it. */
const WAY = ['purchase.received', 'stock.check-requested', 'stock.available', 'order.processed'];

function showPurchase(parts, state) {
  const begun = state.steps[0].at;
  const pending = state.status === 'pending';
  const steps = state.steps.map(({ step, at }, i) => {
    const kind = step === 'stock.unavailable' ? 'refused' : pending && i === state.steps.length - 1 ? 'now' : 'done';
    return element('li', kind, step + (i === 0 ? '' : ' ' + after(begun, at)));
  });
  if (pending) {
    const ahead = state.step === 'stock.unavailable' ? [] : WAY.slice(WAY.indexOf(state.step) + 1).concat('confirmed');
    steps.push(...ahead.map((step) => element('li', 'next', step)));
  } else {
    steps.push(element('li', state.status, state.status + ' ' + after(begun, state.finishedAt)));
  }
  parts.steps.replaceChildren(...steps);
  if (state.error) showProblem(parts.result, state.error);
  else {
    parts.result.className = 'result';
    parts.result.textContent = state.orderId ? 'Order ' + state.orderId + ', ' + state.total + ' ' + state.currency : '';
  }
}

function showProblem(place, { code, message }) {
  place.className = 'result wrong';
  place.replaceChildren(...(code ? [element('b', '', code), ': ' + message] : [told({ message })]));
}

async function purchase(sale, quantity, wallet) {
  const item = element('li', 'card purchase');
  const head = element('header');
  const id = element('span', 'mono soft', 'asking ...');
  head.append(element('span', '', quantity + ' x ' + sale.name + (wallet ? ' for ' + wallet : '')), id);
  const steps = element('ol', 'steps');
  const result = element('span', 'result');
  item.append(head, steps, result);
  const all = byId('purchases');
  all.prepend(item);
  byId('none').hidden = true;
  while (all.children.length > SHOWN_MAX) all.lastChild.remove();
  try {
    const { id: purchaseId, href } = await ask('/v1/purchases', {
      method: 'POST',
      headers: { ...authorization(), 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID ? crypto.randomUUID() : String(Math.random()) },
      body: JSON.stringify({ productId: sale.id, quantity, wallet }),
    });
    id.textContent = purchaseId;
    byId('key').hidden = true;
    // A browser has few connections to one host: many purchases are asked about one after the other instead.
    if (watched < 4) watch(href, { steps, result });
    else poll(href, { steps, result });
  } catch (error) {
    id.textContent = 'not taken in';
    showProblem(result, error);
  }
}

/** Kept nowhere: it is gone with the page. */
const authorization = () => byId('secret').value === '' ? {} : { authorization: 'Bearer ' + byId('secret').value };
byId('key').addEventListener('submit', (event) => event.preventDefault());

let watched = 0;
function watch(href, parts) {
  watched++;
  const source = new EventSource(href + '/events');
  const end = () => { source.close(); watched--; showSales(); };
  source.addEventListener('purchase', ({ data }) => {
    const state = JSON.parse(data);
    showPurchase(parts, state);
    if (state.status !== 'pending') end();
  });
  source.addEventListener('gone', end);
}

async function poll(href, parts) {
  for (let pending = true; pending;) {
    await new Promise((next) => setTimeout(next, 200));
    try {
      const state = await ask(href);
      showPurchase(parts, state);
      pending = state.status === 'pending';
    } catch (error) {
      // What is away may come back.
      pending = error.status === undefined || error.status === 429 || error.status >= 500;
      showProblem(parts.result, error);
    }
  }
  showSales();
}

showSales();
setInterval(showSales, 1000);
`;
