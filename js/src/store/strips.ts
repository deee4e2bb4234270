// The one strip a card has room for: a question, a failure, a wait for the model or for money. Pure; the clock is handed in.
import type { Budget, Firing, Permission, Session, Turn, Way, Worktree } from '../protocol/generated';
import { texts } from '../texts';
import { age } from '../texts/ages';
import { money } from '../texts/money';
import { question } from '../texts/questions';
import { asksPerson, firingOf, firingWords, nameOf } from './firings';
import { parked, parkedTurn } from './parked';
import type { BoardState } from './types';

/** `act` names a command, `id` what it is about; `kind` is how the button looks. */
export interface Action {
  readonly act:
    | 'answer'
    | 'session'
    | 'resume'
    | 'retry'
    | 'cancel'
    | 'fork'
    | 'budget'
    | 'sign-in'
    | 'discard'
    | 'make'
    | 'remove'
    | 'restore'
    | 'remake'
    | 'mend'
    | 'ask'
    | 'decide';
  readonly id: string;
  readonly option?: string;
  readonly text: string;
  readonly kind: 'need' | 'primary' | 'plain' | 'ghost';
  readonly icon?: 'download' | 'undo' | 'refresh';
}

export interface Strip {
  readonly kind: 'ask' | 'fail' | 'rest' | 'info' | 'plain';
  readonly title: string;
  readonly command: string;
  readonly text: string;
  readonly actions: readonly Action[];
  readonly when: string;
  /** It counts seconds. */
  readonly isTicking?: boolean;
}

export const permissionOf = (session: Session, state: BoardState): Permission | undefined =>
  session.openPermissionId === null ? undefined : state.permissions.get(session.openPermissionId);

const lastTurn = (session: Session, wanted: Turn['state'], state: BoardState): Turn | undefined => {
  const id = session.currentTurnId ?? session.lastTurnId;
  const turn = id === null ? undefined : state.turns.get(id);
  if (turn?.state === wanted) return turn;
  for (const other of state.turns.values()) if (other.sessionId === session.id && other.state === wanted) return other;
  return undefined;
};

const labelOf = (session: Session, state: BoardState): string => state.agents.get(session.agent)?.agent.label ?? session.agent;

export const stripOf = (
  worktree: Worktree,
  sessions: readonly Session[],
  state: BoardState,
  now: number,
  zoneName: (id: string) => string,
): Strip | null => {
  const asking = sessions.find(s => s.state === 'needs_you');
  if (asking) return askStrip(asking, state, now);
  const firing = firingOf(worktree, state);
  if (firing && asksPerson(firing)) return firingAskStrip(firing, state, now, zoneName);
  const blocking = worktree.ways.filter(way => way.isBlocking);
  if (blocking[0])
    return { kind: 'fail', title: texts.worktree.stuck, command: '', text: blocking[0].why, actions: waysOf(worktree, state, blocking), when: '' };
  if (firing?.state === 'failed') return firingFailStrip(firing, state, zoneName);
  const broken = sessions.find(s => s.state === 'failed') ?? sessions.find(s => s.state === 'interrupted');
  if (broken) return failStrip(broken, state);
  for (const session of sessions) {
    const turn = session.state === 'parked' ? parkedTurn(session, state) : undefined;
    if (turn) return parkedStrip(session, turn, state, now);
  }
  const budget = exhausted(worktree, sessions, state);
  if (budget) return budgetStrip(budget, state);
  const [known] = worktree.ways;
  if (known) {
    const same = worktree.ways.filter(way => way.why === known.why);
    return {
      kind: 'rest',
      title: texts.worktree.toKnow[known.kind] ?? texts.worktree.stuck,
      command: '',
      text: known.why,
      actions: waysOf(worktree, state, same),
      when: '',
    };
  }
  if (sessions.length === 0 && worktree.state === 'ready' && !firing) {
    return { kind: 'info', title: 'Prompt an agent', command: '', text: '', actions: [], when: '' };
  }
  return null;
};

/** A button for each way on that a worktree offers. */
export const waysOf = (worktree: Worktree, state: BoardState, ways: readonly Way[] = worktree.ways): Action[] =>
  state.me?.role === 'viewer'
    ? []
    : ways.map((way, position) => ({ act: 'mend', id: worktree.id, option: way.kind, text: way.label, kind: position === 0 ? 'plain' : 'ghost' }));

const askStrip = (asking: Session, state: BoardState, now: number): Strip => {
  const permission = permissionOf(asking, state);
  // What goes further than this once says so first, and there is no room for it here: it is in the panel.
  const once = permission?.options.find(o => o.kind === 'allow_once');
  const actions: Action[] = [];
  // Files are read before they are trusted: in the panel.
  const files = permission?.files ?? null;
  if (permission && once && !files && state.me?.role === 'owner')
    actions.push({ act: 'answer', id: permission.id, option: once.id, text: 'Allow once', kind: 'need' });
  actions.push({ act: 'session', id: asking.id, text: 'Review', kind: (files || !once) && state.me?.role === 'owner' ? 'need' : 'ghost' });
  return {
    kind: 'ask',
    title: `${question(permission?.toolKind ?? '')}${permission?.askedBy == null ? '' : `, ${texts.permission.askedBy(permission.askedBy)}`}`,
    command: files?.map(({ path }) => path).join(', ') ?? permission?.command ?? permission?.title ?? '',
    text: '',
    actions,
    when: permission ? age(permission.askedAt, now) : '',
  };
};

