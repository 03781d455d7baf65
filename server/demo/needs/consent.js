// Accord: asks about cookies until it has an answer, keeps the answer in the
// site's storage, and tells the site by two events on the window:
// consent:shown, and consent:answered with a receipt that the site can check.
(() => {
  const { origin } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const shelf = 'accord';

  /** @param {string} choice */
  async function answer(choice) {
    const reply = await fetch(`${origin}/api/choice`, { method: 'POST', body: new URLSearchParams({ choice }) });
    const { receipt } = await reply.json();
    localStorage.setItem(shelf, choice);
    dispatchEvent(new CustomEvent('consent:answered', { detail: receipt }));
  }

  async function ask() {
    const reply = await fetch(`${origin}/api/notice?lang=${document.documentElement.lang}`);
    const notice = await reply.json();
    const dialog = document.createElement('div');
    dialog.id = 'consent';
    dialog.setAttribute('role', 'dialog');
    dialog.setAttribute('aria-label', notice.title);
    const style = document.createElement('style');
    style.textContent = `
      #consent { position: fixed; z-index: 9; inset: auto 1rem 1rem; max-width: 44rem; margin: auto; padding: 1rem 1.25rem; border-radius: 14px;
        background: #fff; color: #17262a; box-shadow: 0 8px 40px #0005; font: 15px/1.45 system-ui, sans-serif; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
      #consent p { margin: 0; flex: 1 1 20rem; } #consent b { display: block; }
      #consent button { font: inherit; font-weight: 600; padding: .55rem 1rem; border-radius: 10px; border: 1px solid #0f5c63; background: #fff; color: #0f5c63; cursor: pointer; }
      #consent #consent-accept { background: #0f5c63; color: #fff; }
      @media (prefers-color-scheme: dark) { #consent { background: #22343a; color: #e8eeee; } #consent button { background: none; color: #9fdadd; border-color: #9fdadd; } #consent #consent-accept { background: #9fdadd; color: #10282b; } }`;
    const text = document.createElement('p');
    const title = document.createElement('b');
    title.textContent = notice.title;
    text.append(title, notice.text);
    dialog.append(style, text);
    for (const [id, choice, label] of [['consent-refuse', 'refused', notice.refuse], ['consent-accept', 'accepted', notice.accept]]) {
      const button = document.createElement('button');
      button.id = id;
      button.type = 'button';
      button.textContent = label;
      button.onclick = () => {
        dialog.remove();
        answer(choice);
      };
      dialog.append(button);
    }
    document.body.append(dialog);
    dispatchEvent(new CustomEvent('consent:shown'));
  }

  const kept = localStorage.getItem(shelf);
  if (kept) answer(kept);
  else ask();
})();
