// The form: sends only when the third parties that it needs have answered.
// Each one's element is marked when the answer is there, and not before.

const { pay = '', video = '' } = document.documentElement.dataset;

/** @param {string} name */
const need = (name) => /** @type {HTMLElement} */ (document.querySelector(`[data-need=${name}]`));

/** @param {string} name */
function works(name) {
  need(name).dataset.state = 'working';
  say(name);
}

/** @param {string} name */
function say(name) {
  const element = need(name);
  const words = /** @type {HTMLElement} */ (document.querySelector('[data-waiting]')).dataset;
  const state = element.querySelector('em') ?? document.createElement('em');
  element.querySelector('span')?.after(state);
  state.textContent = (element.dataset.state === 'working' ? words.working : words.waiting) ?? '';
}

/**
 * Puts a third party's receipt into the form; with all of them it can be sent.
 * @param {string} name
 * @param {string} receipt
 */
function hold(name, receipt) {
  const inputs = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll('[data-need] input')]);
  for (const input of inputs) if (input.name === name) input.value = receipt;
  /** @type {HTMLButtonElement} */ (document.querySelector('#send')).disabled = inputs.some((input) => !input.value);
}

for (const name of ['consent', 'captcha', 'video', 'pay', 'map']) say(name);

// Consent: the dialog came; later the choice was taken.
addEventListener('consent:shown', () => works('consent'));
addEventListener('consent:answered', (event) => {
  works('consent');
  hold('consent', /** @type {CustomEvent<string>} */ (event).detail);
});

addEventListener('captcha:token', (event) => {
  works('captcha');
  hold('captcha', /** @type {CustomEvent<string>} */ (event).detail);
});

addEventListener('message', (event) => {
  if (event.origin !== pay || event.data?.type !== 'paid') return;
  works('pay');
  hold('pay', event.data.receipt);
});
// The frame may have been faster than this script.
/** @type {HTMLIFrameElement} */ (need('pay').querySelector('iframe')).contentWindow?.postMessage({ type: 'paid?' }, '*');

// Video: the client's script, and the probe that it sends, as clients do to
// find out whether a call would come through.
addEventListener('load', async () => {
  const client = /** @type {{ videoClient?: { probe(origin: string): Promise<boolean> } }} */ (/** @type {unknown} */ (window)).videoClient;
  if (client && await client.probe(video).catch(() => false)) works('video');
});

const tiles = /** @type {HTMLImageElement[]} */ ([...document.querySelectorAll('.map img')]);
Promise.all(tiles.map(async (tile) => {
  await tile.decode();
  if (tile.naturalWidth <= 1) throw new Error('not a tile');
})).then(() => works('map'), () => {});
