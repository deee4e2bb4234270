// What panels ask of the server that changes nothing in this view: lists that are open in a dialog, and what is done with one of their lines.
// It loads with the panels that use it. What a card or a key can do too is in `commands.ts`.
import type {
  Adoptable,
  Attachment,
  AttachmentContent,
  BoardEntry,
  Branch,
  Budget,
  Calendar,
  Check,
  Conversation,
  Destination,
  DestinationAdd,
  DestinationChange,
  DestinationTested,
  Firing,
  FiringStart,
  Kept,
  LogChunk,
  NextTimes,
  Patch,
  Preference,
  ProjectFile,
  Removal,
  Repo,
  Rule,
  Schedule,
  ScheduleChange,
  ScheduleCreate,
  ScheduleMade,
  SearchPage,
  Session,
  SessionTree,
  Slot,
  Taken,
  Taking,
  Token,
  TokenMade,
  Trust,
  Turn,
  Variable,
  When,
  Worktree,
  WorktreeAdopt,
  ZoneChange,
  ZoneDropped,
  ZonePolicy,
  ZonePreview,
} from '../protocol/generated.js';
import type { Http } from '../transport/http.js';
import { pageConfig } from '../transport/page.js';

export { ApiError, newKey } from '../transport/http.js';

/** The part of the client that a request needs. */
interface Client {
  readonly path: string;
  readonly http: Http;
}

const SLOW_MS = 60_000;
const LOG_WAIT_S = 20;
const path = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/');

/** Lists come as an array or in `items`. */
const listOf = <T>(answer: T[] | { items: T[] }): T[] => (Array.isArray(answer) ? answer : answer.items);

/** Of a path below this server, for programs elsewhere. */
export const addressOf = (below: string): string => `${(pageConfig()?.baseUrl ?? location.origin).replace(/\/$/, '')}/${below}`;

export const variables = {
  list: ({ http }: Client) => http.get<Variable[]>('variables'),
  set: ({ http }: Client, name: string, value: string) => http.patch(path('variables', name), { value }),
  remove: ({ http }: Client, name: string) => http.delete(path('variables', name)),
};

/** Places outside of JupyterLab; an address goes to the server once and never comes back. */
export const destinations = {
  list: ({ http }: Client) => http.get<Destination[]>('destinations'),
  add: ({ http }: Client, made: DestinationAdd, key: string) => http.post<Destination>('destinations', made, { key, timeoutMs: SLOW_MS }),
  change: ({ http }: Client, id: string, change: DestinationChange) => http.patch<Destination>(path('destinations', id), change),
  test: ({ http }: Client, id: string) => http.post<DestinationTested>(path('destinations', id, 'test'), {}, { timeoutMs: SLOW_MS }),
  remove: ({ http }: Client, id: string) => http.delete(path('destinations', id)),
};

/** On this board. */
export const search = {
  find: (client: Client, q: string, limit: number) => client.http.get<SearchPage>('search', { query: { q, board: client.path, limit } }),
};

export const tree = {
  of: ({ http }: Client, session: string) => http.get<SessionTree>(path('sessions', session, 'tree')),
};

export const worktrees = {
  remove: ({ http }: Client, id: string, force: boolean) => http.delete<Removal>(path('worktrees', id), { query: { force }, timeoutMs: 2 * SLOW_MS }),
  adoptable: ({ http }: Client, repo: string) => http.get<Adoptable[] | { items: Adoptable[] }>(path('repos', repo, 'adoptable')).then(listOf),
  adopt: (client: Client, request: Pick<WorktreeAdopt, 'repo' | 'path'> & Partial<WorktreeAdopt>, key: string) =>
    client.http.post<Worktree>('worktrees/adopt', { board: client.path, ...request }, { key, timeoutMs: SLOW_MS }),
  /** Forgets it and leaves its folder, branch and files. */
  release: ({ http }: Client, id: string) => http.post(path('worktrees', id, 'release')),
  diff: ({ http }: Client, id: string) => http.get<Patch>(path('worktrees', id, 'diff'), { timeoutMs: SLOW_MS }),
  /** What refs keep of its agents beside its branch. */
  kept: ({ http }: Client, id: string) => http.get<Kept[] | { items: Kept[] }>(path('worktrees', id, 'kept'), { timeoutMs: SLOW_MS }).then(listOf),
  /** What taking such a ref would do now. */
  wouldTake: ({ http }: Client, id: string, ref: string) => http.get<Taking>(path('worktrees', id, 'take'), { query: { ref }, timeoutMs: SLOW_MS }),
  take: ({ http }: Client, id: string, ref: string) => http.post<Taken>(path('worktrees', id, 'take'), { ref }, { timeoutMs: 2 * SLOW_MS }),
};

