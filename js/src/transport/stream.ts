// The event stream: one WebSocket per board. After a break it goes on from the last number seen, so nothing is missed or doubled.
import type { Event } from '../protocol/generated.js';
import type { Http } from './http.js';

export interface StreamListener {
  /** The board that is looked at. */
  readonly board: string;
  /** The number of the last event that was taken. `null`: nothing was loaded yet, so only what happens from now on counts. */
  position(): number | null;
  take(events: readonly Event[]): void;
  live(): void;
  lost(): void;
  /** The server cannot go on from here: load everything anew, then connect again. */
  resync(): Promise<void>;
}

/** Close codes of the server. */
const RESYNC = 4000;
const SLOW = 4001;

export class EventStream {
  readonly #http: Http;
  readonly #listener: StreamListener;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(http: Http, listener: StreamListener) {
    this.#http = http;
    this.#listener = listener;
  }

  open(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#socket?.close();
    const position = this.#listener.position();
    const query = new URLSearchParams({ board: this.#listener.board, ...(position === null ? {} : { after: String(position) }) });
    const socket = new WebSocket(this.#http.socketUrl(`agor/api/stream?${query.toString()}`));
    this.#socket = socket;
    socket.onmessage = message => {
      if (socket !== this.#socket) return;
      this.#attempts = 0;
      this.#listener.live();
      const events = JSON.parse(String(message.data)) as Event[];
      if (events.length) this.#listener.take(events);
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket || this.#isClosed) return;
      this.#socket = undefined;
      if (code === RESYNC || code === SLOW) void this.#startAnew();
      else {
        this.#listener.lost();
        this.#later();
      }
    };
  }

  /** Try at once instead of waiting for the next attempt. */
  retry(): void {
    this.#attempts = 0;
    this.open();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  async #startAnew(): Promise<void> {
    try {
      await this.#listener.resync();
      this.open();
    } catch {
      this.#listener.lost();
      this.#timer = setTimeout(() => void this.#startAnew(), this.#pause());
    }
  }

  #later(): void {
    this.#timer = setTimeout(() => this.open(), this.#pause());
  }

  /** 0.3 s, doubled up to 5 s, spread so that clients do not come back in one moment. */
  #pause(): number {
    return Math.min(5_000, 300 * 2 ** this.#attempts++) * (0.7 + 0.6 * Math.random());
  }
}
