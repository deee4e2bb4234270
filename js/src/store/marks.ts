// How a state looks: one mark of the icon set for each state that a session, a turn or a worktree can be in. Its words are in `texts.states`.
import type { SessionState, TurnState, WorktreeState } from '../protocol/generated';

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

export type MarkState = SessionState | TurnState | WorktreeState;

export const MARKS = {
  idle: 'idle',
  queued: 'queued',
  starting: 'starting',
  stopping: 'starting',
  creating: 'starting',
  running: 'running',
  needs_you: 'needs',
  waiting: 'needs',
  failed: 'failed',
  interrupted: 'failed',
  parked: 'queued',
  done: 'done',
  ready: 'idle',
  cancelled: 'cancelled',
  archived: 'archived',
  missing: 'missing',
} as const satisfies Record<MarkState, Mark>;