/** A zone that asks before it runs, or before it lets the card move on. */
const firingAskStrip = (firing: Firing, state: BoardState, now: number, zoneName: (id: string) => string): Strip => {
  const isStart = firing.state === 'asking';
  const mayAct = state.me?.role !== 'viewer';
  const next = nameOf(firing.policy.next, zoneName);
  const start: Action[] = [
    { act: 'ask', id: firing.id, text: texts.zone.start, kind: 'need' },
    { act: 'decide', id: firing.id, option: 'withdraw', text: texts.zone.takeBack, kind: 'ghost' },
  ];
  const approval: Action[] = [
    { act: 'decide', id: firing.id, option: 'approve', text: texts.zone.moveOn(next), kind: 'need' },
    { act: 'decide', id: firing.id, option: 'reject', text: texts.zone.reject, kind: 'ghost' },
  ];
  return {
    kind: 'ask',
    title: firingWords(firing, zoneName),
    command: '',
    text: isStart ? (firing.prompt?.trim().split('\n', 1)[0] ?? '') : texts.zone.allPassed(firing.zone),
    actions: mayAct ? (isStart ? start : approval) : [],
    when: age(firing.stateSince, now),
  };
};

const firingFailStrip = (firing: Firing, state: BoardState, zoneName: (id: string) => string): Strip => {
  const session = firing.runs.findLast(({ outcome }) => outcome === 'failed')?.sessionId ?? null;
  const actions: Action[] = [];
  if (state.me?.role !== 'viewer') actions.push({ act: 'decide', id: firing.id, option: 'retry', text: texts.zone.again, kind: 'plain' });
  if (session !== null && state.sessions.has(session)) actions.push({ act: 'session', id: session, text: texts.zone.output, kind: 'ghost' });
  if (state.me?.role !== 'viewer') actions.push({ act: 'decide', id: firing.id, option: 'withdraw', text: texts.zone.takeBack, kind: 'ghost' });
  return { kind: 'fail', title: firingWords(firing, zoneName), command: '', text: firing.reason ?? '', actions, when: '' };
};

const failStrip = (broken: Session, state: BoardState): Strip => {
  const isFailed = broken.state === 'failed';
  const turn = lastTurn(broken, isFailed ? 'failed' : 'interrupted', state);
  const label = labelOf(broken, state);
  const needsSignIn = turn?.errorCode === 'auth_required';
  const isOverBudget = turn?.errorCode === 'budget_exhausted';
  const actions: Action[] = [];
  if (turn && state.me?.role !== 'viewer') {
    if (isOverBudget && state.me?.role === 'owner') actions.push({ act: 'budget', id: broken.id, text: texts.budget.raise, kind: 'plain' });
    if (needsSignIn) actions.push({ act: 'sign-in', id: broken.agent, text: texts.agents.signIn, kind: 'plain' });
    else actions.push({ act: 'resume', id: turn.id, text: 'Resume', kind: isOverBudget ? 'ghost' : 'plain' });
    if (!isOverBudget && turn.origin === 'prompt') actions.push({ act: 'retry', id: turn.id, text: 'Retry', kind: 'ghost' });
    if (!isFailed) actions.push({ act: 'discard', id: turn.id, text: 'Discard', kind: 'ghost' });
  }
  actions.push({ act: 'session', id: broken.id, text: 'Open', kind: 'ghost' });
  const inTurn = turn ? ` in turn ${turn.number}` : '';
  return {
    kind: 'fail',
    title: needsSignIn
      ? texts.outcome.signedOut(label)
      : isOverBudget
        ? texts.outcome.overBudget
        : isFailed
          ? `${label} failed${inTurn}`
          : `Interrupted${inTurn}`,
    command: '',
    text: turn?.error ?? (isFailed ? '' : 'The server stopped. Files and transcript are safe.'),
    actions,
    when: '',
  };
};

const parkedStrip = (session: Session, turn: Turn, state: BoardState, now: number): Strip => {
  const said = parked(turn, state, now);
  const isBudget = turn.errorCode === 'budget';
  const actions: Action[] = [];
  if (isBudget && state.me?.role === 'owner') actions.push({ act: 'budget', id: session.id, text: texts.budget.raise, kind: 'need' });
  if (state.me?.role !== 'viewer') {
    if (!isBudget) actions.push({ act: 'retry', id: turn.id, text: said.needsPerson ? texts.outcome.retry : texts.parked.retryNow, kind: 'plain' });
    actions.push({ act: 'cancel', id: turn.id, text: texts.cancel, kind: 'ghost' });
    if (!isBudget) actions.push({ act: 'fork', id: session.id, text: texts.fork.to, kind: 'ghost' });
  } else actions.push({ act: 'session', id: session.id, text: 'Open', kind: 'ghost' });
  return {
    kind: isBudget ? 'ask' : 'rest',
    title: said.title,
    command: '',
    text: `${said.kept} ${said.next}`,
    actions,
    when: '',
    isTicking: turn.retryAt !== null,
  };
};

/** A budget of the card's own. Those of a board and of a person are said where a turn waits for them. */
const exhausted = (worktree: Worktree, sessions: readonly Session[], state: BoardState): Budget | undefined => {
  for (const budget of state.budgets.values()) {
    if (budget.state !== 'exhausted') continue;
    if (budget.scope === 'worktree' && budget.subject === worktree.id) return budget;
    if (budget.scope === 'session' && sessions.some(session => session.id === budget.subject)) return budget;
  }
  return undefined;
};

const budgetStrip = (budget: Budget, state: BoardState): Strip => ({
  kind: 'ask',
  title: texts.budget.usedUp(money(budget.hardUsd ?? budget.spentUsd)),
  command: '',
  text: texts.budget.stopped,
  actions: state.me?.role === 'owner' ? [{ act: 'budget', id: budget.subject, text: texts.budget.raise, kind: 'need' }] : [],
  when: '',
});
