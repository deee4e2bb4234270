// What a click on something with `data-act` asks for. The same table serves cards, notes, zones and the small bar.
import type { BoardDoc, BoardState, Commands, FiringDecision } from '../../store/types';
import { viewOf } from '../objects';
import { mainSession } from './sessions';

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
  environment: (click, host) => host.run(click.objectId, () => host.commands.steerEnvironment(click.of, click.option === 'start' ? 'start' : 'stop')),
  'open-link': (click, { commands }) => commands.openLink(click.of, click.option),
  unfold: (click, host) => {
    if (click.objectId) host.unfold(click.objectId);
  },
  dismiss: (click, host) => {
    if (click.objectId) host.dismiss(click.objectId);
  },
  check(click, { board }) {
    const object = click.objectId === null ? undefined : board.getView().objects.get(click.objectId);
    const change = object && viewOf(object).check?.(object, click.line);
    if (click.objectId && change) board.change({ [click.objectId]: change });
  },
  zone: (click, { commands }) => commands.openDialog('zone', { zoneId: click.of }),
  firings: (click, { commands }) => commands.openDialog('firings', { zoneId: click.of }),
  pause: (click, host) => host.run(click.of, () => host.commands.pauseZone(click.of, click.option === 'yes')),
  ask: (click, { commands }) => commands.openDialog('ask', { firingId: click.of }),
  decide: (click, host) => host.run(click.objectId, () => host.commands.decide(click.of, click.option as FiringDecision)),
  menu: (click, host) => host.openMenu(click.of),
  edit: (click, host) => host.edit(click.of),
  delete: (click, host) => host.remove([click.of]),
  color: (click, { board }) => board.change({ [click.of]: { color: click.option } }),
};
