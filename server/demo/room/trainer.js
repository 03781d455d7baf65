// What the recipients learnt from each browser in the room, asked for every
// second. A card is drawn anew only when something changed.

/** @typedef {{ key: string, name: string, requests: number, learnt: string[] }} Recipient */
/** @typedef {{ number: number, address: string, browser: string, recipients: Recipient[] }} Seat */

const words = document.body.dataset;
const lang = document.documentElement.lang;
const seats = /** @type {HTMLElement} */ (document.querySelector('#seats'));
const lost = /** @type {HTMLElement} */ (document.querySelector('#lost'));
const nobody = /** @type {HTMLElement} */ (document.querySelector('#nobody'));
/** @type {Map<number, string>} what each card shows, as JSON */
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

/** @param {Seat} seat */
function card(seat) {
  const article = element('article', undefined, seat.recipients.some(({ learnt }) => learnt.length) ? 'known' : '');
  article.id = `seat-${seat.number}`;
  const title = element('h3', `${words.participant} ${seat.number}`);
  title.append(element('small', `${seat.browser || words.unknown} · ${seat.address}`));
  const list = element('dl');
  for (const { name, learnt } of seat.recipients) {
    const style = learnt.length ? 'knows' : '';
    list.append(element('dt', name, style), ...(learnt.length ? learnt : [words.nothing ?? '']).map((sentence) => element('dd', sentence, style)));
  }
  article.append(title, list);
  return article;
}

/** @param {Seat[]} all */
function show(all) {
  nobody.hidden = all.length > 0;
  for (const old of [...seats.children]) if (!all.some(({ number }) => old.id === `seat-${number}`)) old.remove();
  for (const number of [...shown.keys()]) if (!all.some((seat) => seat.number === number)) shown.delete(number);
  for (const seat of all) {
    const now = JSON.stringify(seat);
    if (shown.get(seat.number) === now) continue;
    shown.set(seat.number, now);
    const fresh = card(seat);
    const old = document.getElementById(fresh.id);
    if (old) old.replaceWith(fresh);
    else seats.append(fresh);
  }
}

async function refresh() {
  try {
    show((await (await fetch(`api/record?lang=${lang}`)).json()).seats);
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

/** @type {HTMLElement} */ (document.querySelector('#reset')).onclick = async () => {
  await fetch('api/reset', { method: 'POST' });
  await refresh();
};

for (;;) {
  await refresh();
  await new Promise((done) => setTimeout(done, 1000));
}
