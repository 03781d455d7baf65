/**
 * Reads a browser's screenshot, to compare what a patient sees: a photo that
 * came another way must look as the photo does, and a placeholder does not.
 * And writes pictures, for photo hosts.
 *
 * Only the PNG that browsers write for a screenshot: 8 bits a channel, RGB or
 * RGBA, not interlaced (PNG specification, third edition, 9 and 11.2).
 */

import { crc32, deflateSync, inflateSync } from "node:zlib";

/**
 * @typedef {object} Picture
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {number} channels 3 or 4
 * @property {Uint8Array} pixels row by row from the top
 */

/**
 * @param {Uint8Array} file
 * @returns {Picture}
 */
export function decode(file) {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.readUInt32BE(0) !== 0x89504e47) throw new Error("not a PNG");
  let [width, height, channels] = [0, 0, 0];
  /** @type {Buffer[]} */
  const data = [];
  for (let at = 8; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    const kind = bytes.toString("latin1", at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (kind === "IHDR") {
      width = body.readUInt32BE(0);
      height = body.readUInt32BE(4);
      channels = { 2: 3, 6: 4 }[body.readUInt8(9)] ?? 0;
      if (body.readUInt8(8) !== 8 || !channels || body.readUInt8(12) !== 0) {
        throw new Error("a PNG of another kind than browsers write for a screenshot");
      }
    } else if (kind === "IDAT") {
      data.push(body);
    }
    at += 12 + size;
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    const from = y * (stride + 1) + 1;
    const row = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? pixels[row + x - channels] ?? 0 : 0;
      const up = y > 0 ? pixels[row - stride + x] ?? 0 : 0;
      const corner = x >= channels && y > 0 ? pixels[row - stride + x - channels] ?? 0 : 0;
      pixels[row + x] = (raw[from + x] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return { width, height, channels, pixels };
}

/**
 * @param {number | undefined} filter
 * @param {number} left
 * @param {number} up
 * @param {number} corner
 */
function predicted(filter, left, up, corner) {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [l, u, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      if (l <= u && l <= c) return left;
      return u <= c ? up : corner;
    }
    default:
      return 0;
  }
}

/**
 * @param {Picture} picture
 * @returns {Uint8Array} the file
 */
export function encode({ width, height, channels, pixels }) {
  const stride = width * channels;
  const raw = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) raw.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 4 ? 6 : 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

/**
 * @param {string} kind
 * @param {Buffer} body
 */
function chunk(kind, body) {
  const all = Buffer.alloc(body.length + 12);
  all.writeUInt32BE(body.length, 0);
  all.write(kind, 4, "latin1");
  all.set(body, 8);
  all.writeUInt32BE(crc32(all.subarray(4, 8 + body.length)), 8 + body.length);
  return all;
}

/** How many fields a side a look has. */
const FIELDS = 8;

/**
 * What a rectangle of the picture looks like: the mean colours of 8 × 8 fields.
 *
 * @param {Picture} picture
 * @param {{x: number, y: number, width: number, height: number}} box in pixels
 * @returns {number[]} 192 numbers from 0 to 255; empty if the box lies outside
 */
export function look(picture, box) {
  const [left, top] = [Math.round(box.x), Math.round(box.y)];
  if (left < 0 || top < 0 || box.width < FIELDS || box.height < FIELDS) return [];
  if (left + box.width > picture.width + 1 || top + box.height > picture.height + 1) return [];
  /** @type {number[]} */
  const sums = new Array(FIELDS * FIELDS * 3).fill(0);
  /** @type {number[]} */
  const counts = new Array(FIELDS * FIELDS).fill(0);
  const [right, bottom] = [
    Math.min(picture.width, left + Math.floor(box.width)),
    Math.min(picture.height, top + Math.floor(box.height)),
  ];
  for (let y = top; y < bottom; y++) {
    const row = Math.floor(((y - top) * FIELDS) / (bottom - top));
    for (let x = left; x < right; x++) {
      const field = row * FIELDS + Math.floor(((x - left) * FIELDS) / (right - left));
      const at = (y * picture.width + x) * picture.channels;
      counts[field] = (counts[field] ?? 0) + 1;
      for (let c = 0; c < 3; c++) sums[field * 3 + c] = (sums[field * 3 + c] ?? 0) + (picture.pixels[at + c] ?? 0);
    }
  }
  return sums.map((sum, i) => sum / (counts[Math.floor(i / 3)] || 1));
}

/**
 * How far two looks are apart: the mean difference of their colours, 0 to 255.
 *
 * @param {number[]} a
 * @param {number[]} b
 * @returns {number} Infinity if one of them is empty
 */
export function distance(a, b) {
  if (a.length === 0 || a.length !== b.length) return Infinity;
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}
