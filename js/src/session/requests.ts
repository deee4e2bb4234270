// What panels ask of the server that changes nothing in this view: lists that are open in a dialog, and what is done with one of their lines.
// It loads with the panels that use it. What a card or a key can do too is in `commands.ts`.
import type {
  Attachment,
  AttachmentContent,
  Budget,
  Check,
  Conversation,
  Preference,
  ProjectFile,
  Rule,
  SearchPage,
  Session,
  Token,
  TokenMade,
  Trust,
  Variable,
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
const path = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/');

export const variables = {
  list: ({ http }: Client) => http.get<Variable[]>('variables'),
  set: ({ http }: Client, name: string, value: string) => http.patch(path('variables', name), { value }),
  remove: ({ http }: Client, name: string) => http.delete(path('variables', name)),
};

/** On this board. */
export const search = {
  find: (client: Client, q: string, limit: number) => client.http.get<SearchPage>('search', { query: { q, board: client.path, limit } }),
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
    const address = (pageConfig()?.baseUrl ?? location.origin).replace(/\/$/, '');
    return http.post<TokenMade>('tokens', { name, board, days, address });
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
