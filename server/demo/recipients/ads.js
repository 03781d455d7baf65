// Plaza Ads: a pixel. It reports the page, what is pressed, whose page it is
// and what is chosen in forms, as advertisers' "automatic events" do.
(() => {
  const { origin, searchParams } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const doctor = /** @type {HTMLElement | null} */ (document.querySelector('[data-doctor]:not(li)'))?.dataset.doctor;

  const cid = document.cookie.match(/_plz=([^;]+)/)?.[1] ?? crypto.getRandomValues(new Uint32Array(4)).join('.');
  document.cookie = `_plz=${cid}; domain=${location.hostname}; path=/; max-age=31536000; samesite=lax`;

  /**
   * @param {string} event
   * @param {Record<string, string>} [told]
   */
  const report = (event, told = {}) => {
    const pixel = new Image(1, 1);
    pixel.referrerPolicy = 'unsafe-url';
    pixel.src = `${origin}/tr?${new URLSearchParams({ id: searchParams.get('id') ?? '', ev: event, cid, dl: location.href, rl: document.referrer, ...told })}`;
  };

  report('PageView', doctor ? { 'cd[doctor]': doctor } : {});

  document.addEventListener('click', (event) => {
    const pressed = event.target instanceof Element && event.target.closest('button, a');
    if (!pressed) return;
    const row = /** @type {HTMLElement | null} */ (pressed.closest('[data-doctor]'))?.dataset.doctor ?? doctor;
    report('SubscribedButtonClick', { 'cd[buttonText]': pressed.textContent?.trim().slice(0, 80) ?? '', ...(row ? { 'cd[doctor]': row } : {}) });
  }, true);

  document.addEventListener('change', (event) => {
    const field = event.target;
    if (!(field instanceof HTMLSelectElement || field instanceof HTMLInputElement && field.type === 'radio')) return;
    const names = /** @type {Record<string, string>} */ ({ insurance: 'insuranceSector', motive: 'motiveKey' });
    report('FormChoice', { [names[field.name] ?? `cd[${field.name}]`]: field.value });
  }, true);
})();
