// What a card says: derived from the records, the same for every view of it. Pure; the clock is handed in.
import type { Card, Person, Session, SessionState, Work, Worktree } from '../protocol/generated';
import { texts } from '../texts';
import { parkedTurn } from './parked';
import { plain } from './plain';
import { initialsOf } from './presence';
import { rankOf, sessionsOf, sessionWords, standingOf, strongest, workedOf } from './standing';
import { permissionOf, SHORT_ASKS, type Strip, stripOf, waysOf } from './strips';
import type { BoardState, Presence } from './types';
import { age, clock, count, dollars, hour, isOlder, left, ordinal, wait } from './words';

/** The marks of the icon set, `st-*`. */
export type Mark =
  | 'idle'
  | 'queued'
  | 'starting'
  | 'running'
  | 'needs'
  | 'failed'
  | 'done'
  | 'merged'
  | 'cancelled'
  | 'missing'
  | 'archived'
  | 'stale';

export interface Marked {
  readonly mark: Mark;
  readonly label: string;
}

const SESSION_MARKS = {
  idle: { mark: 'idle', label: 'Idle' },
  queued: { mark: 'queued', label: 'Queued' },
  starting: { mark: 'starting', label: 'Starting' },
  running: { mark: 'running', label: 'Running' },
  needs_you: { mark: 'needs', label: 'Needs you' },
  stopping: { mark: 'starting', label: 'Stopping' },
  done: { mark: 'done', label: 'Done' },
  failed: { mark: 'failed', label: 'Failed' },
  cancelled: { mark: 'cancelled', label: 'Cancelled' },
  interrupted: { mark: 'failed', label: 'Interrupted' },
  parked: { mark: 'queued', label: 'Parked' },
} as const satisfies Record<SessionState, Marked>;

export const markOf = (state: SessionState): Marked => SESSION_MARKS[state] ?? SESSION_MARKS.idle;

const markedOf = (session: Session, state: BoardState): Marked => ({ ...markOf(session.state), label: sessionWords(session, state) });

export { sessionsOf, strongest };

export interface Face {
  readonly name: string;
  readonly initials: string;
  readonly color: string;
}

