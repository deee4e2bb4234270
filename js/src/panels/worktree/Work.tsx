// What a person would call work in a worktree's folder: asked for when it matters, and shown as sentences.
import { useEffect, useState } from 'react';

import type { Work, Worktree } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { visible } from '../common/safe.js';
import { useApp } from '../context.js';

export function WorkList({ label, found }: { label: string; found: readonly Work[] }) {
  if (!found.length) return null;
  return (
    <ul className="agor-losses" aria-label={label}>
      {found.map(one => (
        <li key={`${one.kind} ${one.path} ${one.text}`}>{visible(one.text)}</li>
      ))}
    </ul>
  );
}

/** What agents keep for themselves in the folder: no work, so it is said apart and in a lower voice. */
export function OwnFiles({ found, hint }: { found: readonly Work[]; hint?: string }) {
  const own = found.filter(one => one.kind === 'own');
  if (!own.length) return null;
  return (
    <div className="agor-advice" title={dialogTexts.worktree.ownHint}>
      {own.map(one => (
        <p key={one.text}>{visible(one.text)}</p>
      ))}
      {hint && <p>{hint}</p>}
    </div>
  );
}

interface Losses {
  readonly works: readonly Work[];
  readonly isLooking: boolean;
  /** The server looked, so what is not listed is not there. */
  readonly isKnown: boolean;
  readonly problem: string | null;
}

/** Of a worktree that is ready; any other has no folder to look into. Looked at again when `occasion` changes. */
export function useLosses(worktree: Worktree, occasion = 0): Losses {
  const { commands } = useApp();
  const isReady = worktree.state === 'ready';
  const [found, setFound] = useState<Losses>({ works: [], isLooking: isReady, isKnown: false, problem: null });
  useEffect(() => {
    let isOver = false;
    const say = (losses: Losses) => {
      if (!isOver) setFound(losses);
    };
    if (isReady)
      commands.worktreeLosses(worktree.id).then(
        works => say({ works, isLooking: false, isKnown: true, problem: null }),
        (error: unknown) => say({ works: [], isLooking: false, isKnown: false, problem: error instanceof Error ? error.message : String(error) }),
      );
    return () => {
      isOver = true;
    };
  }, [commands, isReady, worktree.id, occasion]);
  return found;
}
