// Tells a participant whether this browser already finds the demo, and copies
// the address of the proxy auto-configuration.

const state = /** @type {HTMLElement} */ (document.querySelector('#state'));
const copy = /** @type {HTMLButtonElement} */ (document.querySelector('#copy'));
const pac = /** @type {HTMLElement} */ (document.querySelector('#pac'));
const { board = '' } = document.body.dataset;

async function look() {
  const here = await fetch(`${board}api/here`, { cache: 'no-store' }).then((answer) => answer.ok, () => false);
  const now = here ? 'here' : 'waiting';
  if (state.dataset.state === now) return;
  state.dataset.state = now;
  /** @type {HTMLElement} */ (state.querySelector('p')).textContent = state.dataset[now] ?? '';
}

// A plain http page has no clipboard of its own; what is selected can be copied.
copy.hidden = false;
copy.onclick = () => {
  getSelection()?.selectAllChildren(pac);
  if (document.execCommand('copy')) copy.textContent = copy.dataset.copied ?? '';
};

for (;;) {
  await look();
  await new Promise((done) => setTimeout(done, 2000));
}
