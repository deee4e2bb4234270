// What a card says: derived from the records, the same for every view of it. Its rows, its foot, its strip and its pills have files of their
// own. Pure; the clock is handed in.
import type { Card, Person, Session, SessionState, Worktree } from '../protocol/generated';
import { texts } from '../texts';
import { ago, hour, isOlder, wait } from '../texts/ages';
import { count, ordinal } from '../texts/counts';
import { shortQuestion } from '../texts/questions';
import { brokenLine, type EnvironmentLine, isUp, lineOf } from './environments';
import { type Face, faceOf } from './faces';
import { firingOf, firingWords, gateOf } from './firings';
import { type Foot, footOf } from './foot';
import { MARKS } from './marks';
import { openPill, type Pill, pillsOf } from './pills';
import { type CardContext, isLive, type Marked, placeInLine, type Row, rowsOf } from './rows';
import { sessionsOf, standingOf, stateOf, stateOfFiring } from './standing';
import { permissionOf, type Strip, stripOf, waysOf } from './strips';
import type { BoardState } from './types';

export interface Step {
  readonly state: 'done' | 'starting' | 'idle';
  readonly text: string;
  readonly when: string;
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
  /** What its zone does with it just now, where no session says it. */
  readonly zone: { readonly icon: 'gate' | 'clock'; readonly text: string } | null;
  /** What runs beside it. */
  readonly environment: EnvironmentLine | null;
  /** The one fact that a small card has room for. */
  readonly fact: string;
  readonly factTone: 'plain' | 'need' | 'fail';
  readonly agents: readonly { readonly icon: string; readonly name: string }[];
  /** Something in it counts seconds. */
  readonly isTicking: boolean;
}

const STALE_S = 15;

const factOf = (
  worktree: Worktree,
  sessions: readonly Session[],
  top: SessionState,
  strip: Strip | null,
  context: CardContext,
): [string, CardContent['factTone']] => {
  const firing = firingOf(worktree, context.state);
  if (firing && firing.state !== 'running' && stateOfFiring(firing) === top && !sessions.some(({ state }) => state === 'needs_you')) {
    const said = firing.state === 'asking' ? texts.zone.asksShort : firing.state === 'failed' && !gateOf(firing) ? firing.reason : null;
    const gate = top === 'running' ? gateOf(firing) : null;
    return [said ?? gate ?? firingWords(firing, context.zoneName), top === 'needs_you' ? 'need' : top === 'failed' ? 'fail' : 'plain'];
  }
  if (top === 'needs_you') {
    const asking = sessions.find(s => s.state === 'needs_you');
    const permission = asking && permissionOf(asking, context.state);
    return [shortQuestion(permission?.toolKind ?? ''), 'need'];
  }
  if (top === 'failed' || top === 'interrupted') return [strip?.text.split('\n')[0] || strip?.title || texts.states.failed, 'fail'];
  if (top === 'parked') return [strip?.title ?? texts.states.parked, strip?.kind === 'ask' ? 'need' : 'plain'];
  if (top === 'queued') {
    const waiting = sessions.find(s => s.state === 'queued');
    if (!waiting) return [texts.states.queued, 'plain'];
    // “8 of 8 agents work, 3rd in line”: here only the place.
    const said = waiting.waitsFor?.split(', ').at(-1);
    if (said) return [said.charAt(0).toUpperCase() + said.slice(1), 'plain'];
    const place = placeInLine(waiting, context.state.sessions);
    return [place === 1 ? 'Next in line' : `${ordinal(place)} in line`, 'plain'];
  }
  if (sessions.length === 0) return ['No session', 'plain'];
  if (top === 'running' && sessions.length === 1) return [sessions[0]?.lastLine || texts.states.running, 'plain'];
  if (top === 'running') return [count(sessions.length, 'session'), 'plain'];
  if (worktree.status && worktree.status.files > 0) return [count(worktree.status.files, 'file'), 'plain'];
  return [count(sessions.length, 'session'), 'plain'];
};

/** A wait is said on the card; so is a gate that no session runs. */
const zoneLine = (worktree: Worktree, { state, zoneName }: CardContext): CardContent['zone'] => {
  const firing = firingOf(worktree, state);
  if (firing?.state === 'waiting') return { icon: 'clock', text: firingWords(firing, zoneName) };
  const isFunction = firing?.runs.some(({ outcome, sessionId, gate }) => outcome === null && sessionId === null && gate !== null);
  return firing && isFunction ? { icon: 'gate', text: firing.waitsFor ? texts.zone.waitsFor(firing.waitsFor) : firingWords(firing, zoneName) } : null;
};

const environmentLine = ({ id }: Worktree, { environments, environmentProblems, me }: BoardState): EnvironmentLine | null => {
  const environment = environments.get(id);
  const problem = environmentProblems.get(id);
  if (problem && !(environment && isUp(environment))) return brokenLine(problem);
  return environment ? lineOf(environment, me?.role === 'owner') : null;
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
    zone: null,
    environment: null,
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
      fact: standingOf(worktree, state).label,
    };
  }
  const pills = pillsOf(worktree);
  if (worktree.state === 'archived') {
    const sessions = sessionsOf(worktree.id, state);
    const archived = texts.standing.archived(worktree.archivedAt ? ago(worktree.archivedAt, now) : '');
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
        when: archived,
      },
      foot: { ...footOf(worktree, sessions, now), age: '' },
      fact: archived,
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
      fact: worktree.step ?? texts.states.creating,
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
  const top = stateOf(worktree, state);
  const isStale = state.connection.state === 'lost' && isOlder(state.connection.since, STALE_S, now);
  const asOf = isStale && isLive(top) ? texts.connection.asOfHour(hour(state.connection.since)) : '';
  const strip = withReason(worktree, stripOf(worktree, sessions, state, now, context.zoneName));
  const { rows, folded } = rowsOf(sessions, context, isStale, color);
  const [fact, factTone] = factOf(worktree, sessions, top, strip, context);
  const status = worktree.status;
  const agents = [...new Set(sessions.map(s => s.agent))].slice(0, 3).map(name => {
    const agent = state.agents.get(name)?.agent;
    return { icon: agent?.icon ?? 'ag-agent', name: agent?.label ?? name };
  });
  return {
    ...base,
    state: asOf ? { mark: 'stale', label: asOf } : { mark: MARKS[top], label: standingOf(worktree, state).label },
    drift: status ? [status.ahead > 0 ? `↑${status.ahead}` : '', status.behind > 0 ? `↓${status.behind}` : ''].filter(Boolean).join(' ') : '',
    asOf,
    pills: [...pills, ...openPill(sessions)],
    rows,
    folded,
    strip,
    zone: zoneLine(worktree, context),
    environment: environmentLine(worktree, state),
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
    state: { mark: 'missing', label: texts.standing.absent },
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
    fact: texts.standing.absent,
  };
};
