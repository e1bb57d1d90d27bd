/** The page on which purchases are seen going through their steps, and the stock of sales. Everything it loads is {@link purchaseScript}. */
export const purchasePage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>IMart purchases</title>
<style>
:root { color-scheme: light dark; --line: #d5dae1; --soft: #6b7686; --fine: #14804a; --bad: #b3261e; --now: #1f4fd1; --card: #fff; --back: #f4f5f7 }
@media (prefers-color-scheme: dark) { :root { --line: #39424f; --soft: #9aa5b4; --fine: #4cc38a; --bad: #ff8a80; --now: #8ab0ff; --card: #1b212a; --back: #12161c } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 64rem; background: var(--back) }
h1 { font-size: 1.4rem; margin: 0 0 1rem } h2 { font-size: 1.05rem; margin: 2rem 0 .75rem }
.sales { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; display: grid; gap: .6rem }
.card header { display: flex; justify-content: space-between; gap: 1rem } .soft { color: var(--soft); font-size: .875rem }
.status { font-size: .75rem; font-weight: 600; align-self: center; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; color: var(--soft) }
.status.LIVE { color: var(--fine) }
meter { width: 100%; height: 1rem }
form { display: flex; gap: .5rem; flex-wrap: wrap } input { width: 4.5rem } input.wallet { flex: 1; min-width: 6rem }
input, button { font: inherit; padding: .35rem .6rem; border-radius: 5px; border: 1px solid var(--line) }
button { background: var(--now); border-color: var(--now); color: var(--card); cursor: pointer } button.many { background: none; color: var(--now) }
ol.purchases { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem }
.purchase header { flex-wrap: wrap } .mono { font-family: ui-monospace, monospace; font-size: .8rem }
ol.steps { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem }
ol.steps li { border: 1px solid var(--line); border-radius: 5px; padding: .15rem .6rem; font-size: .8rem; color: var(--soft) }
ol.steps li.done { color: inherit; border-color: var(--fine) } ol.steps li.now { color: var(--now); border-color: var(--now) }
ol.steps li.confirmed { background: var(--fine); color: var(--card); border-color: var(--fine) }
ol.steps li.rejected, ol.steps li.failed { background: var(--bad); color: var(--card); border-color: var(--bad) }
.problem { color: var(--bad); margin: 0 }
</style>
</head>
<body>
<h1>IMart purchases</h1>
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
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ? body.error.code + ': ' + body.error.message : 'it answers ' + response.status);
  return body;
}

const cards = new Map();
function cardOf(sale) {
  const card = element('article', 'card');
  const head = element('header');
  const name = element('strong', '', sale.name);
  const status = element('span', 'status');
  head.append(name, status);
  const left = element('span');
  const meter = Object.assign(document.createElement('meter'), { min: 0 });
  const terms = element('span', 'soft');
  const form = element('form');
  const quantity = Object.assign(element('input'), { type: 'number', min: 1, value: 1, title: 'Pieces' });
  const wallet = Object.assign(element('input', 'wallet'), { placeholder: 'wallet', value: '0xalice', title: 'Wallet' });
  const buy = element('button', '', 'Buy');
  const many = Object.assign(element('button', 'many', '20 at once'), { type: 'button' });
  form.append(quantity, wallet, buy, many);
  const order = () => purchase(sale, Number(quantity.value), wallet.value || null);
  form.addEventListener('submit', (event) => { event.preventDefault(); order(); });
  many.addEventListener('click', () => {
    for (let i = 1; i <= 20; i++) purchase(sale, Number(quantity.value), (wallet.value || '0x') + '-' + i);
  });
  card.append(head, left, meter, terms, form);
  byId('sales').append(card);
  return { status, left, meter, terms };
}

async function showSales() {
  try {
    const { items } = await ask('/v1/sales');
    for (const sale of items) {
      if (!cards.has(sale.id)) cards.set(sale.id, cardOf(sale));
      const { status, left, meter, terms } = cards.get(sale.id);
      status.textContent = sale.status;
      status.className = 'status ' + sale.status;
      left.textContent = sale.left + ' of ' + sale.supply + ' left';
      meter.max = sale.supply;
      meter.value = sale.left;
      terms.textContent = sale.price + ' ' + sale.currency + ' each' + (sale.walletLimit === null ? '' : ', at most ' + sale.walletLimit + ' per wallet');
    }
    if (items.length === 0) problem('There is no sale yet: imart sale create --help tells how to make one.');
    else problem('');
  } catch (error) {
    problem(String(error.message));
  }
}

const after = (from, to) => '+' + Math.max(0, Math.round(Date.parse(to) - Date.parse(from))) + ' ms';

function showPurchase(parts, state) {
  const begun = state.steps[0].at;
  const steps = state.steps.map(({ step, at }, i) =>
    element('li', state.status === 'pending' && i === state.steps.length - 1 ? 'now' : 'done', step + (i === 0 ? '' : ' ' + after(begun, at))));
  if (state.status !== 'pending') {
    steps.push(element('li', state.status, state.status + ' ' + after(begun, state.finishedAt)));
  }
  parts.steps.replaceChildren(...steps);
  parts.result.textContent = state.orderId ? 'order ' + state.orderId + ', ' + state.total + ' ' + state.currency
    : state.error ? state.error.code + ': ' + state.error.message : '';
}

async function purchase(sale, quantity, wallet) {
  const item = element('li', 'card purchase');
  const head = element('header');
  const id = element('span', 'mono soft', 'asking ...');
  head.append(element('span', '', quantity + ' x ' + sale.name + (wallet ? ' for ' + wallet : '')), id);
  const steps = element('ol', 'steps');
  const result = element('span', 'mono');
  item.append(head, steps, result);
  const all = byId('purchases');
  all.prepend(item);
  byId('none').hidden = true;
  while (all.children.length > SHOWN_MAX) all.lastChild.remove();
  try {
    const { id: purchaseId, href } = await ask('/v1/purchases', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID ? crypto.randomUUID() : String(Math.random()) },
      body: JSON.stringify({ productId: sale.id, quantity, wallet }),
    });
    id.textContent = purchaseId;
    // A browser has few connections to one host: many purchases are asked about one after the other instead.
    if (watched < 4) watch(href, { steps, result });
    else poll(href, { steps, result });
  } catch (error) {
    result.textContent = String(error.message);
  }
}

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
  for (;;) {
    const state = await ask(href);
    showPurchase(parts, state);
    if (state.status !== 'pending') break;
    await new Promise((next) => setTimeout(next, 200));
  }
  showSales();
}

showSales();
setInterval(showSales, 1000);
`;
