// What the front end knows: shared truth from the server, the board's document, and what is true of this view only.
import type { Doc, Map as YMap } from 'yjs';
import type {
  AgentStatus,
  BoardMeta,
  BoardObject,
  Budget,
  Environment,
  EnvironmentCommand,
  Firing,
  Me,
  Permission,
  Problem,
  Repo,
  Session,
  Slot,
  Turn,
  Worktree,
  ZoneDrop,
  ZonePreview,
} from '../protocol/generated';

/** `lost`: the event stream is down; what is shown is as of `since`. */
export interface Connection {
  readonly state: 'connecting' | 'live' | 'lost';
  /** When it became so, ISO 8601. */
  readonly since: string;
}

/** *Shared.* All that acts, from GET board/snapshot and the events after it. Changed only by `store/apply.ts`. */
export interface BoardState {
  /** Number of the last event applied. */
  readonly n: number;
  /** The snapshot has arrived. Until then cards show their place and title only. */
  readonly isLoaded: boolean;
  readonly connection: Connection;
  readonly me: Me | null;
  readonly agents: ReadonlyMap<string, AgentStatus>;
  readonly repos: ReadonlyMap<string, Repo>;
  readonly worktrees: ReadonlyMap<string, Worktree>;
  readonly sessions: ReadonlyMap<string, Session>;
  /** Ids of the sessions of each worktree that are not archived, oldest first. */
  readonly sessionsOf: ReadonlyMap<string, readonly string[]>;
  readonly turns: ReadonlyMap<string, Turn>;
  /** The runs of zones that are live, and the last one of each worktree. */
  readonly firings: ReadonlyMap<string, Firing>;
  /** Those that are known of worktrees, by the id of the worktree. Asked for after the snapshot. */
  readonly environments: ReadonlyMap<string, Environment>;
  /** Why that of a worktree cannot be started, by the id of the worktree: what its repository says of it is wrong. */
  readonly environmentProblems: ReadonlyMap<string, SettingsProblem>;
  /** Open questions only. */
  readonly permissions: ReadonlyMap<string, Permission>;
  /** Grows with all news of schedules: what shows them asks again. */
  readonly scheduleNews: number;
  /** The last few slots that passed or failed while somebody looked on. */
  readonly ended: ReadonlyMap<string, Slot>;
  /** Asked for after the snapshot. */
  readonly budgets: ReadonlyMap<string, Budget>;
}

export interface SettingsProblem {
  /** A sentence that names the file. */
  readonly text: string;
  /** Only what is wrong, with its line. */
  readonly why: string;
}

export type ToolName = 'select' | 'hand' | 'zone' | 'note';
export type DialogName =
  | 'worktree'
  | 'repo'
  | 'session'
  | 'fork'
  | 'agents'
  | 'variables'
  | 'tokens'
  | 'destinations'
  | 'rules'
  | 'trust'
  | 'budget'
  | 'history'
  | 'archive'
  | 'remove'
  | 'checks'
  | 'zone'
  | 'ask'
  | 'firings'
  | 'schedules'
  | 'schedule'
  | 'slots'
  | 'commands'
  | 'keys';
/** Where a new thing should lie, in board units. */
export interface Place {
  readonly x: number;
  readonly y: number;
}
export interface Dialog {
  readonly name: DialogName;
  readonly worktreeId?: string;
  readonly sessionId?: string;
  /** The turn that is meant. */
  readonly turnId?: string;
  /** A side question is meant. */
  readonly isSide?: boolean;
  readonly zoneId?: string;
  readonly firingId?: string;
  readonly scheduleId?: string;
  /** The agent that is meant. */
  readonly agent?: string;
  /** What was typed already. */
  readonly text?: string;
  readonly at?: Place;
  /** The slug of the repo to start with. */
  readonly repo?: string;
  /** What opens again when it is closed. */
  readonly back?: Dialog;
}

/** *Local.* This view's own: never sent, never kept. */
export interface LocalState {
  readonly tool: ToolName;
  readonly selection: ReadonlySet<string>;
  /** The session whose transcript is open beside the board. */
  readonly openSessionId: string | null;
  /** Show the changes of this worktree in the panel. */
  readonly openDiffId: string | null;
  readonly dialog: Dialog | null;
  /** Cards that do not match fade. */
  readonly filter: string;
  readonly only: 'all' | 'needs' | 'running' | 'mine';
  readonly host: 'cell' | 'tab' | 'page';
}

export interface Toast {
  readonly text: string;
  readonly undo?: () => void;
}

/**
 * Everything the canvas asks of others. A promise rejects with an `Error` whose message is a sentence for a person;
 * the canvas shows it on the card that was clicked.
 */
export interface Commands {
  setTool(tool: ToolName): void;
  select(ids: Iterable<string>): void;
  openSession(sessionId: string | null, options?: { readonly focusPrompt?: boolean }): void;
  openDiff(worktreeId: string | null): void;
  openDialog(name: DialogName, options?: Omit<Dialog, 'name'>): void;
  toast(toast: Toast): void;

