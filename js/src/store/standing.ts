// Where a session, a worktree and a turn stand, in one place for cards, panels and the inbox. Pure; the clock is handed in.
import type { Firing, FiringState, Person, Session, SessionState, Turn, Worktree, WorktreeState } from '../protocol/generated';
import { texts } from '../texts';
import { asksPerson, firingOf } from './firings';
import type { BoardState } from './types';

/** From strongest: a worktree shows the strongest of its sessions. */
const STRENGTH: readonly SessionState[] = [
  'needs_you',
  'failed',
  'interrupted',
  'running',
  'stopping',
  'starting',
  'parked',
  'queued',
  'done',
  'cancelled',
  'idle',
];

const rank = new Map(STRENGTH.map((state, i) => [state, i]));
export const rankOf = (state: SessionState): number => rank.get(state) ?? STRENGTH.length;

export const strongest = (sessions: Iterable<Session>): SessionState => strongestOf(sessions)?.state ?? 'idle';

export const strongestOf = (sessions: Iterable<Session>): Session | undefined => {
  let best: Session | undefined;
  for (const session of sessions) if (!best || rankOf(session.state) < rankOf(best.state)) best = session;
  return best;
};

const NONE: readonly Session[] = [];

/** Sessions of a worktree that are not archived, oldest first. */
export const sessionsOf = (worktreeId: string, state: BoardState): readonly Session[] => {
  const ids = state.sessionsOf.get(worktreeId);
  return ids ? ids.map(id => state.sessions.get(id)).filter(s => s !== undefined) : NONE;
};

const named = (by: Person, state: BoardState): string => (by.username === state.me?.person.username ? texts.standing.you : by.name);

/** A person's own no is not a failure, and says whose it was. */
export const sessionWords = (session: Session, state: BoardState): string => {
  if (session.state !== 'cancelled' || !session.endedBy) return texts.states[session.state];
  const who = named(session.endedBy, state);
  return session.wasRejected ? texts.standing.rejectedBy(who) : texts.standing.cancelledBy(who);
};

const QUIET: readonly SessionState[] = ['failed', 'interrupted'];

/**
 * The strongest state of a worktree: that of its sessions, and of the run of its zone. What failed in an earlier run of a zone is over when the
 * card has moved on.
 */
export const stateOf = (worktree: Worktree, state: BoardState): SessionState => {
  const firing = firingOf(worktree, state);
  const counting = sessionsOf(worktree.id, state).filter(session => {
    if (!QUIET.includes(session.state)) return true;
    const by = session.lastTurnId === null ? null : state.turns.get(session.lastTurnId)?.firingId;
    return !by || by === firing?.id;
  });
  const top = strongest(counting);
  const own = firing ? stateOfFiring(firing) : null;
  return own !== null && rankOf(own) < rankOf(top) ? own : top;
};

const FIRINGS = {
  waiting: 'queued',
  asking: 'needs_you',
  checking: 'running',
  running: 'queued',
  verifying: 'running',
  approval: 'needs_you',
  passed: null,
  failed: 'failed',
  withdrawn: null,
} as const satisfies Record<FiringState, SessionState | null>;

/** The state that it gives its card; `null`: none of its own. */
export const stateOfFiring = ({ state }: Firing): SessionState | null => FIRINGS[state];

export interface Standing {
  readonly state: SessionState | WorktreeState;
  readonly label: string;
}

/** What a worktree's card and its panel show. */
export const standingOf = (worktree: Worktree, state: BoardState): Standing => {
  if (worktree.state === 'missing' && worktree.ways.some(({ kind }) => kind === 'relocate')) return { state: 'missing', label: texts.standing.moved };
  if (worktree.failure === 'setup_failed') return { state: 'failed', label: texts.standing.setupFailed };
  if (worktree.state !== 'ready') return { state: worktree.state, label: texts.standing.worktrees[worktree.state] };
  const top = stateOf(worktree, state);
  const session = sessionsOf(worktree.id, state).find(one => one.state === top);
  if (session) return { state: top, label: sessionWords(session, state) };
  return { state: top, label: texts.states[top] };
};

/** What lies on this board. The server's other boards have their own counts. */
export const isOnBoard = (worktreeId: string, board: string, state: BoardState): boolean => state.worktrees.get(worktreeId)?.board === board;

export interface Counts {
  readonly needs: number;
  readonly running: number;
  readonly mine: number;
}

export const countsOf = (board: string, state: BoardState): Counts => {
  const me = state.me?.person.username;
  const here = (worktreeId: string): boolean => isOnBoard(worktreeId, board, state);
  let needs = 0;
  let running = 0;
  let mine = 0;
  for (const permission of state.permissions.values()) if (here(permission.worktreeId)) needs += 1;
  for (const firing of state.firings.values()) if (asksPerson(firing) && here(firing.worktreeId)) needs += 1;
  for (const session of state.sessions.values())
    if (session.archivedAt === null && (session.state === 'running' || session.state === 'starting') && here(session.worktreeId)) running += 1;
  for (const worktree of state.worktrees.values())
    if (worktree.board === board && worktree.createdBy.username === me && worktree.state !== 'archived') mine += 1;
  return { needs, running, mine };
};

const AT_WORK = new Set<Turn['state']>(['starting', 'running', 'stopping']);

const since = (turn: Turn, now: number): number => (turn.stateSince ? Math.max(0, (now - Date.parse(turn.stateSince)) / 1000) : 0);

/** Seconds of work, without what it waited for. */
export const workedOf = (turn: Turn, now: number): number => (turn.seconds ?? 0) + (AT_WORK.has(turn.state) ? since(turn, now) : 0);

/** Seconds for which its questions waited for a person. */
export const waitedOf = (turn: Turn, now: number): number => (turn.waitedSeconds ?? 0) + (turn.state === 'waiting' ? since(turn, now) : 0);
