// Every text of the bar, the panels and the dialogs, by subject. Sentence case, verbs on buttons, errors in three parts.
import { bar, inbox, inboxMore, menu, menuMore, search } from './board';
import { budget, budgetDialog } from './budget';
import { commands, inside, sandbox, sandboxMore, standing, states, work } from './card';
import { permission, permissionMore, rules, trust } from './consent';
import { environment, environmentMore } from './environment';
import { connection, host, opening } from './host';
import { kernels } from './kernels';
import { keys, keysDialog } from './keys';
import { schedules } from './schedules';
import { attach, choice, fork, forkDialog, options, panel, panelMore, session } from './session';
import { agents, agentsDialog, checks, destinations, history, tokens, variables } from './settings';
import { transcript, transcriptMore } from './transcript';
import { outcome, outcomeMore, parked } from './turn';
import { kept, repo, worktree, worktreeMore } from './worktree';
import { zone, zoneMore } from './zones';

/** The words of the canvas, and of what opens beside it. They count against its size: what only a dialog says is below. */
export const texts = {
  close: 'Close',
  cancel: 'Cancel',
  undo: 'Undo',

  host,
  opening,
  connection,
  bar,
  inbox,
  menu,
  keys,
  states,
  standing,
  commands,
  sandbox,
  work,
  inside,
  panel,
  fork,
  transcript,
  outcome,
  parked,
  permission,
  budget,
  worktree,
  environment,
  zone,
  agents,
} as const;

/** The words of panels and dialogs, which are loaded after the canvas. */
export const dialogTexts = {
  zone: zoneMore,
  environment: environmentMore,
  kernels,
  schedules,
  sandbox: sandboxMore,
  menu: menuMore,
  inbox: inboxMore,
  outcome: outcomeMore,
  worktree: worktreeMore,
  transcript: transcriptMore,
  panel: panelMore,
  permission: permissionMore,
  search,
  keys: keysDialog,
  session,
  fork: forkDialog,
  choice,
  options,
  attach,
  rules,
  trust,
  budget: budgetDialog,
  repo,
  kept,
  agents: agentsDialog,
  variables,
  destinations,
  tokens,
  checks,
  history,
} as const;
