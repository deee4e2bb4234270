// One session's transcript: history by pages, then the live stream, without a gap or a double entry.
import type { Event, Turn } from '../../protocol/generated.js';
import type { Http } from '../../transport/http.js';
import { emptyView, fold, type TranscriptView } from './fold.js';

interface Page {
  items: Event[];
  lastSeq: number;
}

export interface FeedState extends TranscriptView {
  readonly turns: ReadonlyMap<string, Turn>;
  readonly isLoading: boolean;
  /** There is more before what is shown. */
  readonly hasEarlier: boolean;
  readonly problem: string | null;
}

const PAGE = 1000;
/** A long session opens at its end. */
const TAIL = 3000;

type PageRequest = Pick<Http, 'get'>;

export const openFeed = (http: PageRequest, sessionId: string, lastSeq: number): TranscriptFeed => new TranscriptFeed(http, sessionId, lastSeq);

export class TranscriptFeed {
  readonly sessionId: string;
  readonly #http: PageRequest;
  readonly #listeners = new Set<() => void>();
  readonly #schedule: (paint: () => void) => void;
  #state: FeedState = { ...emptyView, turns: new Map(), isLoading: true, hasEarlier: false, problem: null };
  #events: Event[] = [];
  #first = 1;
  #last = 0;
  #early: Event[] = [];
  #earlier: Promise<void> | null = null;
  #pending: Event[] = [];
  #isPainting = false;
  #isLoading = false;
  #isClosed = false;

  constructor(http: PageRequest, sessionId: string, lastSeq: number, schedule: (paint: () => void) => void = eachFrame) {
    this.#http = http;
    this.sessionId = sessionId;
    this.#schedule = schedule;
    this.#last = Math.max(0, lastSeq - TAIL);
    this.#first = this.#last + 1;
    void this.#load();
    void this.#loadTurns();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly getState = (): FeedState => this.#state;

  close(): void {
    this.#isClosed = true;
  }

  /** Live events of this session. What comes too early waits for the pages that are missing. */
  take(events: readonly Event[]): void {
    for (const event of events) {
      if (event.body.kind === 'turn' || event.body.kind === 'turn_ended') this.#setTurn(event.body.turn);
      if (event.seq === null || event.seq <= this.#last) continue;
      if (event.seq === this.#last + 1 && !this.#isLoading) this.#append(event);
      else this.#early.push(event);
    }
    if (this.#early.length && !this.#isLoading) void this.#load();
  }

  /** After a reload of everything: look for what was missed. */
  refresh(): void {
    if (!this.#isLoading) void this.#load();
    void this.#loadTurns();
  }

  /** The part before what is shown. Asked for again while it comes, it is the same answer. */
  loadEarlier(): Promise<void> {
    this.#earlier ??= this.#loadEarlier().finally(() => (this.#earlier = null));
    return this.#earlier;
  }

  async #loadEarlier(): Promise<void> {
    if (this.#first <= 1) return;
    const after = Math.max(0, this.#first - 1 - TAIL);
    const earlier: Event[] = [];
    for (let from = after; from < this.#first - 1; ) {
      const page = await this.#page(from);
      if (this.#isClosed) return;
      if (!page.items.length) break;
      earlier.push(...page.items.filter(event => (event.seq ?? 0) < this.#first));
      from = page.items.at(-1)?.seq ?? this.#first;
    }
    this.#events = [...earlier, ...this.#events];
    this.#first = after + 1;
    this.#set({ ...fold(emptyView, this.#events), hasEarlier: this.#first > 1 });
  }

  #page(after: number): Promise<Page> {
    return this.#http.get<Page>(`sessions/${this.sessionId}/events`, { query: { after, limit: PAGE } });
  }

  async #load(): Promise<void> {
    this.#isLoading = true;
    try {
      for (;;) {
        const page = await this.#page(this.#last);
        if (this.#isClosed) return;
        for (const event of page.items) this.#append(event);
        if (page.items.length < PAGE || this.#last >= page.lastSeq) break;
      }
      this.#early = this.#early.filter(event => (event.seq ?? 0) > this.#last).sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
      while (this.#early[0]?.seq === this.#last + 1) this.#append(this.#early.shift() as Event); // it was just looked at
      this.#isLoading = false;
      this.#set({ isLoading: false, problem: null, hasEarlier: this.#first > 1 });
      if (this.#early.length) setTimeout(() => !this.#isClosed && !this.#isLoading && void this.#load(), 200);
    } catch (error) {
      this.#isLoading = false;
      this.#set({ isLoading: false, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  async #loadTurns(): Promise<void> {
    try {
      const answer = await this.#http.get<Turn[] | { items: Turn[] }>(`sessions/${this.sessionId}/turns`);
      const list = Array.isArray(answer) ? answer : answer.items;
      this.#set({ turns: new Map([...list.map(turn => [turn.id, turn] as const), ...this.#state.turns]) });
    } catch {
      // The headings fall back on what the events say.
    }
  }

  #setTurn(turn: Turn): void {
    this.#set({ turns: new Map(this.#state.turns).set(turn.id, turn) });
  }

  #append(event: Event): void {
    if (event.seq === null || event.seq <= this.#last) return;
    this.#last = event.seq;
    this.#events.push(event);
    this.#pending.push(event);
    if (this.#isPainting) return;
    this.#isPainting = true;
    this.#schedule(() => this.#paint());
  }

  /** Streamed pieces are joined once per frame. */
  #paint(): void {
    this.#isPainting = false;
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length && !this.#isClosed) this.#set(fold(this.#state, pending));
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** A page in the background paints no frames, and must not fall behind for good. */
function eachFrame(paint: () => void): void {
  if (document.visibilityState === 'hidden') setTimeout(paint, 250);
  else requestAnimationFrame(paint);
}
