// What every page of the booking site does by itself, leaks included. What
// third parties do is in their own scripts.

const root = document.documentElement;
const { page = '', base = '', session = '', stream = '', ads = '' } = root.dataset;
const query = new URLSearchParams(location.search);

/**
 * Loads a photo as usual lazy loaders do: a detached image first, and only when
 * that has loaded one that can be seen.
 * @param {HTMLElement} frame an element with data-late (whose photo) and data-from (its address)
 */
const late = (frame) => new Promise((done) => {
  const detached = new Image();
  detached.onerror = done;
  detached.onload = () => {
    const seen = new Image(88, 88);
    seen.className = 'photo';
    seen.alt = '';
    seen.dataset.photo = frame.dataset.late;
    seen.onload = seen.onerror = done;
    seen.src = frame.dataset.from ?? '';
    frame.replaceWith(seen);
  };
  detached.src = frame.dataset.from ?? '';
});

/** Puts the visit into a stream, in the envelope that AWS Firehose takes. */
function streamVisit() {
  const visit = { page_url: location.href, referrer: document.referrer, session_id: session, user_agent: navigator.userAgent };
  return fetch(stream, {
    method: 'POST',
    credentials: 'include',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ DeliveryStreamName: 'live-page-views', Record: { Data: btoa(JSON.stringify(visit)) } }),
  }).catch(() => {});
}

/** Tells the ad network what is looked for, and for whom. */
const tellAds = () => new Promise((done) => {
  const [specialty, city] = location.pathname.slice(base.length + 1).split('/');
  const told = new URLSearchParams({ marketerId: '00d7a2' });
  if (page === 'results') told.set('search_term', `${specialty} ${city}`);
  if (query.get('insurance')) told.set('insuranceSector', query.get('insurance') ?? '');
  if (query.get('motive')) told.set('motiveKey', query.get('motive') ?? '');
  const pixel = new Image();
  pixel.onload = pixel.onerror = done;
  pixel.src = `${ads}?${told}`;
});

/** Registers the offline variant's service worker and waits until it has the page. */
async function controlled() {
  if (base !== '/offline' || !navigator.serviceWorker) return;
  const taken = new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
  await navigator.serviceWorker.register('/offline/sw.js');
  if (!navigator.serviceWorker.controller) await taken;
  root.dataset.controlled = 'yes';
}

// A frame that never came leaves no hole in the page. It may have been faster
// than this script, and is asked.
addEventListener('message', (event) => {
  for (const box of document.querySelectorAll('[data-embed]')) {
    const frame = box.querySelector('iframe');
    if (event.source === frame?.contentWindow && event.data?.type === 'widget') box.classList.add('here');
  }
});

for (const frame of /** @type {NodeListOf<HTMLIFrameElement>} */ (document.querySelectorAll('[data-embed] iframe'))) frame.contentWindow?.postMessage({ type: 'widget?' }, '*');

/** @type {NodeListOf<HTMLElement>} */
const frames = document.querySelectorAll('[data-late]');
await controlled();
await Promise.all([...[...frames].map(late), streamVisit(), tellAds()]);
root.dataset.ready = 'yes';

if (page === 'doctor') {
  // The bug that every real page has: the error reporter waits for it.
  setTimeout(() => {
    throw new TypeError(`calendar of ${location.pathname}: slot is undefined`);
  }, 50);
}
