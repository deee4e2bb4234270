// The production canvas with the scene of the benchmark.
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import * as Y from 'yjs';

import { Canvas } from '../../js/src/canvas/Canvas';
import type { Stage } from '../../js/src/canvas/stage';
import { openBoard } from '../../js/src/store/board';
import type { Commands, LocalState } from '../../js/src/store/types';
import canvasCss from '../../js/src/styles/canvas.css';
import cardCss from '../../js/src/styles/card.css';
import tokensCss from '../../js/src/styles/tokens.css';
import { painted, world, ZOOM } from './scene';

const style = document.createElement('style');
style.textContent = `html, body { margin: 0; height: 100% } #app { position: fixed; inset: 0 } ${tokensCss}${canvasCss}${cardCss}`;
document.head.append(style);

const doc = new Y.Doc();
const objects = doc.getMap('objects');
doc.transact(() => {
  for (const [id, object] of Object.entries(world.objects)) objects.set(id, new Y.Map(Object.entries(object)));
});
const state = world.state();
let stage: Stage | null = null;

function App(): JSX.Element {
  const [local, setLocal] = useState<LocalState>({ tool: 'select', selection: new Set(), openSessionId: null, openDiffId: null, dialog: null, filter: '', only: 'all', host: 'tab' });
  const [commands] = useState<Commands>(() => {
    const nothing = (): void => undefined;
    const never = async (): Promise<void> => undefined;
    return {
      setTool: tool => setLocal(now => ({ ...now, tool })),
      select: ids => setLocal(now => ({ ...now, selection: new Set(ids) })),
      openSession: nothing,
      openDiff: nothing,
      openDialog: nothing,
      toast: nothing,
      answer: never,
      resume: never,
      retry: never,
      discard: never,
      retryWorktree: never,
      restoreWorktree: never,
      archiveWorktree: never,
      makeHere: never,
      watch: nothing,
      reconnect: nothing,
    };
  });
  return <Canvas board={board} state={state} local={local} commands={commands} stageRef={made => (stage = made)} />;
}

// The clock starts where the document and the snapshot have arrived: reading the document is part of it.
const begin = performance.now();
const board = openBoard({ doc, awareness: null, isWritable: true });
board.setSynced();
const root = document.getElementById('app');
if (root) createRoot(root).render(<App />);
painted(begin, () => document.querySelectorAll('.agor-world [data-id]').length > 20);

window.look = (x, y, zoom) => stage?.setCamera({ x, y, zoom });
window.where = () => {
  const cards: Record<string, { x: number; y: number }> = {};
  for (const [id, item] of stage?.scene.items ?? []) cards[id] = { x: item.object.x, y: item.object.y };
  return { view: stage?.camera ?? { x: 0, y: 0, zoom: 0 }, cards, shown: document.querySelectorAll('.agor-world [data-id]').length };
};
void ZOOM;
