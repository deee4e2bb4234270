// What is said of money.
import type { Budget } from '../protocol/generated';

export const budget = {
  usedUp: (amount: string) => `Budget of ${amount} is used up`,
  stopped: 'No turn starts until it is raised. All work is kept.',
  raise: 'Raise the budget',
  of: (hard: string) => `of ${hard}`,
  boardUsedUp: (amount: string) => `The board’s budget of ${amount} is used up`,
  yoursUsedUp: (amount: string) => `Your budget of ${amount} is used up`,
  ofSession: 'Budget of this session',
} as const;

export const budgetDialog = {
  title: 'Budget',
  of: (what: string) => `Budget of ${what}`,
  intro: 'The cost of every turn counts, estimates included.',
  for: 'For',
  soft: 'Warn at, in $',
  hard: 'Stop at, in $',
  hardHint: 'Above this, no turn starts and running turns are cancelled. The work is kept.',
  softHint: 'Above this, you are warned.',
  spent: (spent: string, hard: string | null) => (hard ? `${spent} of ${hard} used` : `${spent} used so far`),
  save: 'Save',
  remove: 'Remove the budget',
  none: 'No budget',
  bad: 'Enter at least one amount above zero, with the warning below the stop.',
  saved: 'The budget is saved.',
  removed: 'The budget is removed.',
  states: { ok: 'within', warned: 'warned', exhausted: 'used up' } satisfies Record<Budget['state'], string>,
  scopes: {
    session: 'This session',
    tree: 'This session and all around it in its tree',
    worktree: 'This worktree',
    board: 'This board',
    user: 'Everything you prompt',
  } satisfies Record<Budget['scope'], string>,
  owner: 'Only an owner of this server can change it.',
} as const;
