// The canvas as React mounts it. React draws the chrome around the board; the board itself is the stage's.

import type { ReactNode } from 'react';
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';

import { Dock } from './chrome/Dock';
import { Empty, Opening, Problems } from './chrome/states';
import { Zoomer } from './chrome/Zoomer';
import { Stage } from './stage';
import type { CanvasProps } from './types';

const NOTHING = { percent: 100, canUndo: false, canRedo: false, hint: null } as const;
const quiet = (): (() => void) => () => undefined;

/** `stageRef` lets panels use the stage: fit, focus, a free place. */
export function Canvas(props: CanvasProps & { readonly stageRef?: (stage: Stage | null) => void }): ReactNode {
  const { board, local, commands, stageRef } = props;
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [stage, setStage] = useState<Stage | null>(null);

  useEffect(() => {
    const made = new Stage(latest.current);
    place.current?.prepend(made.root);
    setStage(made);
    return () => {
      setStage(null);
      made.destroy();
    };
  }, [board]);

  // Before the browser tells of a new size, which means something else beside a panel.
  useLayoutEffect(() => stage?.update(props));
  useEffect(() => {
    stageRef?.(stage);
  }, [stage, stageRef]);

  const view = useSyncExternalStore(board.subscribe, board.getView);
  const chrome = useSyncExternalStore(stage?.chrome.subscribe ?? quiet, () => stage?.chrome.getState() ?? NOTHING);
  const isEmpty = view.isSynced && view.objects.size === 0 && view.problems.length === 0;

  return (
    <div className="agor-canvas" data-host={local.host} ref={place}>
      {view.problems.length > 0 && <Problems problems={view.problems} />}
      {!view.isSynced && <Opening />}
      {isEmpty && <Empty isWritable={board.isWritable} commands={commands} />}
      {chrome.hint !== null && (
        <div className="agor-board-hint agor-pop" role="status">
          {chrome.hint}
        </div>
      )}
      {stage && (
        <>
          <Dock
            local={local}
            commands={commands}
            isWritable={board.isWritable}
            canUndo={chrome.canUndo}
            canRedo={chrome.canRedo}
            undo={() => stage.drops.step(() => board.undo())}
            redo={() => stage.drops.step(() => board.redo())}
          />
          <Zoomer
            percent={chrome.percent}
            zoomBy={factor => stage.viewport.zoomBy(factor)}
            fit={() => stage.viewport.fit()}
            reset={() => stage.viewport.actualSize()}
          />
        </>
      )}
    </div>
  );
}
