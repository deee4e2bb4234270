import { describe, expect, test } from 'vitest';

import type { Permission, Session, Turn, Worktree } from '../protocol/generated';
import { initialState } from './apply';
import { countsOf, sessionWords, standingOf, waitedOf, workedOf } from './standing';
import type { BoardState } from './types';

const mira = { username: 'mira', name: 'Mira', initials: 'M', color: null };
const jonas = { username: 'jonas', name: 'Jonas', initials: 'J', color: null };
const worktree = (id: string, more: Partial<Worktree> = {}): Worktree =>
  ({ id, state: 'ready', board: 'team.agor', createdBy: mira, ways: [], isFilled: false, ...more }) as Worktree;
const session = (id: string, worktreeId: string, more: Partial<Session> = {}): Session =>
  ({ id, worktreeId, state: 'idle', archivedAt: null, endedBy: null, wasRejected: false, ...more }) as Session;

function stateOf(worktrees: Worktree[], sessions: Session[], permissions: Permission[] = []): BoardState {
  const sessionsOf = new Map<string, string[]>();
  for (const one of sessions) sessionsOf.set(one.worktreeId, [...(sessionsOf.get(one.worktreeId) ?? []), one.id]);
  return {
    ...initialState,
    me: { person: mira, role: 'owner' } as BoardState['me'],
    worktrees: new Map(worktrees.map(one => [one.id, one])),
    sessions: new Map(sessions.map(one => [one.id, one])),
    sessionsOf,
    permissions: new Map(permissions.map(one => [one.id, one])),
  };
}

describe('who ended it', () => {
  const table: readonly (readonly [Partial<Session>, string])[] = [
    [{ state: 'cancelled', endedBy: mira, wasRejected: true }, 'Rejected by you'],
    [{ state: 'cancelled', endedBy: jonas, wasRejected: true }, 'Rejected by Jonas'],
    [{ state: 'cancelled', endedBy: mira }, 'Cancelled by you'],
    [{ state: 'cancelled', endedBy: jonas }, 'Cancelled by Jonas'],
    [{ state: 'cancelled' }, 'Cancelled'],
    [{ state: 'failed' }, 'Failed'],
    [{ state: 'done', endedBy: null }, 'Done'],
  ];
  test.each(table)('%o is “%s”', (more, words) => {
    expect(sessionWords(session('s', 'w', more), stateOf([], []))).toBe(words);
  });
});

describe('where a worktree stands', () => {
  const table: readonly (readonly [Worktree['state'], Session['state'][], string, string])[] = [
    ['ready', [], 'idle', 'Idle'],
    ['ready', ['done', 'needs_you'], 'needs_you', 'Needs you'],
    ['ready', ['running', 'failed'], 'failed', 'Failed'],
    ['creating', [], 'creating', 'Creating'],
    ['missing', ['done'], 'missing', 'Folder is gone'],
    ['archived', ['failed'], 'archived', 'Archived'],
  ];
  test.each(table)('%s with sessions %o is %s, “%s”', (state, states, found, label) => {
    const tree = worktree('w', { state });

    expect(
      standingOf(
        tree,
        stateOf(
          [tree],
          states.map((one, i) => session(`s${i}`, 'w', { state: one })),
        ),
      ),
    ).toEqual({ state: found, label });
  });
});

test.each([
  ['setup_failed', 'Setup failed'],
  ['git_failed', 'Could not be created'],
])('one that failed with %s is “%s”, though its files are there', (failure, label) => {
  const tree = worktree('w', { state: 'failed', isFilled: true, failure });

  expect(standingOf(tree, stateOf([tree], []))).toEqual({ state: 'failed', label });
});

test('counts are of this board', () => {
  const trees = [worktree('here'), worktree('theirs', { createdBy: jonas }), ...[1, 2, 3].map(n => worktree(`other${n}`, { board: 'other.agor' }))];
  const sessions = [session('a', 'here', { state: 'running' }), session('b', 'other1', { state: 'running' })];
  const asked = [
    { id: 'p', worktreeId: 'theirs' },
    { id: 'q', worktreeId: 'other2' },
  ] as Permission[];

  expect(countsOf('team.agor', stateOf(trees, sessions, asked))).toEqual({ needs: 1, running: 1, mine: 1 });
});

describe('times are of work', () => {
  const NOW = Date.parse('2026-05-01T10:00:00Z');
  const turn = (state: Turn['state'], more: Partial<Turn> = {}): Turn =>
    ({ state, stateSince: '2026-05-01T09:59:00Z', seconds: 30, waitedSeconds: 120, ...more }) as Turn;
  const table: readonly (readonly [Turn['state'], number, number])[] = [
    ['running', 90, 120],
    ['waiting', 30, 180],
    ['parked', 30, 120],
    ['done', 30, 120],
  ];
  test.each(table)('a turn that is %s worked %i s and waited %i s', (state, worked, waited) => {
    expect([workedOf(turn(state), NOW), waitedOf(turn(state), NOW)]).toEqual([worked, waited]);
  });
});
