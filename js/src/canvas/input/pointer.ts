// What a pointer and a wheel mean: a gesture of the tool, a pan, a zoom, a click on something with `data-act`.
import type { LocalState } from '../../store/types';
import { panBy, toBoard, zoomAt } from '../camera/camera';
import { viewOf } from '../objects';
import type { Pacer } from '../pace';
import type { Tip } from '../scene/tip';
import { tools } from '../tools';
import { hand } from '../tools/hand';
import type { Gesture, Input, ToolHost } from '../tools/tool';
import { isFar } from '../tools/tool';
import type { Point } from '../types';
import type { ActionHost } from './actions';
import { actions } from './actions';
import type { Editor } from './editor';
import { onPinch } from './pinch';

/** What a pointer works on. The stage is one. */
export interface PointerHost extends ToolHost, ActionHost {
  readonly root: HTMLElement;
  readonly local: LocalState;
  readonly editor: Editor;
  readonly tip: Tip;
  /** Where colleagues see this pointer. */
  readonly cursor: Pacer<Point | null>;
  /** The pointer went down: nothing moves the view by itself now. */
  touch(): void;
  hint(text: string): void;
  /** A gesture has changed the board. */
  readBoard(): void;
}

/** Whether it takes keys and presses of its own. */
export const isField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null;

export const idOf = (target: EventTarget | null): string | undefined =>
  target instanceof Element ? target.closest<HTMLElement>('[data-id]')?.dataset['id'] : undefined;

const modifiersOf = ({ shiftKey, ctrlKey, metaKey, altKey }: MouseEvent): Pick<Input, 'shift' | 'ctrl' | 'alt'> => ({
  shift: shiftKey,
  ctrl: ctrlKey || metaKey,
  alt: altKey,
});

const between = ([a, b]: readonly Point[]): { distance: number; middle: Point } => {
  const from = a ?? { x: 0, y: 0 };
  const to = b ?? from;
  return { distance: Math.max(1, Math.hypot(from.x - to.x, from.y - to.y)), middle: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } };
};

export class PointerInput {
  /** The board is dragged by the pointer whatever the tool is. */
  isPanKeyDown = false;
  readonly #host: PointerHost;
  readonly #pointers = new Map<number, Point>();
  #gesture: { gesture: Gesture; start: Point; isMoved: boolean; last: Input } | null = null;
  #pinch: { distance: number; middle: Point } | null = null;
  /** The click that follows a drag means nothing. */
  #suppressClick = false;
  #frameAt: DOMRect | null = null;

  constructor(host: PointerHost) {
    this.#host = host;
  }

