// What is told outside of a board: questions, failures, finished slots and budgets, each of this board alone.
import { expect, it } from 'vitest';
import { kinds, World } from '../../dev/made-up';
import type { Budget, Event, Slot } from '../protocol/generated';
import { applyAll, applyBudgets } from './apply';
import { needsOf } from './needs';
import type { BoardState } from './types';

const world = new World();
const worktree = kinds.idle?.(world) ?? '';
const start = world.state();
const board = start.worktrees.get(worktree)?.board ?? '';
const budget = (scope: Budget['scope'], subject: string, state: Budget['state']): Budget =>
  ({ id: `bu_${scope}_${subject}`, scope, subject, state, hardUsd: 5, softUsd: 2, spentUsd: 5 }) as Budget;
const told = (state: BoardState) => needsOf(board, state).map(({ kind, text }) => `${kind}: ${text}`);

it('tells of slots that end while somebody looks on, on this board, and once for each outcome', () => {
  const slot = (id: string, state: Slot['state'], on: string, n: number) =>
    ({ n, body: { kind: 'slot', slot: { id, state, board: on, number: 7, schedule: 'nightly' } } }) as unknown as Event;
  const events = [
    slot('sl_1', 'running', board, 1),
    slot('sl_1', 'failed', board, 2),
    slot('sl_2', 'passed', 'other.agor', 3),
    slot('sl_1', 'failed', board, 4),
  ];

  const after = applyAll({ ...start, n: 0 }, events);

  expect(told(after).filter(text => text.startsWith('slot'))).toEqual(['slot: Slot 7 of nightly failed']);
});

it('keeps the last twenty of them', () => {
  const events = Array.from(
    { length: 30 },
    (_, i) => ({ n: i + 1, body: { kind: 'slot', slot: { id: `sl_${i}`, state: 'passed', board, number: i, schedule: 's' } } }) as unknown as Event,
  );

  expect([...applyAll({ ...start, n: 0 }, events).ended.keys()]).toEqual(Array.from({ length: 20 }, (_, i) => `sl_${i + 10}`));
});

it('tells of budgets of this board, its worktrees and the person, and of no others', () => {
  const me = start.me?.person.username ?? '';
  const state = applyBudgets(start, [
    budget('worktree', worktree, 'warned'),
    budget('worktree', 'wt_elsewhere', 'exhausted'),
    budget('board', board, 'exhausted'),
    budget('board', 'other.agor', 'exhausted'),
    budget('user', me, 'warned'),
    budget('user', 'somebody-else', 'exhausted'),
    budget('session', 'se_unknown', 'ok'),
  ]);

  const name = start.worktrees.get(worktree)?.name ?? '';
  expect(told(state).filter(text => text.startsWith('budget'))).toEqual([
    `budget: The budget of ${name} is near its limit`,
    'budget: The budget of the board is used up',
    'budget: Your budget is near its limit',
  ]);
});
