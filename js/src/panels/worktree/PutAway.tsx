// Archive and remove: what each would do is said before it is done, with what lies in the folder and what is in the way.
import { useState } from 'react';

import type { Session, Worktree } from '../../protocol/generated.js';
import { ApiError, worktrees } from '../../session/requests.js';
import { liveOf } from '../../store/live.js';
import { sessionWords } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { Dialog } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Icon, Mark } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useShared } from '../context.js';
import { OwnFiles, useLosses, WorkList } from './Work.js';

const words = dialogTexts.worktree;

/** Shows what is in the folder before it goes. */
export function ArchiveDialog({ worktree }: { worktree: Worktree }) {
  const { commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const live = liveOf(worktree.id, useShared());
  const lock = lockOf(worktree);
  const found = useLosses(worktree, live.length);
  const kept = found.works.filter(one => one.kind !== 'own');
  const close = () => commands.closeDialog();
  const archive = () =>
    run(async () => {
      await commands.archiveNow(worktree.id);
      close();
    });
  return (
    <Dialog
      title={words.archiveTitle(visible(worktree.name))}
      onClose={close}
      footer={
        <DialogFoot
          act={words.archive}
          isDisabled={isRunning || found.isLooking || live.length > 0 || lock !== undefined}
          onAct={() => void archive()}
          onClose={close}
        />
      }
    >
      <InTheWay worktree={worktree} live={live} />
      <p>{found.isLooking ? words.looking : kept.length > 0 ? words.archiveText : words.archiveNothing}</p>
      <WorkList label={words.isKept} found={kept} />
      <OwnFiles found={found.works} hint={words.ownHint} />
      <Problem text={found.problem ?? problem} />
    </Dialog>
  );
}

/** Removes only when nothing would be lost, or when the person has read the list of what would be. */
export function RemoveDialog({ worktree }: { worktree: Worktree }) {
  const { client, commands } = useApp();
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const { run, isRunning, problem } = useCommand();
  const losses = lossesOf(refusal);
  const live = liveOf(worktree.id, useShared());
  const lock = lockOf(worktree);
  const found = useLosses(worktree, live.length);
  const works = found.works.filter(one => one.kind !== 'own');
  const goes = works.filter(one => !one.stays);
  const isForced = refusal !== null || goes.length > 0;
  const close = () => commands.closeDialog();
  const remove = (force: boolean) =>
    run(async () => {
      try {
        const removal = await worktrees.remove(client, worktree.id, force);
        commands.closePanel();
        commands.toast({
          text: removal?.folder ? words.removedWithBackup(visible(worktree.name), removal.folder) : words.removed(visible(worktree.name)),
        });
        close();
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409 || force) throw error;
        setRefusal(error);
      }
    });
  return (
    <Dialog
      title={words.removeTitle(visible(worktree.name))}
      onClose={close}
      footer={
        <DialogFoot
          act={isForced ? words.removeAnyway : words.remove}
          look={isForced ? 'danger' : 'primary'}
          isDisabled={isRunning || found.isLooking || live.length > 0 || lock !== undefined}
          onAct={() => void remove(isForced)}
          onClose={close}
        />
      }
    >
      <InTheWay worktree={worktree} live={live} />
      {refusal ? (
        <p>{losses.length > 0 ? words.wouldBeLost : refusal.message}</p>
      ) : (
        <>
          <p>{found.isLooking ? words.looking : goes.length ? words.wouldGo : found.isKnown ? words.nothingLost : words.removeText}</p>
          <WorkList label={words.wouldGo} found={goes} />
          {works.length > goes.length && <p>{words.staysThere}</p>}
          <WorkList label={words.staysThere} found={works.filter(one => one.stays)} />
          <OwnFiles found={found.works} hint={words.ownHint} />
        </>
      )}
      {losses.length > 0 && (
        <ul className="agor-losses">
          {losses.map(loss => (
            <li key={loss}>{visible(loss)}</li>
          ))}
        </ul>
      )}
      {isForced && <p className="agor-advice">{words.backup}</p>}
      <Problem text={found.problem ?? problem} />
    </Dialog>
  );
}

const lockOf = ({ ways }: Worktree) => ways.find(way => way.kind === 'unlock');

/** Sessions that are at work and a lock of another tool, each with what ends it. */
function InTheWay({ worktree, live }: { worktree: Worktree; live: readonly Session[] }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const lock = lockOf(worktree);
  if (!live.length && !lock) return null;
  return (
    <>
      {live.length > 0 && (
        <section className="agor-in-the-way" aria-label={words.atWork(live.length)}>
          <p>{words.atWork(live.length)}</p>
          <ul>
            {live.map(session => (
              <li key={session.id} className="agor-row">
                <Mark state={session.state} label={sessionWords(session, shared)} size={14} />
                <span className="agor-ell agor-grow">{visible(session.title) || texts.panel.untitled}</span>
                <span className="agor-xs agor-t2">{sessionWords(session, shared)}</span>
              </li>
            ))}
          </ul>
          <button
            type="button"
            className="agor-btn agor-sm"
            disabled={isRunning}
            onClick={() => void run(() => Promise.all(live.map(session => commands.endWork(session.id))))}
          >
            {words.stopThem(live.length)}
          </button>
        </section>
      )}
      {lock && (
        <section className="agor-in-the-way" aria-label={texts.worktree.toKnow.unlock}>
          <p>{visible(lock.why)}</p>
          <button
            type="button"
            className="agor-btn agor-sm"
            disabled={isRunning}
            onClick={() => void run(() => commands.mend(worktree.id, lock.kind))}
          >
            <Icon name="unlock" size={14} />
            {lock.label}
          </button>
        </section>
      )}
      <Problem text={problem} />
    </>
  );
}

function lossesOf(refusal: ApiError | null): string[] {
  if (!refusal) return [];
  return Object.values(refusal.details)
    .flatMap(value => (Array.isArray(value) ? value : [value]))
    .filter(value => typeof value === 'string')
    .slice(0, 50);
}
