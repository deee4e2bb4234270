// What is said where a person allows something: questions, rules, and the files that instruct agents.
import type { PermissionOption, PermissionState, ProjectFile, Rule } from '../protocol/generated';
import { files, times } from './counts';

export const permission = {
  askedBy: (subagent: string) => (subagent === 'subagent' ? 'for a subagent' : `for subagent ${subagent}`),
  spoken: (question: string, card: string, what: string, n: number) =>
    `${question}${card ? ` in ${card}` : ''}: ${what}.${n === 0 ? '' : n === 1 ? ' 1 needs you.' : ` ${n} need you.`}`,
} as const;

export const permissionMore = {
  options: {
    allow_once: 'Allow once',
    allow_always: 'Always allow',
    reject_once: 'Reject',
    reject_always: 'Always reject',
  } satisfies Record<PermissionOption['kind'], string>,
  always: 'Always in this session',
  everyCommand: 'Every command in this session',
  own: (agent: string, reach: string, file: string | null) =>
    `This answer is ${agent || 'the agent'}’s own: it applies ${reach}${file ? ` (${file})` : ''}, to whatever the agent considers similar, and cannot be undone here.`,
  reaches: {
    once: 'this once',
    session: 'in this session',
    worktree: 'to everyone in this worktree',
    repository: 'to everyone in this repository',
    home: 'to everything you run on this machine',
    unknown: 'as far as the agent says',
  } satisfies Record<NonNullable<PermissionOption['reach']>, string>,
  alsoAllows: (what: string, where: string) => `and ${what} ${where}`,
  ownWords: (name: string) => `with the agent’s own “${name}”`,
  notAllowed: 'It waits for an owner of this server to answer.',
  allowed: 'allowed',
  rejected: 'rejected',
  once: 'once',
  allowedByRule: 'Allowed by a rule of',
  allowedByARule: 'Allowed by a rule',
  remember: 'Allow and remember',
  rememberMore: 'More ways to remember',
  forWhat: 'Allow without asking',
  howLong: 'For',
  startsWith: 'Commands that start with',
  matches: (what: string, where: string) => `Allows ${what} ${where}.`,
  commands: (prefix: string) => `every command that starts with “${prefix}”`,
  kinds: {
    edit: 'every change to a file in the worktree',
    delete: 'every deletion of a file in the worktree',
    move: 'every move of a file in the worktree',
    read: 'every read of a file in the worktree',
    search: 'every search in the worktree',
    think: 'every thought',
    fetch: 'every fetch from the network',
    execute: 'every command',
    any: 'everything its agent asks',
  } as Readonly<Record<string, string>>,
  kind: (kind: string) => `every use of a “${kind}” tool`,
  neverJoined: 'Never with joins, pipes or redirections.',
  notThis: 'The command in question does not start like this.',
  joined: 'This is not a single simple command, so only a rule for every command can allow it.',
  scopes: {
    session: 'in this session',
    worktree: 'in this worktree',
    zone: 'in its zone',
    repository: 'in this repository',
  } satisfies Record<Rule['scope'], string>,
  times: [
    [null, 'Until it is revoked'],
    [3600, '1 hour'],
    [28_800, '8 hours'],
    [604_800, '7 days'],
  ] as const,
  ended: {
    open: '',
    allowed: 'Allowed',
    rejected: 'Rejected',
    withdrawn: 'No longer asked:',
    expired: 'Nobody answered:',
  } satisfies Record<PermissionState, string>,
} as const;

export const rules = {
  title: (what: string) => `Rules of ${what}`,
  intro: 'What agents may do here without asking. You make a rule when you answer a question.',
  empty: 'No rules. A person answers every question.',
  revoke: 'Revoke',
  revokeOf: (what: string) => `Revoke: ${what}`,
  revoked: 'The rule is revoked. Agents ask again from now on.',
  by: (name: string, ago: string) => `by ${name}, ${ago}`,
  until: (time: string) => `until ${time}`,
  uses: (n: number) => (n === 0 ? 'not used yet' : `used ${times(n)}`),
  onlyAgent: (agent: string) => `${agent} only`,
  scopes: { session: 'In this session', worktree: 'In this worktree', zone: 'In its zone', repository: 'In this repository' } satisfies Record<
    Rule['scope'],
    string
  >,
} as const;

export const trust = {
  title: 'Agent instruction files',
  intro:
    'Agents load these files by themselves. They say what an agent runs and what it may do without asking. Your answer covers this content, in all worktrees of the repository.',
  empty: 'No agent would load any file in this worktree.',
  looking: 'Looking for files',
  asks: (agent: string, n: number) => `${agent || 'The agent'} would load ${n === 1 ? 'this file' : `these ${n} files`}, which nobody trusts`,
  list: 'Files it would load',
  meaning: (n: number) =>
    `${n === 1 ? 'It says' : 'They say'} what the agent runs and what it may do without asking. If the content changes, you are asked again.`,
  trustThese: (n: number) => (n === 1 ? 'Trust this file' : 'Trust these files'),
  trusted: 'trusted',
  notTrusted: 'did not trust',
  ended: { withdrawn: 'No longer asked about', expired: 'Nobody answered about' } as Readonly<Record<string, string>>,
  many: (n: number) => `${files(n)}:`,
  reading: 'Reading',
  notText: 'It is not text.',
  nothing: 'It is empty.',
  gone: 'It is no longer there.',
  cut: 'Only the beginning is shown. Read the rest in the worktree.',
  newer: 'It has changed since this was asked. Your answer covers the old content; you will be asked again about this one.',
  trust: 'Trust',
  trustOf: (path: string) => `Trust ${path}`,
  refuse: 'Do not trust',
  refuseOf: (path: string) => `Do not trust ${path}`,
  decisionOf: (path: string) => `Trust in ${path}`,
  trustAll: (n: number) => `Trust all ${n} undecided`,
  states: { trusted: '', refused: '', changed: 'changed', new: 'undecided' } satisfies Record<ProjectFile['state'], string>,
  decided: (isTrusted: boolean, name: string, ago: string) => `${isTrusted ? 'trusted' : 'not trusted'} by ${name}, ${ago}`,
  for: (agents: string) => `for ${agents}`,
  byConfiguration: 'this server is configured to trust all such files',
  done: (path: string, isTrusted: boolean) => `${path} is ${isTrusted ? '' : 'not '}trusted.`,
  allDone: (n: number) => `${files(n)} are trusted.`,
} as const;
