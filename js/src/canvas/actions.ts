// What a click on something with `data-act` asks for. The same table serves cards, notes, zones and the small bar.
import type { Card } from '../protocol/generated';
import { sessionsOf } from '../store/cards';
import type { BoardDoc, BoardState, Commands } from '../store/types';
import { toggleLine } from './objects/note';

export interface Click {
  /** The object it happened in. */
  readonly objectId: string | null;
  /** What `data-of` names: a session, a turn, a permission, a worktree or an object. */
  readonly of: string;
  readonly option: string;
  readonly line: number;
}

export interface ActionHost {
  readonly board: BoardDoc;
  readonly state: BoardState;
  readonly commands: Commands;
  edit(id: string): void;
  remove(ids: readonly string[]): void;
  unfold(id: string): void;
  dismiss(id: string): void;
  openMenu(id: string): void;
  /** Does it, shows that it is under way, and says on the object what went wrong. */
  run(objectId: string | null, job: () => Promise<void>): void;
}

/** The session that a card's keys and buttons mean: the one that needs a person, else the latest. */
export const mainSession = (worktreeId: string, state: BoardState): string | null => {
  const sessions = sessionsOf(worktreeId, state);
  const asking = sessions.find(s => s.state === 'needs_you') ?? sessions.find(s => s.state === 'interrupted' || s.state === 'failed');
  if (asking) return asking.id;
  return [...sessions].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))[0]?.id ?? null;
};

/** Opens what a card is about: its conversation, or the dialog that starts one; for whom and where there can be none, its worktree. */
export const openCard = (card: Card, host: Pick<ActionHost, 'state' | 'commands'>, focusPrompt = false): void => {
  const worktree = host.state.worktrees.get(card.worktree);
  if (!worktree) return;
  const session = mainSession(card.worktree, host.state);
  if (worktree.state !== 'ready' || (!session && host.state.me?.role === 'viewer')) host.commands.openDiff(worktree.id);
  else if (session) host.commands.openSession(session, { focusPrompt });
  else host.commands.openDialog('session', { worktreeId: card.worktree });
};

export const actions: Readonly<Record<string, (click: Click, host: ActionHost) => void>> = {
  session: (click, { commands }) => commands.openSession(click.of),
  answer: (click, host) => host.run(click.objectId, () => host.commands.answer(click.of, click.option)),
  resume: (click, host) => host.run(click.objectId, () => host.commands.resume(click.of)),
  retry: (click, host) => host.run(click.objectId, () => host.commands.retry(click.of)),
  discard: (click, host) => host.run(click.objectId, () => host.commands.discard(click.of)),
  cancel: (click, host) => host.run(click.objectId, () => host.commands.cancelTurn(click.of)),
  fork: (click, { commands }) => commands.openDialog('fork', { sessionId: click.of }),
  'sign-in': (click, { commands }) => commands.openDialog('agents', { agent: click.of }),
  budget: (click, { commands, state }) =>
    commands.openDialog('budget', state.sessions.has(click.of) ? { sessionId: click.of } : { worktreeId: click.of }),
  remake: (click, host) => host.run(click.objectId, () => host.commands.retryWorktree(click.of)),
  mend: (click, host) => host.run(click.objectId, () => host.commands.mend(click.of, click.option)),
  restore: (click, host) => host.run(click.objectId, () => host.commands.restoreWorktree(click.of)),
  archive: (click, host) => host.run(click.objectId, () => host.commands.archiveWorktree(click.of)),
  make: (click, host) => {
    if (click.objectId) host.run(click.objectId, () => host.commands.makeHere(click.objectId ?? ''));
  },
  remove: (click, host) => {
    if (!click.objectId) return;
    // The server puts the card of a worktree that it knows back, unless that lies on the board no more.
    if (host.state.worktrees.has(click.of)) host.run(click.objectId, () => host.commands.takeOffBoard(click.of));
    else host.remove([click.objectId]);
  },
  'new-session': (click, { commands }) => commands.openDialog('session', { worktreeId: click.of }),
  prompt: (click, host) => {
    const session = mainSession(click.of, host.state);
    if (session) host.commands.openSession(session, { focusPrompt: true });
    else host.commands.openDialog('session', { worktreeId: click.of });
  },
  changes: (click, { commands }) => commands.openDiff(click.of),
  unfold: (click, host) => {
    if (click.objectId) host.unfold(click.objectId);
  },
  dismiss: (click, host) => {
    if (click.objectId) host.dismiss(click.objectId);
  },
  check(click, { board }) {
    const note = click.objectId === null ? undefined : board.getView().objects.get(click.objectId);
    if (click.objectId && note?.kind === 'note') board.change({ [click.objectId]: { text: toggleLine(note.text, click.line) } });
  },
  menu: (click, host) => host.openMenu(click.of),
  edit: (click, host) => host.edit(click.of),
  delete: (click, host) => host.remove([click.of]),
  color: (click, { board }) => board.change({ [click.of]: { color: click.option } }),
};
