// A board as this page knows it: the snapshot, the events after it, and the room. One per board and page.
// It is long because one connection has one state: what opens, resumes, falls behind and closes it changes the same few fields.

import type { Budget, Environment, Event, Me, RoomInfo, Snapshot, StatusAnswer } from '../protocol/generated.js';
import {
  applyAll,
  applyBudgets,
  applyConnection,
  applyEnvironmentProblem,
  applyEnvironments,
  applyMe,
  applySnapshot,
  initialState,
} from '../store/apply.js';
import { openBoard } from '../store/board.js';
import { afterOpening, type Happening, type Opening } from '../store/opening.js';
import type { BoardDoc, BoardState } from '../store/types.js';
import { texts } from '../texts';
import { ApiError, Http } from '../transport/http.js';
import type { PageConfig } from '../transport/page.js';
import { joinRoom, type RoomLink } from '../transport/room.js';
import { EventStream } from '../transport/stream.js';
import type { TranscriptFeed } from './transcript/feed.js';

export interface ClientState {
  readonly shared: BoardState;
  readonly board: BoardDoc | null;
  /** Why the layout cannot be changed, for a person. */
  readonly readOnlyReason: string | null;
  readonly opening: Opening;
  /** Events that came after the connection was back; `null` when nothing is to be said. */
  readonly caughtUp: number | null;
}

/** What finds the environments of worktrees: its code comes later than the board. */
interface Finder {
  begin(): void;
  look(ids: readonly string[]): Promise<void>;
  close(): void;
}

/** `lastSeq`: the last of its events that this page knows of. */
type OpenFeed = (http: Http, sessionId: string, lastSeq: number) => TranscriptFeed;

const STATUS_EVERY_MS = 10_000;

export class BoardClient {
  readonly path: string;
  readonly http: Http;
  readonly #listeners = new Set<() => void>();
  readonly #feeds = new Map<string, { feed: TranscriptFeed; holders: number }>();
  #state: ClientState = { shared: initialState, board: null, readOnlyReason: null, opening: { kind: 'opening' }, caughtUp: null };
  #stream: EventStream | undefined;
  #room: RoomLink | undefined;
  #watched: readonly string[] = [];
  readonly #followed = new Set<string>();
  #finder: Finder | undefined;
  #statusRound = 0;
  #statusTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #attempt: Promise<void> | undefined;
  #isAskedAgain = false;
  #attempts = 0;
  #attemptTimer: ReturnType<typeof setTimeout> | undefined;
  #lostAt: number | null = null;