  /** Returns its own undo. */
  listen(): () => void {
    const { root, cursor, tip } = this.#host;
    const end = new AbortController();
    const { signal } = end;
    root.addEventListener('pointerdown', event => this.#down(event), { signal });
    window.addEventListener('pointermove', event => this.#move(event), { signal });
    window.addEventListener('pointerup', event => this.#up(event), { signal });
    for (const type of ['keydown', 'keyup'] as const) window.addEventListener(type, event => this.#alt(event), { signal });
    window.addEventListener('pointercancel', event => this.#cancel(event), { signal });
    root.addEventListener(
      'pointerleave',
      () => {
        cursor.now(null);
        tip.hide();
      },
      { signal },
    );
    root.addEventListener('pointerover', event => (this.#gesture ? tip.hide() : tip.show(idOf(event.target))), { signal });
    // Selected text would make the next press a native drag, which cancels the pointer.
    root.addEventListener('mousedown', event => isField(event.target) || event.preventDefault(), { signal });
    root.addEventListener('dragstart', event => event.preventDefault(), { signal });
    root.addEventListener('click', event => this.#click(event), { signal, capture: true });
    root.addEventListener('dblclick', event => this.#doubleClick(event), { signal });
    root.addEventListener('wheel', event => this.#wheel(event), { signal, passive: false });
    const unpinch = onPinch(
      root,
      (at, factor) => this.#zoom(at, factor),
      () => this.#pointers.size > 0,
    );
    return () => {
      end.abort();
      unpinch();
    };
  }

  /** Ends the gesture without its effect. False: there is none. */
  stop(suppressesClick: boolean): boolean {
    const held = this.#gesture;
    if (!held) return false;
    this.#end(suppressesClick);
    held.gesture.cancel();
    this.#host.schedule();
    return true;
  }

  #end(suppressesClick: boolean): void {
    this.#gesture = null;
    this.#suppressClick = suppressesClick;
    delete this.#host.root.dataset['panning'];
  }

  #point(event: Pick<MouseEvent, 'clientX' | 'clientY'>): Point {
    // Asking for the place of an element makes the browser lay out what changed; during a gesture it stands still.
    if (this.#frameAt === null || !this.#gesture) this.#frameAt = this.#host.root.getBoundingClientRect();
    return { x: event.clientX - this.#frameAt.left, y: event.clientY - this.#frameAt.top };
  }

  #input(event: PointerEvent): Input {
    const screen = this.#point(event);
    const target = event.target instanceof Element ? event.target : null;
    return {
      screen,
      board: toBoard(this.#host.camera, screen),
      id: idOf(target) ?? null,
      handle: target?.closest<HTMLElement>('[data-handle]')?.dataset['handle'] ?? null,
      ...modifiersOf(event),
    };
  }

  #down(event: PointerEvent): void {
    const host = this.#host;
    host.touch();
    this.#pointers.set(event.pointerId, this.#point(event));
    const target = event.target instanceof Element ? event.target : null;
    if (isField(target)) return;
    if (this.#pointers.size === 2) {
      this.stop(false);
      this.#pinch = between([...this.#pointers.values()]);
      return;
    }
    if (event.button === 2 || this.#gesture) return;
    this.#suppressClick = false;
    const input = this.#input(event);
    // A button is for pressing; a row of a card may also be dragged by.
    if (target?.closest('button, a[href]')) return;
    if (host.editor.isOpen) host.editor.close(true);
    const pressed = input.id === null ? null : host.scene.items.get(input.id)?.element;
    (pressed ?? host.root).focus({ preventScroll: true });
    const chosen = tools[host.local.tool];
    const tool = event.button === 1 || this.isPanKeyDown ? hand : chosen.writes && !host.board.isWritable ? tools.select : chosen;
    const gesture = tool.press(input, host);
    if (!gesture) return;
    if (tool === hand) host.root.dataset['panning'] = 'yes';
    this.#gesture = { gesture, start: input.screen, isMoved: false, last: input };
    host.tip.hide();
  }

  #move(event: PointerEvent): void {
    const host = this.#host;
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, this.#point(event));
    const pinch = this.#pinch;
    if (pinch && this.#pointers.size === 2) {
      const { distance, middle } = (this.#pinch = between([...this.#pointers.values()]));
      const { camera } = host;
      const panned = panBy(camera, middle.x - pinch.middle.x, middle.y - pinch.middle.y);
      host.setCamera(zoomAt(panned, middle, camera.zoom * (distance / pinch.distance)));
      return;
    }
    const held = this.#gesture;
    if (held) {
      const screen = this.#point(event);
      const input: Input = { ...held.last, screen, board: toBoard(host.camera, screen), ...modifiersOf(event) };
      held.last = input;
      held.isMoved ||= isFar(held.start, input.screen);
      held.gesture.move(input);
      host.cursor.ask(input.board);
    } else if (event.target instanceof Node && host.root.contains(event.target)) {
      host.cursor.ask(toBoard(host.camera, this.#point(event)));
    }
  }

  /** It counts while something is held, whether or not the pointer moves. */
  #alt(event: KeyboardEvent): void {
    const held = this.#gesture;
    if (!held?.isMoved || event.key !== 'Alt') return;
    event.preventDefault();
    held.last = { ...held.last, alt: event.type === 'keydown' };
    held.gesture.move(held.last);
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size < 2) this.#pinch = null;
    const held = this.#gesture;
    if (!held) return;
    const screen = this.#point(event);
    this.#end(held.isMoved);
    const { ctrl, alt } = modifiersOf(event);
    held.gesture.up({ ...held.last, screen, board: toBoard(this.#host.camera, screen), ctrl, alt });
    this.#host.readBoard();
  }

  #cancel(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    this.stop(true);
  }

  #click(event: MouseEvent): void {
    if (this.#suppressClick) {
      this.#suppressClick = false;
      event.stopPropagation();
      event.preventDefault();
      return;
    }
    const target = event.target instanceof Element ? event.target : null;
    const pressed = target?.closest<HTMLElement>('[data-act]');
    if (!pressed || pressed.getAttribute('aria-disabled') === 'true') return;
    const { act, of, option, line } = pressed.dataset;
    const action = actions[act ?? ''];
    if (!action) return;
    event.stopPropagation();
    action({ objectId: idOf(pressed) ?? null, of: of ?? '', option: option ?? '', line: Number(line ?? -1) }, this.#host);
  }

  #doubleClick(event: MouseEvent): void {
    if (event.target instanceof Element && event.target.closest('[data-act], button, a')) return;
    const id = idOf(event.target);
    const object = id === undefined ? undefined : this.#host.scene.items.get(id)?.object;
    if (id === undefined || !object) return;
    // What can be written in place is; the rest opens.
    if (viewOf(object).edit(object)) this.#host.edit(id);
    else this.#host.open(id);
  }

  #wheel(event: WheelEvent): void {
    const host = this.#host;
    const isZoom = event.ctrlKey || event.metaKey;
    // In a cell the page scrolls past, until a person works in the board.
    if (!isZoom && host.local.host === 'cell' && !host.root.contains(document.activeElement)) {
      host.hint('Click the board to pan it with the wheel, or hold Ctrl to zoom');
      return;
    }
    if (isField(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (isZoom) {
      const factor = 2 ** (-Math.max(-240, Math.min(240, event.deltaY * unit)) * (Math.abs(event.deltaY) < 20 ? 0.01 : 0.003));
      this.#zoom(event, factor);
    } else {
      const [dx, dy] = event.shiftKey && event.deltaX === 0 ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      host.setCamera(panBy(host.camera, -dx * unit, -dy * unit));
    }
  }

  #zoom(at: { clientX: number; clientY: number }, factor: number): void {
    const { camera } = this.#host;
    this.#host.setCamera(zoomAt(camera, this.#point(at), camera.zoom * factor));
  }
}
