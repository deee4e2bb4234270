// What a person can do from this view. Each command is one request; an id makes it safe to send again.
import type {
  Environment,
  Remember,
  Session,
  SessionChange,
  SessionCreate,
  SessionFork,
  Turn,
  Work,
  Worktree,
  WorktreeChange,
  WorktreeCreate,
  ZoneDropped,
  ZonePreview,
} from '../protocol/generated.js';
import { pageOf } from '../store/environments.js';
import { liveOf } from '../store/live.js';
import { asZone, cardOf, zoneNameOf } from '../store/objects.js';
import { parkedTurn } from '../store/parked.js';
import type { Commands, Place } from '../store/types.js';
import { texts } from '../texts';
import { ApiError, newKey } from '../transport/http.js';
import type { BoardClient } from './client.js';
import type { ViewStore } from './view.js';

export interface PanelCommands extends Commands {
  openInbox(isOpen: boolean): void;
  closeDialog(): void;
  closePanel(): void;

  /** With `remember` a yes makes a rule. */
  answer(permissionId: string, optionId: string, remember?: Remember): Promise<void>;
  /** The same `key` is the same prompt: sending it again cannot prompt twice. */
  prompt(sessionId: string, text: string, attachments: readonly string[], key: string): Promise<Turn>;
  cancelSession(sessionId: string): Promise<void>;
  changeSession(sessionId: string, change: Partial<SessionChange>): Promise<void>;
  fork(sessionId: string, request: SessionFork, key: string): Promise<Session>;
  createSession(request: Partial<SessionCreate> & Pick<SessionCreate, 'worktreeId' | 'agent'>, key: string): Promise<Session>;
  createWorktree(request: Partial<WorktreeCreate> & Pick<WorktreeCreate, 'repo' | 'name'>, key: string): Promise<Worktree>;
  changeWorktree(worktreeId: string, change: Partial<WorktreeChange>): Promise<void>;
  /** Archives without a question. */
  archiveNow(worktreeId: string): Promise<void>;
  /** Ends what a session does and takes back what waits in it. */
  endWork(sessionId: string): Promise<void>;
  worktreeLosses(worktreeId: string): Promise<Work[]>;
  makeBoard(): Promise<void>;
}

/** Lists come as an array or in `items`. */
const listOf = <T>(answer: T[] | { items: T[] }): T[] => (Array.isArray(answer) ? answer : answer.items);

/** What the program around the board can do for it. */
export interface HostSkills {
  /** Shows a page of this server beside the board. `null`: the host has no tabs. */
  readonly openPage: ((page: Page) => void) | null;
}
export interface Page {
  readonly url: string;
  readonly title: string;
}

