// What refs keep of a worktree's agents beside its branch, and how a person takes it: what it would do is said before it is done.
import { useCallback, useEffect, useId, useState } from 'react';

import type { Kept as KeptRef, Taking, Worktree } from '../../protocol/generated.js';
import { worktrees } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { CopyButton } from '../common/CodeBlock.js';
import { Dialog } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useShared } from '../context.js';

const SHOWN = 5;

/** `print` changes when agents may have made something since. */
export function Kept({ worktree, print }: { worktree: Worktree; print: string }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const id = useId();
  const [found, setFound] = useState<readonly KeptRef[]>([]);
  const [isWhole, setWhole] = useState(false);
  const [taken, setTaken] = useState<KeptRef | null>(null);
  const [round, setRound] = useState(0);
  const { run, problem } = useCommand();
  useEffect(() => {
    let isOver = false;
    void run(async () => {
      const kept = await worktrees.kept(client, worktree.id);
      if (!isOver) setFound(kept);
    });
    return () => {
      isOver = true;
    };
  }, [commands, worktree.id, print, round]);
  if (!found.length) return <Problem text={problem} />;
  const shown = isWhole ? found : found.slice(0, SHOWN);
  return (
    <section aria-labelledby={id}>
      <div className="agor-row agor-section-head">
        <h3 id={id}>{dialogTexts.kept.title}</h3>
      </div>
      <p className="agor-advice">{dialogTexts.kept.intro}</p>
      <ul className="agor-plain-list agor-kept">
        {shown.map(one => (
          <li key={one.ref}>
            <span className="agor-kept-text">{visible(one.text)}</span>
            <span className="agor-row agor-kept-how">
              <code className="agor-ell agor-grow" title={one.line}>
                {visible(one.line)}
              </code>
              <CopyButton text={one.line} label={dialogTexts.kept.copy} />
              {one.canTake && canSteer(shared) && (
                <button type="button" className="agor-btn agor-sm" onClick={() => setTaken(one)}>
                  {dialogTexts.kept.take}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {found.length > shown.length && (
        <button type="button" className="agor-btn agor-sm agor-ghost" onClick={() => setWhole(true)}>
          {dialogTexts.kept.more(found.length - shown.length)}
        </button>
      )}
      <Problem text={problem} />
      {taken && (
        <TakeDialog
          worktree={worktree}
          kept={taken}
          onClose={isTaken => {
            setTaken(null);
            if (isTaken) setRound(one => one + 1);
          }}
        />
      )}
    </section>
  );
}

function TakeDialog({ worktree, kept, onClose }: { worktree: Worktree; kept: KeptRef; onClose: (isTaken: boolean) => void }) {
  const { client, commands } = useApp();
  const [found, setFound] = useState<Taking | null>(null);
  const { run, isRunning, problem } = useCommand();
  const close = useCallback(() => onClose(false), [onClose]);
  useEffect(() => {
    let isOver = false;
    void run(async () => {
      const taking = await worktrees.wouldTake(client, worktree.id, kept.ref);
      if (!isOver) setFound(taking);
    });
    return () => {
      isOver = true;
    };
  }, [commands, worktree.id, kept.ref]);
  const take = () =>
    run(async () => {
      const taken = await worktrees.take(client, worktree.id, kept.ref);
      commands.toast({ text: dialogTexts.kept.taken(visible(taken.branch), taken.left.length) });
      onClose(true);
    });
  const branch = visible(found?.branch ?? worktree.branch);
  return (
    <Dialog
      title={dialogTexts.kept.takeTitle(branch)}
      onClose={close}
      footer={
        <DialogFoot
          act={dialogTexts.kept.takeNow}
          isDisabled={isRunning || !found || found.refusal !== null}
          onAct={() => void take()}
          onClose={close}
        />
      }
    >
      {!found && isRunning && <p>{dialogTexts.kept.looking}</p>}
      {found?.refusal && <p>{visible(found.refusal)}</p>}
      {found && !found.refusal && <Consequences taking={found} branch={branch} />}
      <Problem text={problem} />
    </Dialog>
  );
}

function Consequences({ taking, branch }: { taking: Taking; branch: string }) {
  const { commits, subjects, isMerge, written, there, left } = taking;
  return (
    <>
      <p>{(isMerge ? dialogTexts.kept.merges : dialogTexts.kept.moves)(commits, branch)}</p>
      <Names label={dialogTexts.kept.commits} names={subjects} total={commits} />
      <p>{written.length ? dialogTexts.kept.writes(written.length) : dialogTexts.kept.writesNothing(there.length)}</p>
      <Names label={dialogTexts.kept.writes(written.length)} names={written} total={written.length} />
      {left.length > 0 && <p>{dialogTexts.kept.leaves(left.length)}</p>}
      <Names label={dialogTexts.kept.leaves(left.length)} names={left} total={left.length} />
      <p className="agor-advice">{dialogTexts.kept.stays}</p>
    </>
  );
}

const LISTED = 20;

function Names({ label, names, total }: { label: string; names: readonly string[]; total: number }) {
  if (!names.length) return null;
  const shown = names.slice(0, LISTED);
  return (
    <ul className="agor-losses" aria-label={label}>
      {shown.map((name, at) => (
        <li key={at}>{visible(name)}</li>
      ))}
      {total > shown.length && <li>{dialogTexts.kept.andMore(total - shown.length)}</li>}
    </ul>
  );
}