  answer(permissionId: string, optionId: string): Promise<void>;
  resume(turnId: string): Promise<void>;
  retry(turnId: string): Promise<void>;
  discard(turnId: string): Promise<void>;
  cancelTurn(turnId: string): Promise<void>;
  retryWorktree(worktreeId: string): Promise<void>;
  /** Take a way on that a stuck worktree offers. */
  mend(worktreeId: string, kind: string): Promise<void>;
  restoreWorktree(worktreeId: string): Promise<void>;
  /** Asks first where there is something to say; else it is done, and can be undone. */
  archiveWorktree(worktreeId: string): Promise<void>;
  /** The worktree stays; its card goes. */
  takeOffBoard(worktreeId: string): Promise<void>;
  /** Ask the server to create the worktree that a card names but this machine does not have. */
  makeHere(objectId: string): Promise<void>;
  /** Brings a card to a zone, or out of any: what that zone starts, starts, unless `run` is false. */
  dropCard(worktreeId: string, drop: Pick<ZoneDrop, 'zoneId' | 'x' | 'y' | 'run'>): Promise<void>;
  /** What that would start. */
  previewDrop(worktreeId: string, zoneId: string): Promise<ZonePreview>;
  /** What a person decides about a run of a zone. */
  decide(firingId: string, what: FiringDecision): Promise<void>;
  pauseZone(zoneId: string, isPaused: boolean): Promise<void>;
  /** Starts, stops, restarts or resets what runs beside a worktree: all of its services, or those named. */
  steerEnvironment(worktreeId: string, what: EnvironmentDeed, request?: EnvironmentCommand): Promise<void>;
  /** Opens what a service serves: in a tab of the host where it has tabs, and else of the browser. */
  openLink(worktreeId: string, name: string, isOutside?: boolean): void;
  /** The worktrees in view; their git status is asked again while they stay there. */
  watch(worktreeIds: readonly string[]): void;
  /** Connect again at once. */
  reconnect(): void;
}

export type EnvironmentDeed = 'start' | 'stop' | 'restart' | 'reset';
export type FiringDecision = 'approve' | 'reject' | 'retry' | 'withdraw';

/** Fields of objects that a change sets. */
export type Changes = Readonly<Record<string, Partial<Record<string, string | number>>>>;

/** What a colleague's browser says of itself through awareness. Everything is unchecked input: read it with `presence.ts`. */
export interface Presence {
  readonly user: { readonly username: string; readonly name: string; readonly initials: string; readonly color: string | null };
  readonly cursor: Place | null;
  readonly selection: readonly string[];
  readonly held: Readonly<Record<string, Place>> | null;
  readonly viewport: { readonly x: number; readonly y: number; readonly zoom: number; readonly width: number; readonly height: number } | null;
  readonly reading: string | null;
}

/** The part of y-protocols' `Awareness` that we use. */
export interface AwarenessLike {
  readonly clientID: number;
  getStates(): Map<number, Record<string, unknown>>;
  getLocalState(): Record<string, unknown> | null;
  setLocalStateField(field: string, value: unknown): void;
  on(event: 'change', listener: () => void): void;
  off(event: 'change', listener: () => void): void;
}

/** What `transport/room.ts` hands over. */
export interface Room {
  readonly doc: Doc;
  readonly awareness: AwarenessLike | null;
  /** False: a viewer, or the room is closed. Nothing is written then. */
  readonly isWritable: boolean;
}

/** The checked content of the document. A new one for each change; unchanged objects keep their identity. */
export interface BoardView {
  /** False until the document has arrived. */
  readonly isSynced: boolean;
  readonly meta: BoardMeta;
  readonly objects: ReadonlyMap<string, BoardObject>;
  /** What was skipped, and why. */
  readonly problems: readonly Problem[];
}

/** *Shared.* The board's Y document. Made by `store/board.ts: openBoard(room)`; usable with `useSyncExternalStore`. */
export interface BoardDoc {
  readonly isWritable: boolean;
  readonly awareness: AwarenessLike | null;
  readonly objects: YMap<unknown>;
  getView(): BoardView;
  subscribe(listener: () => void): () => void;
  /** Called by the transport when the first sync has happened. */
  setSynced(): void;
  setTitle(title: string): void;
  /** Own layout actions. One transaction each, one step of undo. */
  add(object: BoardObject): string;
  addAll(objects: readonly BoardObject[]): string[];
  /** Merges the fields into objects that exist; others are ignored. */
  change(changes: Changes): void;
  /** As `change`, but no step of undo: what was refused is as it was before. */
  putBack(changes: Changes): void;
  remove(ids: readonly string[]): void;
  undo(): void;
  redo(): void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  destroy(): void;
}
