// What a card says of its worktree and its sessions, which other views say in the same words.
import type { SessionState, TurnState, WorkKind, WorktreeState } from '../protocol/generated';
import { files } from './counts';

export const states = {
  idle: 'Idle',
  queued: 'Queued',
  starting: 'Starting',
  running: 'Running',
  needs_you: 'Needs you',
  waiting: 'Needs you',
  stopping: 'Stopping',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
  parked: 'Parked',
  creating: 'Creating',
  ready: 'Ready',
  archived: 'Archived',
  missing: 'Folder is gone',
} as const satisfies Record<SessionState | TurnState | WorktreeState, string>;

export const standing = {
  you: 'you',
  absent: 'Not on this machine',
  archived: (ago: string) => `Archived ${ago}`.trim(),
  rejectedBy: (who: string) => `Rejected by ${who}`,
  cancelledBy: (who: string) => `Cancelled by ${who}`,
  moved: 'Folder was moved',
  setupFailed: 'Setup failed',
  worktrees: {
    creating: states.creating,
    failed: 'Could not be created',
    archived: states.archived,
    missing: states.missing,
  },
  worked: (time: string) => `worked ${time}`,
  waited: (time: string) => `waited ${time} for an answer`,
} as const;

export const commands = {
  answer: 'Your answer',
  resume: 'Resume',
  retry: 'Retry',
  discard: 'Discard',
  mend: 'Fixing the worktree',
  restore: 'Restore',
  archive: 'Archive',
  stop: 'Stop',
  cancel: 'Cancel',
  makeHere: 'Create it here',
} as const;

export const sandbox = {
  off: 'No sandbox',
  noReason: 'The agent can read and write what the server can',
} as const;

export const sandboxMore = {
  on: 'Sandboxed',
  onWhy: 'The agent sees only its worktree',
  devices: (names: readonly string[]) => `It may use ${names.map(name => (name === 'gpu' ? 'the GPU' : name)).join(', ')}`,
  gpu: '+ GPU',
} as const;

/** What a person would call work, in the few words that a card has room for. */
export const work = {
  changes: n => `${files(n)} changed`,
  untracked: n => `${files(n)} untracked`,
  hidden: n => `${files(n)} hidden from git`,
  commits: n => `${n} unpushed`,
  detached: n => (n === 1 ? '1 commit on no branch' : `${n} commits on no branch`),
  stash: n => (n === 1 ? '1 stash' : `${n} stashes`),
  operation: (_, name) => `${name} under way`,
  repository: n => (n === 1 ? '1 repository inside' : `${n} repositories inside`),
  linked_worktree: n => (n === 1 ? '1 worktree inside' : `${n} worktrees inside`),
  submodule: n => (n === 1 ? '1 submodule changed' : `${n} submodules changed`),
  ignored: n => (n === 1 ? '1 ignored file' : `${n} ignored files`),
  mount: n => (n === 1 ? '1 mounted folder' : `${n} mounted folders`),
  own: n => `${files(n)} of an agent’s own`,
  filtered: n => `${files(n)} with parts kept out of git`,
  sandbox: () => 'not finished in the sandbox',
  unknown: () => 'not everything could be checked',
} as const satisfies Record<WorkKind, (n: number, name: string) => string>;

/** “Merge under way in the sandbox: 2 files in conflict”. */
export const inside = (operation: string | null, conflicts: number): string =>
  operation
    ? `${operation.charAt(0).toUpperCase()}${operation.slice(1)} under way in the sandbox${conflicts ? `: ${files(conflicts)} in conflict` : ''}`
    : `${files(conflicts)} in conflict in the sandbox`;
