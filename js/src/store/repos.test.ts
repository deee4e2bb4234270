import { expect, it } from 'vitest';

import type { Repo, Worktree } from '../protocol/generated.js';
import { startingRepo } from './repos.js';

const repo = (id: string, slug: string, state = 'ready') => [id, { id, slug, state, createdAt: '2026-01-01' } as Repo] as const;
const worktree = (id: string, repoId: string) => [id, { id, repoId, createdAt: '2026-01-01' } as Worktree] as const;
const start = (repos: (readonly [string, Repo])[], worktrees: (readonly [string, Worktree])[] = []) =>
  startingRepo({ repos: new Map(repos), worktrees: new Map(worktrees) })?.slug;

it.each([
  ['none is there', [], [], undefined],
  ['the oldest, whatever the others are called', [repo('re_2', 'a'), repo('re_1', 'z')], [], 'z'],
  ['that of the newest worktree', [repo('re_1', 'z'), repo('re_2', 'a')], [worktree('wt_2', 're_2'), worktree('wt_1', 're_1')], 'a'],
  ['not one whose clone failed', [repo('re_1', 'z', 'failed'), repo('re_2', 'a')], [worktree('wt_1', 're_1')], 'a'],
  ['one that is ready before one that is cloned', [repo('re_1', 'z', 'cloning'), repo('re_2', 'a')], [], 'a'],
  ['one that is cloned when there is no other', [repo('re_1', 'z', 'cloning')], [], 'z'],
])('starts with %s', (_, repos, worktrees, slug) => {
  expect(start(repos, worktrees)).toBe(slug);
});
