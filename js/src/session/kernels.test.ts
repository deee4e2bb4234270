import { expect, test } from 'vitest';

import { folderOf } from './kernels.js';

test('a notebook lies in the worktree where the file browser shows it', () => {
  expect(folderOf({ path: '/users/mira/work/fix' }, '/users/mira/')).toBe('work/fix');
  expect(folderOf({ path: '/users/mira' }, '/users/mira')).toBe('');
  expect(folderOf({ path: '/fix' }, '/')).toBe('fix');
});

test('a folder that is hidden, or that only begins as the root does, is not shown', () => {
  expect(folderOf({ path: '/users/mira/.local/share/fix' }, '/users/mira')).toBeNull();
  expect(folderOf({ path: '/users/miranda/fix' }, '/users/mira')).toBeNull();
  expect(folderOf({ path: '/var/data/fix' }, '/users/mira')).toBeNull();
});