  constructor(path: string, page: PageConfig) {
    this.path = path;
    this.http = new Http(page);
    document.addEventListener('visibilitychange', this.look);
    window.addEventListener('online', this.look);
    void this.open();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly getState = (): ClientState => this.#state;

  /** Opens the board, or says what is in the way and looks again when that may have changed. One attempt at a time. */
  open(): Promise<void> {
    clearTimeout(this.#attemptTimer);
    this.#happened('tried again');
    // The one that is under way may have asked too early.
    if (this.#attempt) this.#isAskedAgain = true;
    this.#attempt ??= this.#open().finally(() => {
      this.#attempt = undefined;
      if (!this.#isAskedAgain) return;
      this.#isAskedAgain = false;
      this.look();
    });
    return this.#attempt;
  }

  /** Somebody looks again: the page is shown, or a cell was run. What is in the way may be gone. */
  readonly look = (): void => {
    if (this.#state.opening.kind !== 'open' && !this.#isClosed) void this.open();
  };

  async #open(): Promise<void> {
    try {
      const me = await this.http.get<Me>('me');
      this.#set({ shared: applyMe(this.#state.shared, me) });
      const room = joinRoom(this.http, this.path, me.person);
      room.catch(() => undefined); // whichever of the two fails first says why
      try {
        await this.#load();
      } catch (error) {
        void room.then(
          link => link.close(),
          () => undefined,
        );
        throw error;
      }
      const link = await room;
      if (this.#isClosed) return link.close();
      this.#attempts = 0;
      this.#showRoom(link);
      this.#happened('opened');
      // From the snapshot on, also where it stood open already to wait for the board.
      this.#listen().open();
    } catch (error) {
      if (this.#isClosed) return;
      this.#happened(error instanceof ApiError ? error : new ApiError('client', String(error)));
      const { kind } = this.#state.opening;
      if (kind === 'board' || kind === 'gone') this.#awaitBoard();
      if (error instanceof ApiError && error.isUnsent) this.#later();
    }
  }

  close(): void {
    this.#isClosed = true;
    document.removeEventListener('visibilitychange', this.look);
    window.removeEventListener('online', this.look);
    clearTimeout(this.#statusTimer);
    clearTimeout(this.#attemptTimer);
    this.#finder?.close();
    this.#stream?.close();
    this.#state.board?.destroy();
    this.#room?.close();
    for (const { feed } of this.#feeds.values()) feed.close();
  }

  reconnect(): void {
    this.#stream?.retry();
    this.#room?.reconnect();
  }

  /** The transcript of a session, shared by the views that show it. `open` makes it: its code comes with the panel that shows it. */
  holdFeed(sessionId: string, open: OpenFeed): { feed: TranscriptFeed; release: () => void } {
    let held = this.#feeds.get(sessionId);
    if (!held) {
      held = { feed: open(this.http, sessionId, this.#state.shared.sessions.get(sessionId)?.lastSeq ?? 0), holders: 0 };
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
    void this.#finder?.look(ids);
    if (isNew) void this.#askStatus();
  }

  /** As `watch`, for one that is open beside the board, wherever its card is. Returns the end of it. */
  follow(id: string): () => void {
    this.#followed.add(id);
    void this.#askStatus(0);
    return () => void this.#followed.delete(id);
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

  /** The environment of a worktree as it is now, with what its services use. `null`: its repository says nothing of one. */
  async askEnvironment(worktreeId: string): Promise<Environment | null> {
    try {
      const found = await this.http.get<Environment>(`worktrees/${worktreeId}/environment`);
      this.takeEnvironments([found]);
      return found;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'environment_not_found') return null;
      this.noteEnvironmentProblem(worktreeId, error);
      throw error;
    }
  }

  /** What an error says of the repository's own settings stays, until they can be read. */
  noteEnvironmentProblem(worktreeId: string, error: unknown): void {
    if (!(error instanceof ApiError) || error.code !== 'bad_settings' || this.#isClosed) return;
    const problem = { text: error.message, why: String(error.details['why'] ?? error.message) };
    this.#set({ shared: applyEnvironmentProblem(this.#state.shared, worktreeId, problem) });
  }

  /** Two views of one board share it. */
  equip(make: (client: BoardClient) => Finder): void {
    if (this.#finder) return;
    this.#finder = make(this);
    void this.#finder.look(this.#watched);
    if (this.#state.shared.isLoaded) this.#finder.begin();
  }

  takeEnvironments(found: readonly Environment[]): void {
    this.#set({ shared: applyEnvironments(this.#state.shared, found) });
  }

  forgetCaughtUp(): void {
    this.#set({ caughtUp: null });
  }

  async #askStatus(maxAgeS = 2): Promise<void> {
    clearTimeout(this.#statusTimer);
    if (this.#isClosed) return;
    const round = ++this.#statusRound;
    const wanted = new Set([...this.#followed, ...this.#watched]);
    const ids = [...wanted].filter(id => this.#state.shared.worktrees.get(id)?.state === 'ready').slice(0, 100);
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

  #listen(): EventStream {
    return (this.#stream ??= new EventStream(this.http, {
      board: this.path,
      position: () => (this.#state.shared.isLoaded ? this.#state.shared.n : null),
      take: events => this.#take(events),
      live: () => this.#live(),
      lost: () => this.#lost(),
      resync: () => this.#resync(),
    }));
  }

  /** The server says when the board is there. */
  #awaitBoard(): void {
    if (this.#stream) return;
    this.#listen().open();
  }

  /** A server that starts is asked again after 0.4 s, then less often, up to every 5 s. */
  #later(): void {
    clearTimeout(this.#attemptTimer);
    this.#attemptTimer = setTimeout(() => void this.open(), Math.min(5000, 400 * 1.6 ** this.#attempts++) * (0.8 + 0.4 * Math.random()));
  }

  #happened(what: Happening): void {
    const opening = afterOpening(this.#state.opening, what);
    if (opening !== this.#state.opening) this.#set({ opening });
  }

  async #resync(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'board_not_found') throw error;
      this.#takenAway();
    }
  }

  /** The file is gone. What was on the board is not shown any more; it is looked for again when the server says that it is there. */
  #takenAway(): void {
    this.#happened('taken away');
    if (this.#state.opening.kind !== 'gone') return;
    this.#leaveRoom();
    this.#set({ board: null });
  }

  /** After a break, or when the file came back: the room may be another one, or gone. */
  async #checkRoom(): Promise<void> {
    try {
      const { room } = await this.http.get<RoomInfo>('board/room', { query: { path: this.path } });
      if (room === this.#room?.name || this.#isClosed) return;
      this.#leaveRoom();
      this.#set({ board: null });
      await this.open();
    } catch (error) {
      if (error instanceof ApiError && error.code === 'board_not_found') this.#takenAway();
    }
  }

  #leaveRoom(): void {
    this.#state.board?.destroy();
    this.#room?.close();
    this.#room = undefined;
  }

  async #load(): Promise<void> {
    const snapshot = await this.http.get<Snapshot>('board/snapshot', { query: { path: this.path } });
    this.#set({ shared: applySnapshot(this.#state.shared, snapshot) });
    for (const { feed } of this.#feeds.values()) feed.refresh();
    // A card can be drawn without them.
    void this.http.get<Budget[]>('budgets').then(
      budgets => this.#set({ shared: applyBudgets(this.#state.shared, budgets) }),
      () => undefined,
    );
    this.#finder?.begin();
  }

  #showRoom(link: RoomLink): void {
    this.#leaveRoom();
    this.#room = link;
    const board = openBoard({ doc: link.doc, awareness: link.awareness, isWritable: link.isWritable });
    void link.synced.then(() => board.setSynced());
    this.#set({ board, readOnlyReason: link.reason });
  }

  #take(events: readonly Event[]): void {
    for (const { body } of events) if (body.kind === 'board' && body.path === this.path) this.#boardNews(body.isThere);
    const before = this.#state.shared;
    if (!before.isLoaded) return;
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

  #boardNews(isThere: boolean): void {
    if (!isThere) this.#takenAway();
    else if (this.#state.opening.kind === 'open') void this.#checkRoom();
    else void this.open();
  }

  #live(): void {
    if (this.#state.shared.connection.state === 'live') return;
    this.http.isOnline = true;
    const wasLost = this.#lostAt !== null;
    this.#lostAt = null;
    this.#set({ shared: applyConnection(this.#state.shared, 'live', new Date().toISOString()), ...(wasLost ? { caughtUp: 0 } : {}) });
    void this.#askStatus();
    // What happened before the stream stood is not in it.
    if (this.#state.opening.kind !== 'open') void this.open();
    else if (wasLost) void this.#checkRoom();
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
