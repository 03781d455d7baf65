// Humanly: proves that somebody's computer took the trouble, and hands the page
// a token for its form by the event captcha:token on the window.
(async () => {
  const { origin } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const { nonce, bits } = await (await fetch(`${origin}/challenge`)).json();

  /** FNV-1a, 32 bits. @param {string} text */
  const hash = (text) => {
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return h >>> 0;
  };
  let proof = 0;
  while (hash(nonce + proof) & ((1 << bits) - 1)) proof++;

  const reply = await fetch(`${origin}/answer`, { method: 'POST', body: new URLSearchParams({ nonce, proof: String(proof) }) });
  const { token } = await reply.json();
  dispatchEvent(new CustomEvent('captcha:token', { detail: token }));
})();
