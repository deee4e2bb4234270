// Select: press a thing to select it, drag it to move it, drag a handle to resize, drag the board to select what a box touches.
import { panBy } from '../camera/camera';
import { between, bottom, encloses, intersects, right, union } from '../layout/geometry';
import { NO_SNAP, nearby, REACH_PX, snap } from '../layout/guides';
import { boxOf } from '../layout/item';
import type { Scene } from '../scene/scene';
import type { Box, Change, Point } from '../types';
import type { Gesture, Input, Tool, ToolHost } from './tool';
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
  press(input, host) {
    const only = [...host.selection][0];
    if (input.handle && only !== undefined && host.board.isWritable) return resize(only, input.handle, input, host);
    return input.id === null ? marquee(input, host) : pressThing(input.id, input, host);
  },
};

const pressThing = (id: string, start: Input, host: ToolHost): Gesture => {
  const wasSelected = host.selection.has(id);
  if (start.shift) host.commands.select(wasSelected ? [...host.selection].filter(other => other !== id) : [...host.selection, id]);
  else if (!wasSelected) host.commands.select([id]);
  let drag: Gesture | null = null;
  return {
    move(input) {
      if (!drag && isFar(start.screen, input.screen) && host.board.isWritable)
        drag = move(wasSelected && !start.shift ? [...host.selection] : start.shift ? [...host.selection, id] : [id], start, host);
      drag?.move(input);
    },
    up(input) {
      if (drag) drag.up(input);
      else if (wasSelected && !start.shift && host.selection.size > 1) host.commands.select([id]);
    },
    cancel: () => drag?.cancel(),
  };
};

/** Zones carry what lies in them. */
export const carried = (ids: readonly string[], scene: Scene): Set<string> => {
  const all = new Set(ids);
  for (const id of ids) for (const member of scene.layout.members().get(id) ?? []) all.add(member);
  return all;
};

/** The changes of the document after which these are shown there. What a zone carries comes with it as it was seen. */
export const landings = (to: ReadonlyMap<string, Point>, scene: Scene): Record<string, Change> => {
  const changes: Record<string, Change> = {};
  const carriers = scene.layout.members();
  const isCarried = new Set([...to.keys()].flatMap(id => carriers.get(id) ?? []));
  for (const [id, at] of to) {
    const item = scene.items.get(id);
    const found =
      item && !item.isContainer && !isCarried.has(id)
        ? scene.layout.landing({ ...at, width: item.width, height: item.height })
        : { at, container: null };
    changes[id] = { ...changes[id], x: Math.round(found.at.x), y: Math.round(found.at.y) };
    if (found.container) changes[found.container.id] = { ...changes[found.container.id], ...found.container.change };
  }
  return changes;
};

const move = (ids: readonly string[], start: Input, host: ToolHost): Gesture => {
  const { scene, overlay } = host;
  const from = new Map<string, Point>();
  for (const id of carried(ids, scene)) {
    const box = scene.layout.boxOf(id);
    if (box) from.set(id, { x: box.x, y: box.y });
  }
  const led = ids.map(id => scene.layout.boxOf(id)).filter(box => box !== null);
  const frame = union(led);
  let shift: Point = { x: 0, y: 0 };
  let last = start;
  let timer = 0;
  for (const id of from.keys()) scene.flag(id, 'dragging', ids.length === 1 && from.size === 1 ? 'lift' : 'yes');
  host.setDragging(true);

  const show = (): void => {
    const held: Record<string, Point> = {};
    for (const [id, at] of from) {
      const to = { x: at.x + shift.x, y: at.y + shift.y };
      scene.hold(id, to);
      held[id] = to;
    }
    host.share(held);
  };

  const follow = (input: Input): void => {
    last = input;
    const wanted = { x: input.board.x - start.board.x, y: input.board.y - start.board.y };
    let found = NO_SNAP;
    if (frame && !input.ctrl) {
      const moved = { ...frame, x: frame.x + wanted.x, y: frame.y + wanted.y };
      const others: Box[] = [];
      for (const item of scene.visible()) if (!from.has(item.id)) others.push(boxOf(item));
      found = snap(moved, nearby(others, moved, REACH_PX / host.camera.zoom), SNAP_PX / host.camera.zoom);
    }
    shift = { x: wanted.x + found.dx, y: wanted.y + found.dy };
    overlay.guides(found);
    const at = frame && ids.every(id => !scene.items.get(id)?.isContainer) ? { ...frame, x: frame.x + shift.x, y: frame.y + shift.y } : null;
    show();
    host.foretell(overlay.dropOn(at), ids, input.alt);
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
      host.setCamera(panBy(host.camera, dx, dy));
      const { camera } = host;
      follow({ ...last, board: { x: (last.screen.x - camera.x) / camera.zoom, y: (last.screen.y - camera.y) / camera.zoom } });
    });
  };

  const end = (): void => {
    cancelAnimationFrame(timer);
    overlay.guides(NO_SNAP);
    overlay.dropOn(null);
    host.foretell(null, []);
    for (const id of from.keys()) {
      scene.flag(id, 'dragging', null);
      scene.release(id);
    }
    host.share(null);
    host.setDragging(false);
    host.schedule();
  };

  return {
    move: follow,
    up(input) {
      follow(input);
      const changes = landings(new Map([...from].map(([id, at]) => [id, { x: at.x + shift.x, y: at.y + shift.y }])), scene);
      end();
      host.land(changes, !input.alt);
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

const marquee = (start: Input, host: ToolHost): Gesture => {
  const before = new Set(start.shift ? host.selection : []);
  if (!start.shift) host.commands.select([]);
  return {
    move(input) {
      if (!isFar(start.screen, input.screen)) return;
      const box = between(start.board, input.board);
      host.overlay.draft(box);
      const ids = new Set(before);
      // A zone is selected when the box holds the whole of it, else its cards could not be selected in it.
      for (const item of host.scene.layout.inBox(box))
        if (item.isContainer ? encloses(box, boxOf(item)) : intersects(box, boxOf(item))) ids.add(item.id);
      host.commands.select(ids);
    },
    up: () => host.overlay.draft(null),
    cancel() {
      host.overlay.draft(null);
      host.commands.select(before);
    },
  };
};

const LEAST = { width: 96, height: 64 };

const resize = (id: string, handle: string, start: Input, host: ToolHost): Gesture | null => {
  const box = host.scene.layout.boxOf(id);
  if (!box) return null;
  const offset = host.scene.items.get(id)?.offset ?? 0;
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
      host.scene.stretch(id, now);
      host.overlay.refresh();
    },
    up() {
      host.scene.release(id);
      // It may be shown below its place: what grew above it is not for the document.
      host.board.change({ [id]: { ...roundBox({ ...now, y: now.y - offset }) } });
      host.schedule();
    },
    cancel() {
      host.scene.stretch(id, box);
      host.scene.release(id);
      host.overlay.refresh();
    },
  };
};
