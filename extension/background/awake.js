/**
 * Browsers stop a background that has asked them for nothing for 30 seconds,
 * whatever it is about. Firefox then lets the requests go that wait in it: it
 * takes a pending answer for a reason to wait only once.
 */

import { api } from "./api.js";

/** Between two questions, in milliseconds. */
const ASK_MS = 20_000;

/** How many jobs are under way. */
let jobs = 0;
/** @type {ReturnType<typeof setInterval> | undefined} */
let asking;

/**
 * Keeps the background from being stopped until a job is done.
 * @template T
 * @param {Promise<T>} job
 * @returns {Promise<T>} the job
 */
export function stayAwake(job) {
  if (jobs++ === 0) asking = setInterval(() => void api.runtime.getPlatformInfo(), ASK_MS);
  return job.finally(() => {
    if (--jobs === 0) clearInterval(asking);
  });
}
