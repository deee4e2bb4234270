// A made-up board on a stage, for tests: the real document, the real state, and commands that are written down.
import { vi } from 'vitest';
import * as Y from 'yjs';

import { Carry } from '../src/canvas/input/carry';
import { Foretelling } from '../src/canvas/scene/foretelling';
import { Minimap } from '../src/canvas/scene/minimap';
import { Stage } from '../src/canvas/stage';
import { openBoard } from '../src/store/board';
import type { BoardState, Commands, LocalState } from '../src/store/types';
import { World } from './made-up';

const SIZE = { width: 1200, height: 800 };

/** Every command there is, each a spy that does nothing. */
const spies = (): Commands => new Proxy({} as Record<string, unknown>, { get: (made, name: string) => (made[name] ??= vi.fn(async () => undefined)) }) as unknown as Commands;

export interface Bench {
  readonly stage: Stage;
  readonly world: World;
  readonly board: ReturnType<typeof openBoard>;
  readonly commands: Commands;
  /** Draws the frame that is due. */
  frame(): void;
  local(change: Partial<LocalState>): void;
  news(state?: BoardState): void;
  key(key: string, more?: KeyboardEventInit): void;
  /** `to`: where the pointer goes before it is lifted. In screen pixels. */
  press(at: readonly [number, number], to?: readonly [number, number], more?: PointerEventInit & { readonly on?: Element | null }): void;
}

/** The board is at (0, 0) of the screen with zoom 1. */
export const bench = (fill: (world: World) => void, { isWritable = true, role = 'owner' as 'owner' | 'member' | 'viewer' } = {}): Bench => {
  let frames: FrameRequestCallback[] = [];
  vi.stubGlobal('requestAnimationFrame', (job: FrameRequestCallback) => frames.push(job));
  vi.stubGlobal('cancelAnimationFrame', (n: number) => delete frames[n - 1]);
  vi.stubGlobal('ResizeObserver', undefined);
  const world = new World();
  fill(world);
  const doc = new Y.Doc();
  const board = openBoard({ doc, awareness: null, isWritable });
  const objects = doc.getMap('objects');
  doc.transact(() => {
    for (const [id, object] of Object.entries(world.objects)) objects.set(id, new Y.Map(Object.entries(object)));
  });
  board.setSynced();
  const commands = spies();
  const as = (state: BoardState): BoardState => (state.me ? { ...state, me: { ...state.me, role: role as typeof state.me.role } } : state);
  let state = as(world.state());
  let local: LocalState = { tool: 'select', selection: new Set(), openSessionId: null, openDiffId: null, dialog: null, filter: '', only: 'all', host: 'tab' };
  const stage = new Stage({ board, state, local, commands });
  stage.equip({ Carry, Foretelling, Minimap });
  for (const name of ['clientWidth', 'clientHeight'] as const) Object.defineProperty(stage.root, name, { value: name === 'clientWidth' ? SIZE.width : SIZE.height });
  document.body.replaceChildren(stage.root);
  const frame = (): void => {
    const due = frames;
    frames = [];
    for (const job of due) job?.(performance.now());
  };
  const update = (): void => stage.update({ board, state, local, commands });
  const change = (more: Partial<LocalState>): void => {
    local = { ...local, ...more };
    update();
  };
  vi.mocked(commands.select).mockImplementation(ids => change({ selection: new Set(ids) }));
  vi.mocked(commands.setTool).mockImplementation(tool => change({ tool }));
  stage.scene.size = SIZE;
  // It looks at all of the board first; from then on it stays where it is put.
  stage.readBoard();
  stage.setCamera({ x: 0, y: 0, zoom: 1 });
  frame();
  const at = ([clientX, clientY]: readonly [number, number], more: PointerEventInit = {}): PointerEventInit => ({ clientX, clientY, pointerId: 1, bubbles: true, cancelable: true, ...more });
  return {
    stage,
    world,
    board,
    commands,
    frame,
    local: change,
    news(next = world.state()) {
      state = as(next);
      update();
    },
    key: (key, more = {}) => {
      const target = stage.root.contains(document.activeElement) ? document.activeElement : stage.root;
      target?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
    },
    press(from, to, { on, ...more } = {}) {
      const target = on ?? stage.root;
      target.dispatchEvent(new PointerEvent('pointerdown', at(from, more)));
      if (to) window.dispatchEvent(new PointerEvent('pointermove', at(to, more)));
      window.dispatchEvent(new PointerEvent('pointerup', at(to ?? from, more)));
      target.dispatchEvent(new MouseEvent('click', at(to ?? from, more)));
    },
  };
};
