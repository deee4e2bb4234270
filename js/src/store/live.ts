// Which sessions of a worktree have work under way or waiting: with these it is neither archived nor removed. Pure.
import type { Session } from '../protocol/generated';
import { sessionsOf } from './standing';
import type { BoardState } from './types';

const LIVE = {
  idle: false,
  queued: true,
  starting: true,
  running: true,
  needs_you: true,
  stopping: true,
  done: false,
  failed: false,
  cancelled: false,
  interrupted: false,
  parked: true,
} satisfies Record<Session['state'], boolean>;

export const liveOf = (worktreeId: string, state: BoardState): readonly Session[] =>
  sessionsOf(worktreeId, state).filter(session => LIVE[session.state] || session.queue.length > 0 || session.background.length > 0);
