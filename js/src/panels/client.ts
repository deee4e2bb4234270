// A board as this page knows it: the snapshot, the events after it, and the room. One per board and page.
import { applyAll, applyBudgets, applyConnection, applySnapshot, initialState } from '../store/apply.js';
import { openBoard } from '../store/board.js';
import type { BoardDoc, BoardState } from '../store/types.js';
import type { Budget, Event, Me, Snapshot, StatusAnswer } from '../protocol/generated.js';
import { texts } from '../texts.js';
import { ApiError, Http } from '../transport/http.js';
import type { PageConfig } from '../transport/page.js';
import { joinRoom, type RoomLink } from '../transport/room.js';
import { EventStream } from '../transport/stream.js';
import { TranscriptFeed } from './transcript/feed.js';

export interface ClientState {
  readonly shared: BoardState;
  readonly board: BoardDoc | null;
  /** Why the layout cannot be changed, for a person. */
  readonly readOnlyReason: string | null;
  /** The board could not be opened. */
  readonly problem: ApiError | null;
  /** Events that came after the connection was back; `null` when nothing is to be said. */
  readonly caughtUp: number | null;
}

const STATUS_EVERY_MS = 10_000;

export class BoardClient {
  readonly path: string;
  readonly http: Http;
  readonly #listeners = new Set<() => void>();
  readonly #feeds = new Map<string, { feed: TranscriptFeed; holders: number }>();
  #state: ClientState = { shared: initialState, board: null, readOnlyReason: null, problem: null, caughtUp: null };
  #stream: EventStream | undefined;
  #room: RoomLink | undefined;
  #watched: readonly string[] = [];
  #statusRound = 0;
  #statusTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #lostAt: number | null = null;

