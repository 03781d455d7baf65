// Sillage: lives under the booking site's own name, so the site's cookies come
// along and "third-party" rules do not see it.
(() => {
  const { origin } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  fetch(`${origin}/e`, {
    method: 'POST', keepalive: true, credentials: 'include',
    body: new URLSearchParams({ url: location.href, referrer: document.referrer, tz: Intl.DateTimeFormat().resolvedOptions().timeZone }),
  }).catch(() => {});
})();
