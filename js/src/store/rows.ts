// The rows of a card: its sessions as a tree, what each does and since when. Pure; the clock is handed in.
import type { Person, Session, SessionState } from '../protocol/generated';
import { texts } from '../texts';
import { age, clock, hour, lasting, left, wait } from '../texts/ages';
import { ordinal } from '../texts/counts';
import { type Face, faceOf } from './faces';
import { MARKS, type Mark } from './marks';
import { parkedTurn } from './parked';
import { plain } from './plain';
import { rankOf, sessionWords, workedOf } from './standing';
import type { BoardState, Presence } from './types';

export interface Marked {
  readonly mark: Mark;
  readonly label: string;
}

export interface Row {
  readonly id: string;
  readonly link: 'root' | 'spawn' | 'fork';
  readonly agent: string;
  readonly icon: string;
  readonly title: string;
  readonly faces: readonly Face[];
  readonly when: string;
  readonly state: Marked;
  /** What runs just now; only while it runs. */
  readonly line: string;
  readonly isRunning: boolean;
  readonly children: readonly Row[];
}

export interface CardContext {
  readonly state: BoardState;
  readonly now: number;
  readonly readers: ReadonlyMap<string, readonly Presence[]>;
  readonly isUnfolded: boolean;
  /** What a zone is called; '' when it is not on the board. */
  zoneName(id: string): string;
}

const SHOWN_ROWS = 5;
const MAX_DEPTH = 4;
const places = new WeakMap<BoardState['sessions'], Map<string, number>>();

/** The place of a waiting session among all that wait, from 1. */
export const placeInLine = (session: Session, sessions: BoardState['sessions']): number => {
  let line = places.get(sessions);
  if (!line) {
    const waiting = [...sessions.values()].filter(s => s.state === 'queued').sort((a, b) => (a.stateSince < b.stateSince ? -1 : 1));
    line = new Map(waiting.map((s, i) => [s.id, i + 1]));
    places.set(sessions, line);
  }
  return line.get(session.id) ?? 1;
};

const whenOf = (session: Session, context: CardContext): string => {
  switch (session.state) {
    case 'running': {
      // Of work: the clock goes on where it stood before a question, and not while it waits for an answer.
      const turn = session.currentTurnId === null ? undefined : context.state.turns.get(session.currentTurnId);
      const from = turn?.state === 'running' ? new Date(context.now - workedOf(turn, context.now) * 1000).toISOString() : session.stateSince;
      return clock(from, context.now);
    }
    case 'needs_you':
      return clock(session.stateSince, context.now);
    case 'queued': {
      if (session.waitsFor) return wait(session.stateSince, context.now);
      const place = placeInLine(session, context.state.sessions);
      return place === 1 ? 'Next' : ordinal(place);
    }
    case 'starting':
      return wait(session.stateSince, context.now);
    case 'stopping':
      return 'Stopping';
    case 'parked': {
      const retryAt = parkedTurn(session, context.state)?.retryAt;
      return retryAt ? left(retryAt, context.now) : age(session.stateSince, context.now);
    }
    case 'idle':
      return '';
    default:
      return age(session.stateSince, context.now);
  }
};

/** What runs just now, or what it waits for. */
const lineOf = (session: Session, now: number): string => {
  if (session.state === 'queued' || session.state === 'starting') return session.waitsFor ?? '';
  if (session.state !== 'running')
    return session.currentTurnId === null && session.background[0] ? texts.panel.background(session.background.join(', ')) : '';
  return session.stalledAt === null ? plain(session.lastLine) : texts.panel.nothingHeard(lasting(session.stalledAt, now));
};

export const isLive = (state: SessionState): boolean => rankOf(state) <= rankOf('queued') && state !== 'failed' && state !== 'interrupted';

export const rowsOf = (
  sessions: readonly Session[],
  context: CardContext,
  isStale: boolean,
  color: (person: Person) => string,
): { rows: Row[]; folded: number } => {
  let shown = sessions;
  if (!context.isUnfolded && sessions.length > SHOWN_ROWS) {
    const kept = new Set(
      [...sessions].sort((a, b) => rankOf(a.state) - rankOf(b.state) || (a.updatedAt < b.updatedAt ? 1 : -1)).slice(0, SHOWN_ROWS),
    );
    shown = sessions.filter(session => kept.has(session));
  }
  const known = new Set(shown.map(s => s.id));
  const children = new Map<string | null, Session[]>();
  for (const session of shown) {
    const above = session.parentId ?? session.originId;
    const key = above !== null && above !== session.id && known.has(above) ? above : null;
    const group = children.get(key);
    if (group) group.push(session);
    else children.set(key, [session]);
  }
  const used = new Set<string>();
  const make = (session: Session, depth: number): Row[] => {
    if (used.has(session.id)) return [];
    used.add(session.id);
    const below = (children.get(session.id) ?? []).flatMap(child => make(child, depth + 1));
    const agent = context.state.agents.get(session.agent)?.agent;
    const row: Row = {
      id: session.id,
      link: depth === 0 ? 'root' : session.parentId !== null ? 'spawn' : 'fork',
      agent: agent?.label ?? session.agent,
      icon: agent?.icon ?? 'ag-agent',
      title: plain(session.title) || 'Untitled',
      faces: (context.readers.get(session.id) ?? []).slice(0, 3).map(p => faceOf(p.user, color)),
      when: isStale && isLive(session.state) ? hour(session.stateSince) : whenOf(session, context),
      state:
        isStale && isLive(session.state)
          ? { mark: 'stale', label: texts.connection.lastSeen(texts.states[session.state].toLowerCase()) }
          : { mark: MARKS[session.state], label: sessionWords(session, context.state) },
      line: lineOf(session, context.now),
      isRunning: session.state === 'running' && session.stalledAt === null && !isStale,
      children: depth < MAX_DEPTH ? below : [],
    };
    return depth < MAX_DEPTH ? [row] : [row, ...below];
  };
  const rows = (children.get(null) ?? []).flatMap(session => make(session, 0));
  // Sessions that name each other as parents have no root; each becomes one.
  for (const session of shown) rows.push(...make(session, 0));
  return { rows, folded: sessions.length - shown.length };
};