export const repos = {
  add: ({ http }: Client, request: { path?: string; url?: string; slug?: string }, key: string) =>
    http.post<Repo>('repos', request, { key, timeoutMs: SLOW_MS }),
  branches: ({ http }: Client, repo: string) => http.get<Branch[] | { items: Branch[] }>(path('repos', repo, 'branches')).then(listOf),
};

export const turns = {
  patch: ({ http }: Client, id: string) => http.get<Patch>(path('turns', id, 'patch'), { timeoutMs: SLOW_MS }),
  /** Oldest first. */
  of: ({ http }: Client, session: string) => http.get<Turn[] | { items: Turn[] }>(path('sessions', session, 'turns')).then(listOf),
};

export const budgets = {
  set: ({ http }: Client, budget: Pick<Budget, 'scope' | 'hardUsd'> & Partial<Pick<Budget, 'subject' | 'softUsd'>>) =>
    http.post<Budget>('budgets', budget),
  remove: ({ http }: Client, id: string) => http.delete(path('budgets', id)),
};

/** Those of a repository; with an empty id those of the server. */
export const checks = {
  of: ({ http }: Client, repoId: string) => http.get<Check[]>(repoId ? path('repos', repoId, 'check') : 'checks', { timeoutMs: SLOW_MS }),
};

export const agents = {
  check: ({ http }: Client, name: string) => http.post(path('agents', name, 'check'), {}, { timeoutMs: 2 * SLOW_MS }),
  install: ({ http }: Client, name: string) => http.post(path('agents', name, 'install'), {}, { timeoutMs: 2 * SLOW_MS }),
};

export const preferences = {
  list: ({ http }: Client) => http.get<Preference[]>('preferences'),
  set: ({ http }: Client, agent: string, options: Preference['options']) => http.patch(path('preferences', agent), { options }),
};

export const tokens = {
  list: ({ http }: Client) => http.get<Token[]>('tokens'),
  make: ({ http, path: board }: Client, name: string, days: number | null) => {
    return http.post<TokenMade>('tokens', { name, board, days, address: addressOf('').replace(/\/$/, '') });
  },
  revoke: ({ http }: Client, id: string) => http.delete(path('tokens', id)),
};

export const rules = {
  list: ({ http }: Client, query: { readonly session: string } | { readonly worktree: string }) => http.get<Rule[]>('rules', { query }),
  remove: ({ http }: Client, id: string) => http.delete(path('rules', id)),
};

/** The files that would tell agents what to do, and whether they are trusted. */
export const projectFiles = {
  list: ({ http }: Client, worktreeId: string) => http.get<ProjectFile[]>(path('worktrees', worktreeId, 'project-files')),
  judge: ({ http }: Client, worktreeId: string, files: Readonly<Record<string, string | null>>, isTrusted: boolean) =>
    http.post<Trust[]>(path('worktrees', worktreeId, 'project-files'), { files, isTrusted }),
};

export const zones = {
  change: ({ http, path: board }: Client, zoneId: string, change: ZoneChange) =>
    http.patch<BoardEntry>(path('board', 'zones', zoneId), change, { query: { path: board } }),
  /** With `policy`, which nobody has saved yet, in place of the zone's own. */
  preview: ({ http }: Client, worktreeId: string, zoneId: string, policy: ZonePolicy | null) =>
    http.post<ZonePreview>(path('worktrees', worktreeId, 'zone', 'preview'), { zoneId, via: 'canvas', ...(policy ? { policy } : {}) }),
  drop: ({ http }: Client, worktreeId: string, zoneId: string) =>
    http.put<ZoneDropped>(path('worktrees', worktreeId, 'zone'), { zoneId, via: 'canvas' }),
};

