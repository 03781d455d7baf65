/** What a program and all its processes take of the machine, as Linux's /proc tells. */

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** Clock ticks of /proc are hundredths of a second, in milliseconds. */
const TICK = 10;
/** Bytes of a page of memory. */
const PAGE = 4096;

/**
 * @param {number} leader of a group of processes
 * @returns {number} milliseconds of all processors that its processes have
 *   used, those too that have ended
 */
export function cpuOf(leader) {
  let ticks = 0;
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statOf(name) : null;
    // pgrp; utime, stime, and those of children that ended: proc_pid_stat(5)
    if (fields && Number(fields[2]) === leader) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  }
  return ticks * TICK;
}

/**
 * @param {string} pid
 * @returns {string[] | null} from the state on, behind the name, which may hold anything; null: it has ended
 */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/**
 * @param {number} parent
 * @param {string} program name of its file
 * @returns {{pid: number, verb: string}[]} the parent's children that run it, with their first argument
 */
export function childrenOf(parent, program) {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(statOf(name)?.[1]) !== parent) return [];
    const [file = "", verb = ""] = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
    return path.basename(file) === program ? [{ pid: Number(name), verb }] : [];
  });
}

/**
 * @param {number} pid
 * @returns {number} how many files and sockets it has open
 */
export const openFiles = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/**
 * @param {number} leader of a group of processes
 * @returns {number} bytes of memory in use by all of them; what they share counts for each
 */
export function residentOf(leader) {
  let pages = 0;
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statOf(name) : null;
    if (fields && Number(fields[2]) === leader) pages += Number(fields[21]);
  }
  return pages * PAGE;
}
