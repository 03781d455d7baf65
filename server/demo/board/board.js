// Shows the record, and asks for it again every second. A card is drawn anew
// only when something changed, so that an opened one stays open.

/** @typedef {{ time: string, method: string, url: string, type: string, headers: Record<string, string>, body?: string, decoded?: string, from: string }} Request */
/** @typedef {{ key: string, name: string, role: string, origin: string, requests: Request[], connections: number, learnt: string[], relayed?: string }} Standing */

const words = document.body.dataset;
const lang = document.documentElement.lang;
/** @type {Map<string, string>} what each card shows, as JSON */
const shown = new Map();

/**
 * @param {string} name
 * @param {string} [text]
 * @param {string} [style]
 */
function element(name, text, style) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (style) e.className = style;
  return e;
}

/** @param {Standing} standing */
function card(standing) {
  const article = element('article', undefined, standing.learnt.length ? 'knows' : '');
  article.id = standing.key;
  article.append(element('h3', standing.name), element('p', `${standing.role} · ${new URL(standing.origin).hostname}`));
  if (standing.learnt.length) {
    const list = element('ul');
    list.append(...standing.learnt.map((sentence) => element('li', sentence)));
    article.append(list);
  } else {
    article.append(element('p', words.nothing, 'nothing'));
  }
  if (standing.relayed) article.append(element('p', standing.relayed, 'relayed'));
  const details = element('details');
  details.append(element('summary', [words.arrived, `${words.requests}: ${standing.requests.length}`, ...(words.connections ? [`${words.connections}: ${standing.connections}`] : [])].join(' · ')));
  details.append(element('pre', standing.requests.slice(-50).map(line).join('\n\n')));
  article.append(details);
  return article;
}

/** @param {Request} request */
function line(request) {
  const parts = [`${request.method} ${decodeLoosely(request.url)}  (${request.type}, ${request.from})`];
  for (const name of ['referer', 'cookie']) if (request.headers[name]) parts.push(`${name}: ${request.headers[name]}`);
  if (request.body) parts.push(decodeLoosely(request.body));
  if (request.decoded) parts.push(`= ${request.decoded}`);
  return parts.join('\n');
}

/** @param {string} text */
function decodeLoosely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param {string} where
 * @param {Standing[]} standings
 */
function show(where, standings) {
  const section = /** @type {HTMLElement} */ (document.getElementById(where));
  for (const standing of standings) {
    const now = JSON.stringify(standing);
    if (shown.get(standing.key) === now) continue;
    shown.set(standing.key, now);
    const fresh = card(standing);
    const old = document.getElementById(standing.key);
    if (old?.querySelector('details')?.open) /** @type {HTMLDetailsElement} */ (fresh.querySelector('details')).open = true;
    if (old) old.replaceWith(fresh);
    else section.append(fresh);
  }
}

async function refresh() {
  const lost = /** @type {HTMLElement} */ (document.getElementById('lost'));
  try {
    const board = await (await fetch(`/api/record?lang=${lang}`)).json();
    show('recipients', board.recipients);
    show('needs', board.needs);
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

/** @type {HTMLElement} */ (document.getElementById('reset')).onclick = async () => {
  await fetch('/api/reset', { method: 'POST' });
  await refresh();
};

for (;;) {
  await refresh();
  await new Promise((done) => setTimeout(done, 1000));
}