export const firings = {
  /** Newest first; those before `after`. */
  list: ({ http, path: board }: Client, zoneId: string, limit: number, after?: string) =>
    http.get<Firing[]>('firings', { query: { board, zone: zoneId, limit, after } }),
  start: ({ http }: Client, id: string, start: FiringStart, key: string) => http.post<Firing>(path('firings', id, 'start'), start, { key }),
};

export const environments = {
  /** A part of a service's log, after `after` bytes; `null`: the end of what is there. Waits a while for more. */
  log: ({ http }: Client, worktreeId: string, service: string, after: number | null, signal: AbortSignal) =>
    http.get<LogChunk>(path('worktrees', worktreeId, 'environment', 'logs'), {
      query: { service, after, wait_s: after === null ? 0 : LOG_WAIT_S },
      timeoutMs: SLOW_MS,
      signal,
    }),
  /** All that is kept of it. */
  wholeLog: ({ http }: Client, worktreeId: string, service: string) =>
    http.get<{ text: string }>(path('worktrees', worktreeId, 'environment', 'logs', 'download'), { query: { service }, timeoutMs: SLOW_MS }),
};

export const schedules = {
  list: ({ http, path: board }: Client) => http.get<Schedule[]>('schedules', { query: { board } }),
  get: ({ http }: Client, id: string) => http.get<Schedule>(path('schedules', id)),
  make: ({ http, path: board }: Client, plan: Omit<ScheduleCreate, 'board'>, key: string) =>
    http.post<ScheduleMade>('schedules', { ...plan, board }, { key }),
  change: ({ http }: Client, id: string, change: ScheduleChange) => http.patch<ScheduleMade>(path('schedules', id), change),
  remove: ({ http }: Client, id: string) => http.delete<Schedule>(path('schedules', id)),
  renewSecret: ({ http }: Client, id: string) => http.post<ScheduleMade>(path('schedules', id, 'secret')),
  act: ({ http }: Client, id: string, what: 'run' | 'pause' | 'resume' | 'approve' | 'reject') => http.post(path('schedules', id, what)),
  /** When a plan would come next, in the clock of `zone`. */
  preview: ({ http }: Client, when: When, zone: string, count: number) => http.post<NextTimes>('schedules/preview', { when, zone, count }),
  next: ({ http }: Client, id: string, zone: string) => http.get<NextTimes>(path('schedules', id, 'next'), { query: { zone, count: 1 } }),
  /** Newest first; those before `after`. */
  slots: ({ http }: Client, id: string, limit: number, after?: string) =>
    http.get<Slot[]>(path('schedules', id, 'slots'), { query: { limit, after } }),
  calendar: ({ http, path: board }: Client, from: string, to: string) => http.get<Calendar>('slots', { query: { board, from, to } }),
  cancel: ({ http }: Client, slot: string) => http.post<Slot>(path('slots', slot, 'cancel')),
};

export const attachments = {
  add: ({ http }: Client, worktreeId: string, file: { readonly name: string; readonly data: string }, key: string) =>
    http.post<Attachment>(path('worktrees', worktreeId, 'attachments'), file, { key, timeoutMs: 2 * SLOW_MS }),
  content: ({ http }: Client, worktreeId: string, id: string) => http.get<AttachmentContent>(path('worktrees', worktreeId, 'attachments', id)),
};

/** Conversations that agents had in a worktree outside of a board. */
export const conversations = {
  list: ({ http }: Client, worktreeId: string) => http.get<Conversation[]>(path('worktrees', worktreeId, 'history'), { timeoutMs: SLOW_MS }),
  open: ({ http }: Client, worktreeId: string, agent: string, agentSessionId: string, key: string) =>
    http.post<Session>(path('worktrees', worktreeId, 'import'), { agent, agentSessionId }, { key, timeoutMs: SLOW_MS }),
};
