// Select: press a thing to select it, drag it to move it, drag a handle to resize, drag the board to select what a box touches.
import { panBy } from '../camera';
import { between, bottom, encloses, intersects, right, union } from '../geometry';
import { NO_SNAP, nearby, REACH_PX, snap } from '../guides';
import type { Scene } from '../scene';
import type { Box, Point } from '../types';
import type { Desk, Gesture, Input, Tool } from './tool';
import { isFar, roundBox } from './tool';

const SNAP_PX = 6;
const EDGE_PX = 28;
const EDGE_SPEED = 12;

export const select: Tool = {
  name: 'select',
  label: 'Select',
  icon: 'select',
  key: 'V',
  cursor: 'default',
  writes: false,
  press(input, desk) {
    const only = [...desk.selection][0];
    if (input.handle && only !== undefined && desk.board.isWritable) return resize(only, input.handle, input, desk);
    return input.id === null ? marquee(input, desk) : pressThing(input.id, input, desk);
  },
};

const pressThing = (id: string, start: Input, desk: Desk): Gesture => {
  const wasSelected = desk.selection.has(id);
  if (start.shift) desk.commands.select(wasSelected ? [...desk.selection].filter(other => other !== id) : [...desk.selection, id]);
  else if (!wasSelected) desk.commands.select([id]);
  let drag: Gesture | null = null;
  return {
    move(input) {
      if (!drag && isFar(start.screen, input.screen) && desk.board.isWritable)
        drag = move(wasSelected && !start.shift ? [...desk.selection] : start.shift ? [...desk.selection, id] : [id], start, desk);
      drag?.move(input);
    },
    up(input) {
      if (drag) drag.up(input);
      else if (wasSelected && !start.shift && desk.selection.size > 1) desk.commands.select([id]);
    },
    cancel: () => drag?.cancel(),
  };
};

/** Zones carry what lies in them. */
export const carried = (ids: readonly string[], scene: Scene): Set<string> => {
  const all = new Set(ids);
  for (const id of ids) for (const member of scene.members().get(id) ?? []) all.add(member);
  return all;
};

/** The changes of the document after which these are shown there. What a zone carries comes with it as it was seen. */
export const landings = (to: ReadonlyMap<string, Point>, scene: Scene): Record<string, Partial<Record<'x' | 'y' | 'height', number>>> => {
  const changes: Record<string, Partial<Record<'x' | 'y' | 'height', number>>> = {};
  const carriers = scene.members();
  const isCarried = new Set([...to.keys()].flatMap(id => carriers.get(id) ?? []));
  for (const [id, at] of to) {
    const item = scene.items.get(id);
    const found =
      item && !item.isGround && !isCarried.has(id) ? scene.landing({ ...at, width: item.width, height: item.height }) : { at, zone: null };
    changes[id] = { ...changes[id], x: Math.round(found.at.x), y: Math.round(found.at.y) };
    if (found.zone) changes[found.zone.id] = { ...changes[found.zone.id], height: found.zone.height };
  }
  return changes;
};

