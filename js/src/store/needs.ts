// What needs a person on a board, one by one, as it is told outside of the board. Pure.
import type { Budget } from '../protocol/generated';
import { questionOf } from '../texts/questions';
import { asksPerson } from './firings';
import { isOnBoard } from './standing';
import type { BoardState } from './types';
import { visible } from './visible';

export type NeedKind = 'question' | 'failure' | 'slot' | 'budget';

export interface Need {
  /** The same for as long as it is the same question, failure, slot or limit. */
  readonly id: string;
  readonly kind: NeedKind;
  readonly text: string;
}

const NEEDS_A_DECISION = 'A person has to decide';
const ENDS = { failed: 'failed', interrupted: 'was interrupted' } as const;

export const needsOf = (board: string, state: BoardState): Need[] => {
  const nameOf = (worktreeId: string): string => visible(state.worktrees.get(worktreeId)?.name ?? '');
  const agentOf = (sessionId: string): string => state.agents.get(state.sessions.get(sessionId)?.agent ?? '')?.agent.label ?? '';
  const needs: Need[] = [];
  for (const { id, worktreeId, sessionId, toolKind } of state.permissions.values())
    if (isOnBoard(worktreeId, board, state))
      needs.push({ id, kind: 'question', text: `${questionOf(agentOf(sessionId), toolKind)} in ${nameOf(worktreeId)}` });
  for (const firing of state.firings.values())
    if (asksPerson(firing) && isOnBoard(firing.worktreeId, board, state))
      needs.push({ id: `${firing.id}/${firing.state}`, kind: 'question', text: `${NEEDS_A_DECISION} in ${nameOf(firing.worktreeId)}` });
  for (const { id, worktreeId, archivedAt, state: standing, stateSince } of state.sessions.values())
    if ((standing === 'failed' || standing === 'interrupted') && archivedAt === null && isOnBoard(worktreeId, board, state))
      needs.push({
        id: `${id}/${standing}/${stateSince}`,
        kind: 'failure',
        text: `${agentOf(id) || 'An agent'} ${ENDS[standing]} in ${nameOf(worktreeId)}`,
      });
  for (const slot of state.ended.values())
    if (slot.board === board)
      needs.push({ id: `${slot.id}/${slot.state}`, kind: 'slot', text: `Slot ${slot.number} of ${visible(slot.schedule)} ${slot.state}` });
  for (const budget of state.budgets.values())
    if (budget.state !== 'ok' && concerns(budget, board, state))
      needs.push({
        id: `${budget.id}/${budget.state}/${budget.state === 'warned' ? budget.softUsd : budget.hardUsd}`,
        kind: 'budget',
        text: `${whose(budget, nameOf)} is ${budget.state === 'warned' ? 'near its limit' : 'used up'}`,
      });
  return needs;
};

/** A person's own is told on every board of theirs. */
const concerns = ({ scope, subject }: Budget, board: string, state: BoardState): boolean => {
  if (scope === 'board') return subject === board;
  if (scope === 'user') return subject === state.me?.person.username;
  const worktreeId = scope === 'worktree' ? subject : state.sessions.get(subject)?.worktreeId;
  return worktreeId !== undefined && isOnBoard(worktreeId, board, state);
};

const whose = ({ scope, subject }: Budget, nameOf: (worktreeId: string) => string): string =>
  ({
    session: 'The budget of a session',
    tree: 'The budget of a tree of sessions',
    worktree: `The budget of ${nameOf(subject)}`,
    board: 'The budget of the board',
    user: 'Your budget',
  })[scope];