export function createCommands(client: BoardClient, view: ViewStore, { openPage }: HostSkills = { openPage: null }): PanelCommands {
  const { http } = client;

  /** A command that did not reach the server is offered again, with the same id. */
  const send = async <T>(method: 'post' | 'put', label: string, path: string, body: unknown = {}, key = newKey()): Promise<T> => {
    try {
      return await http[method]<T>(path, body, { key });
    } catch (error) {
      if (error instanceof ApiError && error.isUnsent) {
        const again = () => void send<T>(method, label, path, body, key).catch(failure => complain(failure));
        view.toast({ text: texts.connection.notSent(label), isBad: true, again });
      }
      throw error;
    }
  };
  const post = <T>(label: string, path: string, body: unknown = {}): Promise<T> => send<T>('post', label, path, body);
  const complain = (error: unknown) => {
    if (!(error instanceof ApiError && error.isUnsent)) view.toast({ text: error instanceof Error ? error.message : String(error), isBad: true });
  };
  const quiet = async (promise: Promise<unknown>): Promise<void> => void (await promise);

  const nameOf = (worktreeId: string): string => client.getState().shared.worktrees.get(worktreeId)?.name ?? '';
  const placedCard = (worktreeId: string) => cardOf(client.getState().board?.getView().objects, worktreeId);
  /** The card that the server makes comes a moment later than its answer. */
  const move = async (worktreeId: string, { x, y }: Place): Promise<void> => {
    for (let tries = 0; tries < 50; tries += 1) {
      const placed = placedCard(worktreeId);
      if (placed) {
        client.getState().board?.change({ [placed[0]]: { x, y } });
        return;
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  };

  const makeHere = async (objectId: string): Promise<void> => {
    await post<Worktree>(texts.commands.makeHere, `board/cards/${encodeURIComponent(objectId)}/worktree?path=${encodeURIComponent(client.path)}`);
  };

  const losses = async (id: string): Promise<Work[]> =>
    listOf(await http.get<Work[] | { items: Work[] }>(`worktrees/${id}/losses`, { timeoutMs: 60_000 }));

  /** Whether a person should read something before it is archived. What cannot be looked at is something. */
  const hasToSay = async (id: string): Promise<boolean> => {
    const { shared } = client.getState();
    const worktree = shared.worktrees.get(id);
    if (!worktree || worktree.state === 'creating' || worktree.state === 'archived') return false;
    if (worktree.state !== 'ready' || liveOf(id, shared).length > 0 || worktree.ways.some(way => way.kind === 'unlock')) return true;
    return losses(id).then(
      works => works.some(one => one.kind !== 'own'),
      () => true,
    );
  };
  const archiveNow = async (id: string): Promise<void> => {
    if (client.getState().shared.worktrees.get(id)?.state === 'archived') return;
    await post(texts.commands.archive, `worktrees/${id}/archive`);
    view.toast({
      text: texts.worktree.archivedNow(nameOf(id)),
      undo: () => void post(texts.commands.restore, `worktrees/${id}/restore`).catch(complain),
    });
  };

  return {
    setTool: tool => view.set({ tool }),
    select: ids => view.set({ selection: new Set(ids) }),
    openSession: (openSessionId, options) => {
      const { promptFocus } = view.getState();
      view.set({ openSessionId, openDiffId: null, isInboxOpen: false, promptFocus: options?.focusPrompt ? promptFocus + 1 : 0 });
    },
    openDiff: openDiffId => view.set({ openDiffId, isInboxOpen: false }),
    openDialog: (name, options) => view.set({ dialog: { name, ...options }, isInboxOpen: false }),
    closeDialog: () => view.set({ dialog: null }),
    closePanel: () => view.set({ openSessionId: null, openDiffId: null }),
    openInbox: isInboxOpen => view.set({ isInboxOpen }),
    toast: toast => view.toast(toast),

    answer: (id, optionId, remember) =>
      quiet(post(texts.commands.answer, `permissions/${id}/answer`, { optionId, ...(remember ? { remember } : {}) })),
    resume: id => quiet(post(texts.commands.resume, `turns/${id}/resume`)),
    retry: id => quiet(post(texts.commands.retry, `turns/${id}/retry`)),
    discard: id => quiet(post(texts.commands.discard, `turns/${id}/discard`)),
    retryWorktree: id => quiet(post(texts.commands.retry, `worktrees/${id}/retry`)),
    mend: (id, kind) => quiet(post(texts.commands.mend, `worktrees/${id}/ways/${encodeURIComponent(kind)}`)),
    restoreWorktree: id => quiet(post(texts.commands.restore, `worktrees/${id}/restore`)),
    archiveWorktree: async id => {
      if (await hasToSay(id)) view.set({ dialog: { name: 'archive', worktreeId: id }, isInboxOpen: false });
      else await archiveNow(id);
    },
    archiveNow,
    endWork: async id => {
      const { shared } = client.getState();
      const session = shared.sessions.get(id);
      if (!session) return;
      for (const turnId of session.queue) await quiet(post(texts.commands.cancel, `turns/${turnId}/cancel`));
      const waiting = session.state === 'parked' ? parkedTurn(session, shared) : undefined;
      if (waiting) await quiet(post(texts.commands.cancel, `turns/${waiting.id}/cancel`));
      else if (session.currentTurnId !== null || session.background.length) await quiet(post(texts.commands.stop, `sessions/${id}/cancel`));
    },
    makeHere,
    dropCard: async (id, drop) => {
      const label = texts.zone.commands.drop(drop.zoneId === null ? '' : zoneNameOf(client.getState().board?.getView().objects, drop.zoneId));
      const { firing } = await send<ZoneDropped>('put', label, `worktrees/${id}/zone`, { ...drop, via: 'canvas' });
      // Whoever asked is asked back at once, where one card was dropped.
      if (firing?.state === 'asking' && view.getState().dialog === null)
        view.set({ dialog: { name: 'ask', firingId: firing.id }, isInboxOpen: false });
    },
    previewDrop: (id, zoneId) => http.post<ZonePreview>(`worktrees/${id}/zone/preview`, { zoneId, via: 'canvas' }),
    decide: (id, what) => quiet(post(texts.zone.commands[what], `firings/${id}/${what}`)),
    pauseZone: async (id, isPaused) => {
      const policy = asZone(client.getState().board?.getView().objects.get(id))?.policy;
      if (policy) await http.patch(`board/zones/${id}?path=${encodeURIComponent(client.path)}`, { policy: { ...policy, isPaused } });
    },
    steerEnvironment: async (id, what, request = {}) => {
      const body = what === 'reset' ? {} : request;
      try {
        client.takeEnvironments([await send<Environment>('post', texts.environment.deeds[what], `worktrees/${id}/environment/${what}`, body)]);
      } catch (error) {
        client.noteEnvironmentProblem(id, error);
        throw error;
      }
    },
    openLink: (id, name, isOutside = false) => {
      const environment = client.getState().shared.environments.get(id);
      const link = environment?.links.find(one => one.name === name);
      const url = link && pageOf(link, http.base);
      if (!environment || !url) return;
      if (openPage && !isOutside) openPage({ url, title: texts.environment.pageTitle(environment.worktree, name) });
      else window.open(url, '_blank', 'noopener');
    },
    watch: ids => client.watch(ids),
    reconnect: () => client.reconnect(),

    prompt: (id, text, attachments, key) => http.post<Turn>(`sessions/${id}/prompt`, { text, attachments }, { key }),
    cancelSession: id => quiet(post(texts.commands.stop, `sessions/${id}/cancel`)),
    cancelTurn: id => quiet(post(texts.commands.cancel, `turns/${id}/cancel`)),
    changeSession: (id, change) => quiet(http.patch(`sessions/${id}`, change)),
    fork: (id, request, key) => http.post<Session>(`sessions/${id}/fork`, request, { key }),
    createSession: (request, key) => http.post<Session>('sessions', request, { key }),
    createWorktree: (request, key) => http.post<Worktree>('worktrees', { board: client.path, ...request }, { key, timeoutMs: 60_000 }),
    takeOffBoard: async id => {
      const lay = placedCard(id)?.[1];
      await http.patch(`worktrees/${id}`, { board: null });
      const putBack = async () => {
        await http.patch(`worktrees/${id}`, { board: client.path });
        if (lay) await move(id, lay);
      };
      view.toast({ text: texts.worktree.offBoard(nameOf(id)), undo: () => void putBack().catch(complain) });
    },
    changeWorktree: (id, change) => quiet(http.patch(`worktrees/${id}`, change)),
    worktreeLosses: losses,
    makeBoard: async () => {
      await http.post('boards', { path: client.path, title: '' });
      await client.open();
    },
  };
}
