// The offline variant: its worker answers every request of its pages, also
// those to other hosts, by fetching again. What was an image is a fetch then.

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
