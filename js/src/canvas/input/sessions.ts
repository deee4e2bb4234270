// Which session is meant where a worktree is named.
import { sessionsOf } from '../../store/standing';
import type { BoardState } from '../../store/types';

/** The session that a card's keys and buttons mean: the one that needs a person, else the latest. */
export const mainSession = (worktreeId: string, state: BoardState): string | null => {
  const sessions = sessionsOf(worktreeId, state);
  const asking = sessions.find(s => s.state === 'needs_you') ?? sessions.find(s => s.state === 'interrupted' || s.state === 'failed');
  if (asking) return asking.id;
  return [...sessions].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))[0]?.id ?? null;
};