const move = (ids: readonly string[], start: Input, desk: Desk): Gesture => {
  const { scene, board, overlay } = desk;
  const from = new Map<string, Point>();
  for (const id of carried(ids, scene)) {
    const box = scene.boxOf(id);
    if (box) from.set(id, { x: box.x, y: box.y });
  }
  const led = ids.map(id => scene.boxOf(id)).filter(box => box !== null);
  const frame = union(led);
  let shift: Point = { x: 0, y: 0 };
  let last = start;
  let timer = 0;
  for (const id of from.keys()) scene.flag(id, 'dragging', ids.length === 1 && from.size === 1 ? 'lift' : 'yes');
  desk.setDragging(true);

  const show = (): void => {
    const held: Record<string, Point> = {};
    for (const [id, at] of from) {
      const to = { x: at.x + shift.x, y: at.y + shift.y };
      scene.hold(id, to);
      held[id] = to;
    }
    desk.share(held);
  };

  const follow = (input: Input): void => {
    last = input;
    const wanted = { x: input.board.x - start.board.x, y: input.board.y - start.board.y };
    let found = NO_SNAP;
    if (frame && !input.ctrl) {
      const moved = { ...frame, x: frame.x + wanted.x, y: frame.y + wanted.y };
      const others: Box[] = [];
      for (const item of scene.visible()) if (!from.has(item.id)) others.push(scene.box(item));
      found = snap(moved, nearby(others, moved, REACH_PX / desk.camera.zoom), SNAP_PX / desk.camera.zoom);
    }
    shift = { x: wanted.x + found.dx, y: wanted.y + found.dy };
    overlay.guides(found);
    overlay.dropOn(frame && ids.every(id => !scene.items.get(id)?.isGround) ? { ...frame, x: frame.x + shift.x, y: frame.y + shift.y } : null);
    show();
    watchEdge(input);
  };

  /** Near the edge of the view the board moves on by itself. */
  const watchEdge = (input: Input): void => {
    const { width, height } = scene.size;
    const push = (at: number, room: number): number => (at < EDGE_PX ? EDGE_SPEED : at > room - EDGE_PX ? -EDGE_SPEED : 0);
    const dx = push(input.screen.x, width);
    const dy = push(input.screen.y, height);
    cancelAnimationFrame(timer);
    if (dx === 0 && dy === 0) return;
    timer = requestAnimationFrame(() => {
      desk.setCamera(panBy(desk.camera, dx, dy));
      const { camera } = desk;
      follow({ ...last, board: { x: (last.screen.x - camera.x) / camera.zoom, y: (last.screen.y - camera.y) / camera.zoom } });
    });
  };

  const end = (): void => {
    cancelAnimationFrame(timer);
    overlay.guides(NO_SNAP);
    overlay.dropOn(null);
    for (const id of from.keys()) {
      scene.flag(id, 'dragging', null);
      scene.release(id);
    }
    desk.share(null);
    desk.setDragging(false);
    desk.schedule();
  };

  return {
    move: follow,
    up(input) {
      follow(input);
      board.change(landings(new Map([...from].map(([id, at]) => [id, { x: at.x + shift.x, y: at.y + shift.y }])), scene));
      end();
    },
    cancel() {
      for (const id of from.keys()) scene.flag(id, 'returning', 'yes');
      end();
      setTimeout(() => {
        for (const id of from.keys()) scene.flag(id, 'returning', null);
      }, 200);
    },
  };
};

const marquee = (start: Input, desk: Desk): Gesture => {
  const before = new Set(start.shift ? desk.selection : []);
  if (!start.shift) desk.commands.select([]);
  return {
    move(input) {
      if (!isFar(start.screen, input.screen)) return;
      const box = between(start.board, input.board);
      desk.overlay.draft(box);
      const ids = new Set(before);
      // A zone is selected when the box holds the whole of it, else its cards could not be selected in it.
      for (const item of desk.scene.inBox(box))
        if (item.isGround ? encloses(box, desk.scene.box(item)) : intersects(box, desk.scene.box(item))) ids.add(item.id);
      desk.commands.select(ids);
    },
    up: () => desk.overlay.draft(null),
    cancel() {
      desk.overlay.draft(null);
      desk.commands.select(before);
    },
  };
};

const LEAST = { width: 96, height: 64 };

const resize = (id: string, handle: string, start: Input, desk: Desk): Gesture | null => {
  const box = desk.scene.boxOf(id);
  if (!box) return null;
  const offset = desk.scene.items.get(id)?.offset ?? 0;
  let now = box;
  const at = (input: Input): Box => {
    const dx = input.board.x - start.board.x;
    const dy = input.board.y - start.board.y;
    const width = Math.max(LEAST.width, box.width + (handle.includes('e') ? dx : handle.includes('w') ? -dx : 0));
    const height = Math.max(LEAST.height, box.height + (handle.includes('s') ? dy : handle.includes('n') ? -dy : 0));
    return { x: handle.includes('w') ? right(box) - width : box.x, y: handle.includes('n') ? bottom(box) - height : box.y, width, height };
  };
  return {
    move(input) {
      now = at(input);
      desk.scene.stretch(id, now);
      desk.overlay.refresh();
    },
    up() {
      desk.scene.release(id);
      // It may be shown below its place: what grew above it is not for the document.
      desk.board.change({ [id]: { ...roundBox({ ...now, y: now.y - offset }) } });
      desk.schedule();
    },
    cancel() {
      desk.scene.stretch(id, box);
      desk.scene.release(id);
      desk.overlay.refresh();
    },
  };
};
