// What is said of a turn that waits, and of one that did not end well.
import { times } from './counts';

export const outcome = {
  kept: (what: string) => `Your changes are kept: ${what}.`,
  retry: 'Retry',
  signedOut: (agent: string) => `${agent} is not signed in`,
  overBudget: 'The budget is used up',
} as const;

export const outcomeMore = {
  interrupted: 'The server stopped during this turn',
  failed: 'The turn failed',
  safe: 'Commits and files in the worktree are safe.',
  nothing: 'The worktree is unchanged.',
  resume: 'Resume',
  discard: 'Discard',
  refused: 'The model refused the request',
  ended: (agent: string) => `${agent} ended in mid-turn`,
  log: 'Log',
} as const;

export const parked = {
  titles: {
    rate_limited: 'Rate limited by the model',
    overloaded: 'The model is overloaded',
    quota: 'The model’s quota is used up',
    unreachable: 'The model cannot be reached',
    budget: 'The budget is used up',
  },
  other: 'The turn is waiting',
  nothing: 'Nothing is lost.',
  triesIn: (time: string) => `Retrying in ${time}`,
  triesNow: 'Retrying now',
  byHand: 'Continues when you say so',
  afterBudget: 'Continues when the budget is raised',
  tried: (n: number) => `Tried ${times(n)}`,
  retryNow: 'Retry now',
  retrying: 'Retrying',
} as const;