export interface Pill {
  readonly icon: 'issue' | 'pr' | 'clock' | 'unlock' | null;
  readonly text: string;
  readonly url: string | null;
  readonly name: string;
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

export interface Step {
  readonly state: 'done' | 'starting' | 'idle';
  readonly text: string;
  readonly when: string;
}

export interface Foot {
  readonly changes: { readonly added: number; readonly deleted: number; readonly files: number } | null;
  readonly text: string;
  /** Work that no figure shows, in a few words, and in whole sentences. */
  readonly work: string;
  readonly works: readonly string[];
  /** What an agent has not finished in its sandbox. */
  readonly inside: string;
  readonly cost: string;
  readonly age: string;
}

export interface CardContent {
  readonly worktreeId: string;
  readonly state: Marked;
  readonly look: 'plain' | 'missing' | 'archived';
  readonly title: string;
  readonly branch: string;
  readonly drift: string;
  /** When this was last known, while the connection is lost and what it shows may have moved on. */
  readonly asOf: string;
  readonly by: Face | null;
  readonly pills: readonly Pill[];
  readonly steps: readonly Step[];
  readonly rows: readonly Row[];
  readonly folded: number;
  readonly strip: Strip | null;
  readonly foot: Foot | null;
  /** The one fact that a small card has room for. */
  readonly fact: string;
  readonly factTone: 'plain' | 'need' | 'fail';
  readonly agents: readonly { readonly icon: string; readonly name: string }[];
  /** Something in it counts seconds. */
  readonly isTicking: boolean;
}

export interface CardContext {
  readonly state: BoardState;
  readonly now: number;
  readonly readers: ReadonlyMap<string, readonly Presence[]>;
  readonly isUnfolded: boolean;
}

const SHOWN_ROWS = 5;
const MAX_DEPTH = 4;
const STALE_S = 15;

export const faceOf = (person: Person, color: (person: Person) => string): Face => ({
  name: person.name || person.username,
  initials: initialsOf(person),
  color: color(person),
});

const link = (url: string | null): string | null => {
  if (!url) return null;
  try {
    const parsed = new URL(url);
    return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : null;
  } catch {
    return null;
  }
};

/** The last number in a link, as people name issues: “12”. Else the host. */
const shortLink = (url: string): string => /(\d+)(?!.*\d)/.exec(new URL(url).pathname)?.[1] ?? new URL(url).hostname;

const places = new WeakMap<BoardState['sessions'], Map<string, number>>();

/** The place of a waiting session among all that wait, from 1. */
const placeInLine = (session: Session, sessions: BoardState['sessions']): number => {
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
  return session.stalledAt === null ? plain(session.lastLine) : texts.panel.nothingHeard(age(session.stalledAt, now));
};

const isLive = (state: SessionState): boolean => rankOf(state) <= rankOf('queued') && state !== 'failed' && state !== 'interrupted';

const rowsOf = (
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
          ? { mark: 'stale', label: `Last seen ${markOf(session.state).label.toLowerCase()}` }
          : markedOf(session, context.state),
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

/** “1 repository inside, rebase under way”. */
const workOf = (works: readonly Work[]): string => {
  const sums = new Map<Work['kind'], number>();
  for (const one of works) sums.set(one.kind, (sums.get(one.kind) ?? 0) + numberOf(one));
  return [...sums].map(([kind, number]) => texts.work[kind](number, works.find(one => one.kind === kind)?.names[0] ?? '')).join(', ');
};

const numberOf = (one: Work): number => {
  switch (one.kind) {
    case 'commits':
    case 'detached':
      return one.commits;
    case 'stash':
      return one.stashes;
    case 'hidden':
    case 'ignored':
    case 'own':
    case 'changes':
    case 'untracked':
    case 'filtered':
      return one.files;
    default:
      return 1;
  }
};

const footOf = (worktree: Worktree, sessions: readonly Session[], now: number): Foot => {
  const status = worktree.status;
  const works = status?.work.filter(one => one.kind !== 'own') ?? []; // what is an agent’s own is in the panel
  let cost = 0;
  let hasCost = false;
  let isEstimate = false;
  let latest = worktree.createdAt;
  for (const session of sessions) {
    if (session.usage.costUsd !== null) {
      hasCost = true;
      cost += session.usage.costUsd;
      isEstimate ||= session.usage.isEstimate;
    }
    if (session.updatedAt > latest) latest = session.updatedAt;
  }
  return {
    changes: status && status.files > 0 ? { added: status.added, deleted: status.deleted, files: status.files } : null,
    text: status && !(status.dirty || works.length) ? 'No changes' : '',
    work: workOf(works.filter(one => one.kind !== 'sandbox')),
    inside: status?.inside ? texts.inside(status.inside.operation, status.inside.conflicted) : '',
    works: works.map(one => one.text),
    cost: hasCost ? dollars(cost, isEstimate) : '',
    age: age(latest, now),
  };
};

const factOf = (
  worktree: Worktree,
  sessions: readonly Session[],
  top: SessionState,
  strip: Strip | null,
  context: CardContext,
): [string, CardContent['factTone']] => {
  if (top === 'needs_you') {
    const asking = sessions.find(s => s.state === 'needs_you');
    const permission = asking && permissionOf(asking, context.state);
    return [(permission && SHORT_ASKS[permission.toolKind]) ?? 'Asks a question', 'need'];
  }
  if (top === 'failed' || top === 'interrupted') return [strip?.text.split('\n')[0] || strip?.title || 'Failed', 'fail'];
  if (top === 'parked') return [strip?.title ?? texts.states.parked, strip?.kind === 'ask' ? 'need' : 'plain'];
  if (top === 'queued') {
    const waiting = sessions.find(s => s.state === 'queued') as Session;
    // “8 of 8 agents work, 3rd in line”: here only the place.
    const said = waiting.waitsFor?.split(', ').at(-1);
    if (said) return [said.charAt(0).toUpperCase() + said.slice(1), 'plain'];
    const place = placeInLine(waiting, context.state.sessions);
    return [place === 1 ? 'Next in line' : `${ordinal(place)} in line`, 'plain'];
  }
  if (sessions.length === 0) return ['No session', 'plain'];
  if (top === 'running' && sessions.length === 1) return [sessions[0]?.lastLine || 'Running', 'plain'];
  if (top === 'running') return [count(sessions.length, 'session'), 'plain'];
  if (worktree.status && worktree.status.files > 0) return [count(worktree.status.files, 'file'), 'plain'];
  return [count(sessions.length, 'session'), 'plain'];
};

/** The strip, with what could not be as it was when the worktree was restored. What asks or failed comes first. */
const withReason = (worktree: Worktree, strip: Strip | null): Strip | null =>
  worktree.reason && (strip === null || (strip.kind !== 'ask' && strip.text === ''))
    ? { ...(strip ?? { kind: 'plain', title: '', command: '', actions: [], when: '' }), text: worktree.reason }
    : strip;

export const contentOf = (card: Card, context: CardContext, color: (person: Person) => string): CardContent => {
  const { state, now } = context;
  const worktree = state.worktrees.get(card.worktree);
  const base = {
    worktreeId: card.worktree,
    look: 'plain',
    title: worktree?.name || card.title || card.branch || 'Untitled',
    branch: worktree?.status?.branch ?? worktree?.branch ?? card.branch,
    drift: '',
    asOf: '',
    by: worktree ? faceOf(worktree.createdBy, color) : null,
    pills: [],
    steps: [],
    rows: [],
    folded: 0,
    strip: null,
    foot: null,
    fact: '',
    factTone: 'plain',
    agents: [],
    isTicking: false,
  } satisfies Omit<CardContent, 'state'>;

  if (!worktree) return absent(card, base, state);
  if (worktree.state === 'missing') {
    return {
      ...base,
      state: { mark: 'missing', label: standingOf(worktree, state).label },
      look: 'missing',
      strip: {
        kind: 'plain',
        title: '',
        command: '',
        text: worktree.reason ?? 'The folder of this worktree is gone. The branch is kept.',
        actions: [...waysOf(worktree, state), { act: 'remove', id: card.worktree, text: 'Remove card', kind: 'ghost' }],
        when: '',
      },
      fact: worktree.ways.some(({ kind }) => kind === 'relocate') ? 'Folder was moved' : 'Folder is gone',
    };
  }
  const pills = pillsOf(worktree);
  if (worktree.state === 'archived') {
    const sessions = sessionsOf(worktree.id, state);
    const when = worktree.archivedAt ? age(worktree.archivedAt, now) : '';
    return {
      ...base,
      state: { mark: 'archived', label: standingOf(worktree, state).label },
      look: 'archived',
      strip: {
        kind: 'plain',
        title: '',
        command: '',
        text: worktree.reason ?? '',
        actions: [{ act: 'restore', id: worktree.id, text: 'Restore', kind: 'plain', icon: 'undo' }],
        when: when === 'now' ? 'Archived now' : `Archived ${when} ago`,
      },
      foot: { ...footOf(worktree, sessions, now), age: '' },
      fact: when === 'now' ? 'Archived now' : `Archived ${when} ago`,
    };
  }
  if (worktree.state === 'creating') {
    const stop = waysOf(worktree, state);
    return {
      ...base,
      state: { mark: 'starting', label: standingOf(worktree, state).label },
      steps: [
        { state: 'done', text: `Branch from ${worktree.baseRef}, ${worktree.baseSha.slice(0, 7)}`, when: '' },
        { state: 'starting', text: worktree.step ?? 'Waiting for git', when: wait(worktree.updatedAt, now) },
      ],
      strip: stop.length > 0 ? { kind: 'plain', title: '', command: '', text: '', actions: stop, when: '' } : null,
      fact: worktree.step ?? 'Creating',
      isTicking: true,
    };
  }
  if (worktree.state === 'failed') {
    const reason = worktree.reason ?? 'It could not be made.';
    const standing = standingOf(worktree, state).label;
    return {
      ...base,
      state: { mark: 'failed', label: standing },
      pills,
      strip: {
        kind: 'fail',
        title: standing,
        command: '',
        text: reason,
        actions: waysOf(worktree, state),
        when: '',
      },
      fact: reason.split('\n')[0] ?? reason,
      factTone: 'fail',
    };
  }

  const sessions = sessionsOf(worktree.id, state);
  const top = strongest(sessions);
  const isStale = state.connection.state === 'lost' && isOlder(state.connection.since, STALE_S, now);
  const asOf = isStale && isLive(top) ? texts.connection.asOfHour(hour(state.connection.since)) : '';
  const strip = withReason(worktree, stripOf(worktree, sessions, state, now));
  const { rows, folded } = rowsOf(sessions, context, isStale, color);
  const [fact, factTone] = factOf(worktree, sessions, top, strip, context);
  const status = worktree.status;
  const agents = [...new Set(sessions.map(s => s.agent))].slice(0, 3).map(name => {
    const agent = state.agents.get(name)?.agent;
    return { icon: agent?.icon ?? 'ag-agent', name: agent?.label ?? name };
  });
  return {
    ...base,
    state: asOf ? { mark: 'stale', label: asOf } : { ...markOf(top), label: standingOf(worktree, state).label },
    drift: status ? [status.ahead > 0 ? `↑${status.ahead}` : '', status.behind > 0 ? `↓${status.behind}` : ''].filter(Boolean).join(' ') : '',
    asOf,
    pills: [...pills, ...openPill(sessions)],
    rows,
    folded,
    strip,
    foot: footOf(worktree, sessions, now),
    fact,
    factTone,
    agents,
    isTicking:
      !isStale &&
      (top === 'running' ||
        top === 'starting' ||
        top === 'needs_you' ||
        sessions.some(s => s.state === 'running' || (s.state === 'queued' && s.waitsFor !== null)) ||
        strip?.isTicking === true),
  };
};

const absent = (card: Card, base: Omit<CardContent, 'state'>, state: BoardState): CardContent => {
  if (!state.isLoaded) return { ...base, state: { mark: 'idle', label: 'Loading' } };
  return {
    ...base,
    state: { mark: 'missing', label: 'Not on this machine' },
    look: 'missing',
    strip: {
      kind: 'plain',
      title: '',
      command: '',
      text: card.repo
        ? `The board came with this card; ${card.repo} has no such worktree here.`
        : 'The board came with this card; the worktree is not here.',
      actions: [
        ...(state.me?.role === 'viewer' || !card.repo || !card.branch
          ? []
          : [{ act: 'make', id: card.worktree, text: 'Create it here', kind: 'primary', icon: 'download' } as const]),
        { act: 'remove', id: card.worktree, text: 'Remove card', kind: 'ghost' },
      ],
      when: '',
    },
    fact: 'Not on this machine',
  };
};

/** Only where an agent works outside of a sandbox. */
const openPill = (sessions: readonly Session[]): Pill[] => {
  const open = sessions.find(session => session.sandbox === 'off');
  return open ? [{ icon: 'unlock', text: texts.sandbox.off, url: null, name: open.sandboxReason ?? texts.sandbox.noReason }] : [];
};

const pillsOf = (worktree: Worktree): Pill[] => {
  const pills: Pill[] = [];
  const issue = link(worktree.issueUrl);
  const request = link(worktree.pullRequestUrl);
  if (issue) pills.push({ icon: 'issue', text: shortLink(issue), url: issue, name: `Issue ${shortLink(issue)}` });
  if (request) pills.push({ icon: 'pr', text: shortLink(request), url: request, name: `Pull request ${shortLink(request)}` });
  return pills;
};
