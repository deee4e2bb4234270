// What is not needed before the board stands. It is fetched as soon as it does, so that a click finds it there.
import { useEffect, useState } from 'react';

import type { Equipment } from '../canvas/stage.js';
import type { EnvironmentFinder } from '../session/environments.js';
import { texts } from '../texts';
import type { Inbox } from './board/Inbox.js';
import { useApp } from './context.js';
import type { Dialogs } from './Dialogs.js';
import type { SessionPanel } from './session/SessionPanel.js';
import type { WorktreePanel } from './worktree/WorktreePanel.js';

export interface Later extends Equipment {
  readonly Dialogs: typeof Dialogs;
  readonly EnvironmentFinder: typeof EnvironmentFinder;
  readonly Inbox: typeof Inbox;
  readonly SessionPanel: typeof SessionPanel;
  readonly WorktreePanel: typeof WorktreePanel;
}
export type LoadLater = () => Promise<Later>;

/** `isAsked`: a person has opened something of it. */
export function useLater(load: LoadLater, isReady: boolean, isAsked: boolean): Later | null {
  const { view, commands } = useApp();
  const [later, setLater] = useState<Later | null>(null);
  const isWanted = isReady || isAsked;
  useEffect(() => {
    if (later || !isWanted) return;
    let isGone = false;
    load().then(
      found => !isGone && setLater(found),
      () => {
        if (isGone || !isAsked) return;
        view.set({ dialog: null, isInboxOpen: false, openSessionId: null, openDiffId: null });
        commands.toast({ text: texts.host.notLoaded });
      },
    );
    return () => {
      isGone = true;
    };
  }, [load, later, isWanted, isAsked, view, commands]);
  return later;
}
