// Which repo a form starts with. Pure.
import type { Repo } from '../protocol/generated.js';
import { byAge } from './order.js';
import type { BoardState } from './types.js';

/** That of the board's newest worktree, else the oldest one that is ready; on a server that has no ready one, whichever is there. */
export function startingRepo({ repos, worktrees }: Pick<BoardState, 'repos' | 'worktrees'>): Repo | undefined {
  const usable = [...repos.values()].filter(({ state }) => state !== 'failed').sort(byAge);
  const newest = [...worktrees.values()].sort(byAge).at(-1);
  return usable.find(({ id }) => id === newest?.repoId) ?? usable.find(({ state }) => state === 'ready') ?? usable[0];
}
