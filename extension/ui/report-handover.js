/**
 * Hands what a report shows to the page that prints it: from one of the
 * extension's tabs to another, through nothing that outlives them.
 */

/**
 * @typedef {object} Printed
 * @property {import("./report-desk.js").Header} visit
 * @property {import("./report-data.js").Row[]} rows
 * @property {import("./report-data.js").Known[]} known
 * @property {boolean} isFile
 * @property {string} name
 */

/** @param {string} id that the other page was given */
const channelOf = (id) => new BroadcastChannel(`paravent-report-${id}`);

/** How long the report may take to answer, in milliseconds. */
const PATIENCE = 5000;

/**
 * Answers every page that asks for what is shown.
 * @param {() => Printed | null} give
 * @returns {string} what such a page must know
 */
export function offer(give) {
  const id = crypto.randomUUID();
  const channel = channelOf(id);
  channel.addEventListener("message", ({ data }) => {
    const printed = data === "want" ? give() : null;
    if (printed) channel.postMessage(printed);
  });
  return id;
}

/**
 * @param {string} id
 * @returns {Promise<Printed>} rejects when the report is no longer open
 */
export async function receive(id) {
  const channel = channelOf(id);
  try {
    return await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("no report answers")), PATIENCE);
      channel.addEventListener("message", ({ data }) => data !== "want" && resolve(data));
      channel.postMessage("want");
    });
  } finally {
    channel.close();
  }
}
