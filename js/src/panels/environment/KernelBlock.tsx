// The kernel with a worktree's packages: how far it is, what it is made from, and a notebook on it.
import { useEffect, useId, useState } from 'react';

import type { Kernel, Worktree } from '../../protocol/generated.js';
import { folderOf, kernelOf, makeKernel, settled } from '../../session/kernels.js';
import { ApiError } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useShared } from '../context.js';

const words = dialogTexts.kernels;
const NOT_TRUSTED = 'kernel_not_trusted';

export function KernelBlock({ worktree }: { worktree: Worktree }) {
  const { client, openNotebook } = useApp();
  const shared = useShared();
  const [kernel, setKernel] = useState<Kernel | null>(null);
  const [isAsked, setAsked] = useState(false);
  const [isTold, setTold] = useState(false);
  const [problem, setProblem] = useState<{ text: string; code: string } | null>(null);
  const [stop] = useState(() => new AbortController());
  const id = useId();
  const fail = (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    if (!stop.signal.aborted) setProblem({ text, code: error instanceof ApiError ? error.code : '' });
  };
  const show = (found: Kernel) => void (stop.signal.aborted || setKernel(found));
  useEffect(() => {
    // Somebody else may have begun it.
    kernelOf(client, worktree.id)
      .then(found => settled(client, found, show, stop.signal))
      .catch(fail);
    return () => stop.abort();
  }, [client, worktree.id]);

  const folder = folderOf(worktree, shared.me?.rootDir ?? '');
  const open = async () => {
    setAsked(true);
    setProblem(null);
    try {
      const ready = await settled(client, await makeKernel(client, worktree.id), show, stop.signal);
      if (ready.state !== 'ready' || stop.signal.aborted) return;
      setTold(true);
      await openNotebook?.({ kernel: ready.specName, folder: folder ?? client.path.split('/').slice(0, -1).join('/') });
    } catch (error) {
      fail(error);
    } finally {
      if (!stop.signal.aborted) setAsked(false);
    }
  };
  const isMaking = kernel?.state === 'making';
  return (
    <section aria-labelledby={id} className="agor-environment" data-kernel={kernel?.state}>
      <div className="agor-row agor-section-head">
        <h3 id={id}>{words.title}</h3>
        <span className="agor-grow" />
        {canSteer(shared) && (
          <button type="button" className="agor-btn agor-sm" disabled={isAsked} onClick={() => void open()}>
            <Icon name="file" size={14} />
            {words.open}
          </button>
        )}
      </div>
      <p className="agor-advice" role="status">
        {kernel && visible(lineOf(kernel))}
      </p>
      {isTold && kernel?.state === 'ready' && openNotebook && folder === null && <p className="agor-advice">{words.elsewhere}</p>}
      {isTold && kernel?.state === 'ready' && !openNotebook && (
        <p className="agor-advice">
          {words.choose(visible(kernel.displayName))}{' '}
          <a className="agor-link" href={new URL('lab', client.http.base).href} target="_blank" rel="noopener noreferrer">
            {words.lab}
          </a>
        </p>
      )}
      {kernel?.state === 'ready' && kernel.isStale && <p className="agor-advice">{words.stale}</p>}
      {kernel?.notices.map(notice => (
        <p key={notice} className="agor-advice">
          {visible(notice)}
        </p>
      ))}
      {!isMaking && <Problem text={problem && visible(problem.text)} />}
      {!isMaking && problem?.code === NOT_TRUSTED && shared.me?.role === 'owner' && <Trust worktreeId={worktree.id} />}
    </section>
  );
}

function Trust({ worktreeId }: { worktreeId: string }) {
  const { commands } = useApp();
  return (
    <div className="agor-row">
      <button type="button" className="agor-btn agor-sm" onClick={() => commands.openDialog('trust', { worktreeId })}>
        {words.trust}
      </button>
    </div>
  );
}

function lineOf({ state, step, displayName, source }: Kernel): string {
  if (state === 'making') return words.making(step ?? '');
  return state === 'ready' ? words.ready(displayName, source) : words.none;
}
