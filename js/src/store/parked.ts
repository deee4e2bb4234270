// A turn that waits for its model, or for money: what happened and what comes next, in the same words on a card and in the panel.
import type { Budget, Session, Turn } from '../protocol/generated';
import { texts } from '../texts';
import { left } from '../texts/ages';
import { files as filesOf } from '../texts/counts';
import { money } from '../texts/money';
import type { BoardState } from './types';

export interface Parked {
  readonly title: string;
  /** What is safe. */
  readonly kept: string;
  /** What comes next: “Tries again in 0:42”. */
  readonly next: string;
  /** A person has to do something before it goes on. */
  readonly needsPerson: boolean;
}

const isKnown = (code: string): code is keyof typeof texts.parked.titles => Object.hasOwn(texts.parked.titles, code);

export const parked = (turn: Turn, state: BoardState, now: number): Parked => {
  const code = turn.errorCode ?? '';
  const files = state.worktrees.get(turn.worktreeId)?.status?.files ?? turn.files;
  const budget = code === 'budget' ? usedUp(turn, state) : undefined;
  const slot = state.sessions.get(turn.sessionId)?.waitsFor;
  return {
    title: budget?.hardUsd ? texts.budget.usedUp(money(budget.hardUsd)) : isKnown(code) ? texts.parked.titles[code] : texts.parked.other,
    kept: files > 0 ? texts.outcome.kept(filesOf(files)) : texts.parked.nothing,
    next: slot
      ? texts.panel.waitsFor(slot)
      : code === 'budget'
        ? texts.parked.afterBudget
        : turn.retryAt === null
          ? texts.parked.byHand
          : nextTry(turn.retryAt, now),
    needsPerson: turn.retryAt === null && !slot,
  };
};

const nextTry = (at: string, now: number): string => (Date.parse(at) > now ? texts.parked.triesIn(left(at, now)) : texts.parked.triesNow);

/** The narrowest budget that has nothing left for this turn. */
export const usedUp = (of: Pick<Turn, 'sessionId' | 'worktreeId' | 'createdBy'>, state: BoardState): Budget | undefined => {
  const subjects: Readonly<Record<Budget['scope'], string | null | undefined>> = {
    session: of.sessionId,
    tree: state.sessions.get(of.sessionId)?.rootId ?? of.sessionId,
    worktree: of.worktreeId,
    board: state.worktrees.get(of.worktreeId)?.board,
    user: of.createdBy.username,
  };
  for (const scope of ['session', 'tree', 'worktree', 'board', 'user'] as const)
    for (const budget of state.budgets.values())
      if (budget.scope === scope && budget.subject === subjects[scope] && budget.state === 'exhausted') return budget;
  return undefined;
};

export const parkedTurn = (session: Session, state: BoardState): Turn | undefined => {
  const current = session.currentTurnId === null ? undefined : state.turns.get(session.currentTurnId);
  if (current?.state === 'parked') return current;
  for (const turn of state.turns.values()) if (turn.sessionId === session.id && turn.state === 'parked') return turn;
  return undefined;
};
