// Mounts the production canvas with made-up state. `window.agor` lets a test look inside.
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import * as Y from 'yjs';

import { Canvas } from '../src/canvas/Canvas';
import type { Stage } from '../src/canvas/stage';
import { applyAll } from '../src/store/apply';
import { openBoard } from '../src/store/board';
import type { AwarenessLike, BoardState, Commands, LocalState } from '../src/store/types';
import canvasCss from '../src/styles/canvas.css';
import frameCss from '../src/styles/frame.css';
import panelsCss from '../src/styles/panels.css';
import cardCss from '../src/styles/card.css';
import tokensCss from '../src/styles/tokens.css';
import { AppPage } from './app';
import { agents, board as boardScene, cards, many, NOW, people, World, zones } from './made-up';

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'board';
const isDark = query.get('theme') === 'dark' || query.get('theme') === 'hc';
document.documentElement.dataset['jpThemeLight'] = String(!isDark);
document.body.dataset['jpThemeLight'] = String(!isDark);
if (query.get('theme') === 'hc') for (const element of [document.documentElement, document.body]) element.dataset['jpThemeName'] = 'JupyterLab Dark High Contrast';
const style = document.createElement('style');
style.textContent = `${tokensCss}\n${frameCss}\n${panelsCss}\n${canvasCss}\n${cardCss}${query.get('still') ? '* { animation: none !important; transition: none !important }' : ''}`;
document.head.append(style);

class Room implements AwarenessLike {
  readonly clientID = 1;
  readonly states = new Map<number, Record<string, unknown>>([[1, {}]]);
  #listeners = new Set<() => void>();
  getStates(): Map<number, Record<string, unknown>> {
    return this.states;
  }
  getLocalState(): Record<string, unknown> | null {
    return this.states.get(1) ?? null;
  }
  setLocalStateField(field: string, value: unknown): void {
    this.states.set(1, { ...this.states.get(1), [field]: value });
  }
  on(_: 'change', listener: () => void): void {
    this.#listeners.add(listener);
  }
  off(_: 'change', listener: () => void): void {
    this.#listeners.delete(listener);
  }
  other(client: number, state: Record<string, unknown>): void {
    this.states.set(client, state);
    for (const listener of this.#listeners) listener();
  }
}

const began = performance.now();
const world = new World();
if (scene === 'cards') cards(world);
else if (scene === 'agents' || scene === 'app') agents(world);
else if (scene === 'board') boardScene(world);
else if (scene === 'zones') zones(world);
else if (scene === 'many') many(world, Number(query.get('n') ?? 2000));

const doc = new Y.Doc();
const awareness = new Room();
const objects = doc.getMap('objects');
doc.transact(() => {
  for (const [id, object] of Object.entries(world.objects)) objects.set(id, new Y.Map(Object.entries(object)));
  if (scene === 'broken') {
    objects.set('ob_1', new Y.Map(Object.entries({ kind: 'card', x: 'left', y: 1, worktree: 'wt_1' })));
    objects.set('ob_2', new Y.Map(Object.entries({ kind: 'teapot', x: 1, y: 1 })));
    objects.set('ob_3', 7);
    objects.set('ob_4', new Y.Map(Object.entries({ kind: 'zone', x: 1, y: Number.NaN, width: 9, height: 9 })));
    objects.set('ob_5', new Y.Map(Object.entries({ kind: 'note', x: 100, y: 100, width: 260, height: 90, text: '<img src=x onerror=alert(1)> [x](javascript:alert(1))' })));
  }
});
const board = openBoard({ doc, awareness, isWritable: query.get('role') !== 'viewer' });
if (scene !== 'opening') board.setSynced();

if (scene === 'board' && query.get('alone') === null) {
  const user = (p: (typeof people)['mira'], at: { x: number; y: number }, more: object = {}): Record<string, unknown> => ({ user: { ...p, display_name: p.name }, cursor: at, selection: [], held: null, ...more });
  const running = world.sessions.find(s => s.title === 'Incremental model');
  awareness.states.set(2, user(people.mira, { x: 262, y: 600 }, { reading: running?.id }));
  awareness.states.set(3, user(people.jonas, { x: 930, y: 500 }, { selection: [Object.keys(world.objects).find(id => world.objects[id]?.kind === 'card' && (world.objects[id] as { branch: string }).branch === 'prune-events')] }));
  awareness.states.set(4, user(people.aiko, { x: 1160, y: 660 }));
}

declare global {
  interface Window {
    agor: { stage: Stage | null; doc: Y.Doc; board: typeof board; awareness: Room; world: World; log: unknown[]; set(change: Partial<LocalState>): void; apply(change: (state: BoardState) => BoardState): void; applyAll: typeof applyAll; readyMs: number };
  }
}

function App(): JSX.Element {
  const [local, setLocal] = useState<LocalState>({ tool: 'select', selection: new Set(), openSessionId: null, openDiffId: null, dialog: null, filter: '', only: 'all', host: query.get('host') === 'cell' ? 'cell' : 'tab' });
  const [state, setState] = useState<BoardState>(() => (query.get('lost') ? { ...world.state(), connection: { state: 'lost', since: new Date(NOW - 60_000).toISOString() } } : world.state()));
  const log = window.agor.log;
  const soon = async (...said: unknown[]): Promise<void> => {
    log.push(said);
    await new Promise(done => setTimeout(done, 300));
    if (query.get('fail')) throw new Error('The server is still starting. Try again in a second.');
  };
  const [commands] = useState<Commands>(() => ({
    setTool: tool => setLocal(now => ({ ...now, tool })),
    select: ids => setLocal(now => ({ ...now, selection: new Set(ids) })),
    openSession: (id, options) => {
      log.push(['openSession', id, options]);
      setLocal(now => ({ ...now, openSessionId: id }));
    },
    openDiff: id => log.push(['openDiff', id]),
    openDialog: (name, options) => log.push(['openDialog', name, options]),
    toast: toast => log.push(['toast', toast.text]),
    answer: (id, option) => soon('answer', id, option),
    resume: id => soon('resume', id),
    retry: id => soon('retry', id),
    discard: id => soon('discard', id),
    cancelTurn: id => soon('cancelTurn', id),
    retryWorktree: id => soon('retryWorktree', id),
    mend: (id, kind) => soon(`mend ${kind}`, id),
    restoreWorktree: id => soon('restoreWorktree', id),
    archiveWorktree: id => soon('archiveWorktree', id),
    takeOffBoard: id => soon('takeOffBoard', id),
    makeHere: id => soon('makeHere', id),
    watch: () => undefined,
    reconnect: () => undefined,
  }));
  window.agor.set = change => setLocal(now => ({ ...now, ...change }));
  window.agor.apply = setState;
  return <Canvas board={board} state={state} local={local} commands={commands} stageRef={stage => (window.agor.stage = stage)} />;
}

window.agor = { stage: null, doc, board, awareness, world, log: [], set: () => undefined, apply: () => undefined, applyAll, readyMs: 0 };
const root = document.getElementById('root');
if (root) createRoot(root).render(scene === 'app' || query.get('app') ? <AppPage board={board} world={world} query={query} /> : <App />);
const wait = (): void => {
  const isDrawn = scene === 'empty' || scene === 'opening' ? window.agor.stage !== null : document.querySelector('[data-id]') !== null;
  if (isDrawn) requestAnimationFrame(() => (window.agor.readyMs = performance.now() - began));
  else requestAnimationFrame(wait);
};
wait();
