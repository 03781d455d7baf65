// Tells the page around it that it is there, and again when asked.
const tell = () => parent.postMessage({ type: 'widget' }, '*');

addEventListener('message', tell);
tell();
