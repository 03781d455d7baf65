// Tells the page around it that it is there.
parent.postMessage({ type: 'widget' }, '*');
