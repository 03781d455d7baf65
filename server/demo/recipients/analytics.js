// Northlight Analytics: a page view by beacon, the stay by a fetch that
// outlives the page.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { origin, searchParams } = new URL(script.src);
  // The visitor's number is kept in the site's own cookies, which browsers keep
  // longer than a third party's.
  const cid = document.cookie.match(/_nl=([^;]+)/)?.[1] ?? crypto.getRandomValues(new Uint32Array(4)).join('.');
  document.cookie = `_nl=${cid}; domain=${location.hostname}; path=/; max-age=31536000; samesite=lax`;

  const common = { v: '2', cid, tid: searchParams.get('id') ?? '', dt: document.title, ul: navigator.language, sr: `${screen.width}x${screen.height}` };

  const view = new URLSearchParams({ ...common, en: 'page_view', dl: location.href, dr: document.referrer });
  navigator.sendBeacon(`${origin}/collect?${view}`);

  const begun = performance.now();
  const stay = () => {
    const engaged = new URLSearchParams({ ...common, en: 'user_engagement', page_location: location.href, _et: String(Math.round(performance.now() - begun)) });
    fetch(`${origin}/g/collect?${engaged}`, { method: 'POST', keepalive: true, credentials: 'include' }).catch(() => {});
  };
  setTimeout(stay, 200);
  addEventListener('pagehide', stay);
})();
