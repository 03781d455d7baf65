// Crumbtrail: an error reporter that keeps the last steps over all pages and
// sends them along, and a replay of what is typed.
(() => {
  const { origin } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const shelf = 'crumbtrail';

  /** @typedef {{ timestamp: number, category: string, data?: Record<string, string>, message?: string }} Crumb */
  /** @returns {Crumb[]} */
  const crumbs = () => JSON.parse(sessionStorage.getItem(shelf) ?? '[]');
  /** @param {Omit<Crumb, 'timestamp'>} crumb */
  const drop = (crumb) => sessionStorage.setItem(shelf, JSON.stringify([...crumbs(), { timestamp: Date.now() / 1000, ...crumb }].slice(-30)));

  /**
   * Sends an envelope: lines of JSON, as Sentry's protocol has them.
   * @param {'transaction' | 'event'} type
   * @param {object} event
   */
  const send = (type, event) => {
    const lines = [
      { sent_at: new Date().toISOString(), sdk: { name: 'crumbtrail.javascript', version: '6.13.2' } },
      { type },
      { ...event, request: { url: location.href, headers: { 'User-Agent': navigator.userAgent } }, breadcrumbs: crumbs() },
    ];
    fetch(`${origin}/api/42/envelope/`, { method: 'POST', keepalive: true, credentials: 'include', body: lines.map((line) => JSON.stringify(line)).join('\n') }).catch(() => {});
  };

  const from = document.referrer.startsWith(location.origin) ? document.referrer.slice(location.origin.length) : '';
  drop({ category: 'navigation', data: { from, to: location.pathname + location.search } });
  send('transaction', { transaction: location.pathname });

  addEventListener('error', (event) => send('event', { exception: { values: [{ type: event.error?.name ?? 'Error', value: event.message }] } }));
  document.addEventListener('click', (event) => {
    if (event.target instanceof Element) drop({ category: 'ui.click', message: event.target.outerHTML.slice(0, 120) });
  }, true);

  // The replay sends a field a moment after the last key.
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const waiting = new Map();
  document.addEventListener('input', (event) => {
    const field = event.target;
    if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement && field.type === 'text')) return;
    clearTimeout(waiting.get(field.name));
    waiting.set(field.name, setTimeout(() => {
      fetch(`${origin}/api/42/replay/`, {
        method: 'POST', keepalive: true, credentials: 'include',
        body: JSON.stringify({ type: 'replay_event', urls: [location.href], events: [{ type: 'input', field: field.name, value: field.value, timestamp: Date.now() }] }),
      }).catch(() => {});
    }, 150));
  }, true);
})();
