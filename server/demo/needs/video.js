// Vis-à-vis: the client for video consultations; here, only its check of the
// connection.
Object.assign(window, {
  videoClient: {
    /** @param {string} origin */
    async probe(origin) {
      const reply = await fetch(`${origin}/connectivity/probe?device=${navigator.mediaDevices ? 'capable' : 'limited'}`, { cache: 'no-store' });
      return (await reply.json()).ok === true;
    },
  },
});
