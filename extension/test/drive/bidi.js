/**
 * One WebDriver BiDi session (https://w3c.github.io/webdriver-bidi/): commands
 * with numbers out, results and events in, JSON over a WebSocket.
 */

import WebSocket from "ws";
import { PATIENCE } from "./driver.js";

/** @typedef {Record<string, any>} Message */

export class Session {
  /** @type {WebSocket} */ #socket;
  #last = 0;
  /** @type {Map<number, {done: (result: Message) => void, failed: (error: Error) => void}>} */
  #waiting = new Map();
  /** @type {((method: string, params: Message) => void)[]} */
  #listeners = [];

  /** @param {WebSocket} socket connected */
  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#take(JSON.parse(String(data))));
    socket.on("close", () => {
      for (const { failed } of this.#waiting.values()) failed(new Error("the browser has closed the session"));
      this.#waiting.clear();
    });
    socket.on("error", () => {}); // "close" follows and tells those who wait
  }

  /**
   * @param {string} address "ws://127.0.0.1:PORT"
   * @returns {Promise<Session>}
   */
  static connect(address) {
    return new Promise((done, failed) => {
      const socket = new WebSocket(`${address}/session`, { maxPayload: 256 << 20, perMessageDeflate: false });
      socket.once("open", () => done(new Session(socket)));
      socket.once("error", failed);
    });
  }

  /**
   * @param {string} method for instance "browsingContext.navigate"
   * @param {Message} params
   * @param {number} [timeout] milliseconds
   * @returns {Promise<Message>} the command's result
   */
  send(method, params, timeout = 4 * PATIENCE) {
    const id = ++this.#last;
    return new Promise((done, failed) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        failed(new Error(`${method}: the browser has closed the session`));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        failed(new Error(`${method}: no answer within ${timeout} ms`));
      }, timeout);
      this.#waiting.set(id, {
        done: (result) => {
          clearTimeout(timer);
          done(result);
        },
        failed: (error) => {
          clearTimeout(timer);
          error.message = `${method}: ${error.message}`;
          failed(error);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** @param {(method: string, params: Message) => void} listener called for every event */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Ends the connection; the browser goes on. */
  disconnect() {
    this.#socket.close();
  }

  /** @param {Message} message */
  #take(message) {
    if (message["type"] === "event") {
      for (const listener of this.#listeners) listener(message["method"], message["params"]);
      return;
    }
    const waiting = this.#waiting.get(message["id"]);
    this.#waiting.delete(message["id"]);
    if (message["type"] === "success") waiting?.done(message["result"]);
    else waiting?.failed(new Error(`${message["error"]}: ${message["message"]}`));
  }
}