  constructor(path: string, page: PageConfig) {
    this.path = path;
    this.http = new Http(page);
    void this.open();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly getState = (): ClientState => this.#state;

  async open(): Promise<void> {
    this.#set({ problem: null });
    try {
      const room = this.#patiently(() => this.http.get<Me>('me')).then(me => joinRoom(this.http, this.path, me.person));
      const [, link] = await Promise.all([this.#load(), room]);
      if (this.#isClosed) return link.close();
      this.#showRoom(link);
      this.#stream = new EventStream(this.http, {
        position: () => this.#state.shared.n,
        take: events => this.#take(events),
        live: () => this.#live(),
        lost: () => this.#lost(),
        resync: () => this.#load(),
      });
      this.#stream.open();
    } catch (error) {
      this.#set({ problem: error instanceof ApiError ? error : new ApiError('client', String(error)) });
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#statusTimer);
    this.#stream?.close();
    this.#state.board?.destroy();
    this.#room?.close();
    for (const { feed } of this.#feeds.values()) feed.close();
  }

  reconnect(): void {
    this.#stream?.retry();
    this.#room?.reconnect();
  }

  /** The transcript of a session, shared by the views that show it. */
  holdFeed(sessionId: string): { feed: TranscriptFeed; release: () => void } {
    let held = this.#feeds.get(sessionId);
    if (!held) {
      held = { feed: new TranscriptFeed(this.http, sessionId, this.#state.shared.sessions.get(sessionId)?.lastSeq ?? 0), holders: 0 };
      this.#feeds.set(sessionId, held);
    }
    const mine = held;
    mine.holders += 1;
    return {
      feed: mine.feed,
      release: () => {
        mine.holders -= 1;
        if (mine.holders > 0) return;
        // A view that remounts in the same breath takes it again.
        setTimeout(() => {
          if (mine.holders > 0 || this.#feeds.get(sessionId) !== mine) return;
          mine.feed.close();
          this.#feeds.delete(sessionId);
        }, 1000);
      },
    };
  }

  /** Git's status of these worktrees is asked again while they are in view and the page is looked at. */
  watch(ids: readonly string[]): void {
    const isNew = ids.some(id => !this.#watched.includes(id));
    this.#watched = ids;
    if (isNew) void this.#askStatus();
  }

  /** A worktree is answered before it is made. Resolves when it is ready. */
  whenReady(worktreeId: string, timeoutMs = 300_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(new Error(texts.worktree.takesLong)), timeoutMs);
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const look = () => {
        const worktree = this.#state.shared.worktrees.get(worktreeId);
        if (worktree?.state === 'ready') finish();
        else if (worktree?.state === 'failed') finish(new Error(worktree.reason ?? texts.worktree.notMade));
      };
      this.#listeners.add(look);
      look();
    });
  }

  forgetCaughtUp(): void {
    this.#set({ caughtUp: null });
  }

  async #askStatus(maxAgeS = 2): Promise<void> {
    clearTimeout(this.#statusTimer);
    if (this.#isClosed) return;
    const round = ++this.#statusRound;
    const ids = this.#watched.filter(id => this.#state.shared.worktrees.get(id)?.state === 'ready').slice(0, 100);
    if (ids.length && document.visibilityState !== 'hidden' && this.http.isOnline && this.#stream) {
      try {
        const answers = await this.http.post<StatusAnswer[]>('worktrees/status', { ids, maxAgeS });
        this.#takeStatus(answers);
      } catch {
        // The card says how old its figures are.
      }
    }
    // A round that began later goes on instead of this one.
    if (round === this.#statusRound) this.#statusTimer = setTimeout(() => void this.#askStatus(), STATUS_EVERY_MS);
  }

  #takeStatus(answers: readonly StatusAnswer[]): void {
    const worktrees = new Map(this.#state.shared.worktrees);
    for (const { worktreeId, status } of answers) {
      const worktree = worktrees.get(worktreeId);
      if (worktree && status) worktrees.set(worktreeId, { ...worktree, status });
    }
    this.#set({ shared: { ...this.#state.shared, worktrees } });
  }

  async #load(): Promise<void> {
    const snapshot = await this.#patiently(() => this.http.get<Snapshot>('board/snapshot', { query: { path: this.path } }));
    this.#set({ shared: applySnapshot(this.#state.shared, snapshot) });
    for (const { feed } of this.#feeds.values()) feed.refresh();
    // A card can be drawn without them.
    void this.http.get<Budget[]>('budgets').then(
      budgets => this.#set({ shared: applyBudgets(this.#state.shared, budgets) }),
      () => undefined,
    );
  }

  /** A server that just starts says so; wait for it. */
  async #patiently<T>(request: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isUnsent || attempt >= 8 || this.#isClosed) throw error;
        await new Promise(resolve => setTimeout(resolve, Math.min(5000, 400 * 1.6 ** attempt)));
      }
    }
  }

  #showRoom(link: RoomLink): void {
    this.#room = link;
    const board = openBoard({ doc: link.doc, awareness: link.awareness, isWritable: link.isWritable });
    void link.synced.then(() => board.setSynced());
    this.#set({ board, readOnlyReason: link.reason });
  }

  #take(events: readonly Event[]): void {
    const before = this.#state.shared;
    const shared = applyAll(before, events);
    const fresh = events.filter(event => event.n > before.n);
    this.#set({ shared, ...(this.#state.caughtUp === null ? {} : { caughtUp: this.#state.caughtUp + fresh.length }) });
    const hasStopped = ({ body }: Event) => body.kind === 'turn_ended' || (body.kind === 'turn' && body.turn.state === 'parked');
    if (fresh.some(hasStopped)) setTimeout(() => void this.#askStatus(0), 100);
    if (!this.#feeds.size) return;
    const bySession = new Map<string, Event[]>();
    for (const event of fresh) {
      const id = event.sessionId ?? (event.body.kind === 'turn' ? event.body.turn.sessionId : null);
      if (id === null || !this.#feeds.has(id)) continue;
      const list = bySession.get(id);
      if (list) list.push(event);
      else bySession.set(id, [event]);
    }
    for (const [id, list] of bySession) this.#feeds.get(id)?.feed.take(list);
  }

  #live(): void {
    if (this.#state.shared.connection.state === 'live') return;
    this.http.isOnline = true;
    const wasLost = this.#lostAt !== null;
    this.#lostAt = null;
    this.#set({ shared: applyConnection(this.#state.shared, 'live', new Date().toISOString()), ...(wasLost ? { caughtUp: 0 } : {}) });
    void this.#askStatus();
  }

  #lost(): void {
    this.http.isOnline = false;
    this.#lostAt ??= Date.now();
    this.#set({ shared: applyConnection(this.#state.shared, 'lost', new Date().toISOString()), caughtUp: null });
  }

  #set(change: Partial<ClientState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
