// The part of the board that is on the screen: how large it is, and what a person asks it to show. Where it looks is the viewpoint's.
import type { LocalState, Presence } from '../../store/types';
import { union } from '../layout/geometry';
import { boxOf } from '../layout/item';
import { CARD, freePlace } from '../layout/placement';
import { viewOf } from '../objects';
import type { Scene } from '../scene/scene';
import { roundPoint } from '../tools/tool';
import type { Box, Camera, Point } from '../types';
import { fit, toBoard, visibleBox, zoomAt } from './camera';
import { Viewpoint } from './viewpoint';

/** It is called moving until it has been still for that long. */
const REST_MS = 250;
const NARROW = 900;

const hasPanel = (local: LocalState): boolean => local.openSessionId !== null || local.openDiffId !== null;

export interface ViewportHost {
  /** The camera is another one. */
  moved(): void;
  /** It moves no more. */
  rested(): void;
}

export class Viewport {
  readonly #root: HTMLElement;
  readonly #scene: Scene;
  readonly #host: ViewportHost;
  readonly #point: Viewpoint;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement, scene: Scene, local: LocalState, host: ViewportHost) {
    this.#root = root;
    this.#scene = scene;
    this.#host = host;
    this.#point = new Viewpoint(scene, local.host === 'cell', () => this.#moved());
    this.#point.hasPanel = hasPanel(local);
  }

  get isMoving(): boolean {
    return this.#root.dataset['moving'] !== undefined;
  }

  #moved(): void {
    if (!this.isMoving) this.#root.dataset['moving'] = 'yes';
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      // A busy machine may draw no frame for longer than that.
      if (this.#point.isFlying) return this.#moved();
      delete this.#root.dataset['moving'];
      this.#host.rested();
    }, REST_MS);
    this.#host.moved();
  }

  // What a person does

  /** Under a wheel or a finger. */
  move(camera: Camera): void {
    this.#point.move(camera);
  }

  /** The pointer went down. */
  touch(): void {
    this.#point.touch();
  }

  fit(): void {
    this.#point.fit();
  }

  zoomTo(ids: Iterable<string>): void {
    const box = union([...ids].map(id => this.#scene.layout.boxOf(id)).filter(one => one !== null));
    if (box) this.#point.go(this.#point.fitting(box));
  }

  zoomBy(factor: number): void {
    const { aim } = this.#point;
    this.#point.go(zoomAt(aim, this.#center(), aim.zoom * factor));
  }

  actualSize(): void {
    this.#point.go(zoomAt(this.#scene.camera, this.#center(), 1));
  }

  /** What a colleague looks at, whatever the size of their window. */
  lookAt(seen: NonNullable<Presence['viewport']>): void {
    this.#point.go(fit(visibleBox(seen, seen), this.#scene.size, { top: 0, right: 0, bottom: 0, left: 0 }));
  }

  /** Into view at once. */
  reveal(box: Box): void {
    this.#point.focus(box);
  }

  #center(): Point {
    return { x: this.#scene.size.width / 2, y: this.#scene.size.height / 2 };
  }

  // What happens around it

  /** The board has arrived, or changed. */
  boardChanged(): void {
    if (this.#scene.size.width > 0) this.#point.changed();
  }

  /** `focused`: where the thing lies that has the keyboard. */
  localChanged(before: LocalState, local: LocalState, focused: () => Box | null): void {
    this.#point.isCell = local.host === 'cell';
    this.#point.hasPanel = hasPanel(local);
    // The board has its new size when the frame is drawn.
    if (local.host !== before.host) requestAnimationFrame(() => this.measure() && this.#point.settle());
    if (hasPanel(before) && !hasPanel(local)) requestAnimationFrame(() => this.measure() && this.#point.closed(focused()));
  }

  /** Keeps a thing in view when a panel opens beside the board. */
  show(id: string): void {
    const box = this.#scene.layout.boxOf(id);
    if (box && this.measure()) this.#point.opened(box);
  }

  /** False: it is not on the screen. */
  measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width === 0 || height === 0) return false;
    this.#scene.size = { width, height };
    this.#root.dataset['narrow'] = width < NARROW ? 'yes' : 'no';
    return true;
  }

  /** The board has another size. `first`: done before it looks anywhere for the first time. */
  resized(first: () => void): boolean {
    const before = this.#scene.size;
    if (!this.measure()) return false;
    if (!this.#point.isPlaced) first();
    this.#point.resized(before);
    return true;
  }

  /** Where a new card should lie, in board units. */
  freePlace(): Point {
    const { layout, size, camera } = this.#scene;
    const { left, top, right, bottom } = this.#point.clear();
    const { zoom } = camera;
    const seen = { ...toBoard(camera, { x: left, y: top }), width: (size.width - left - right) / zoom, height: (size.height - top - bottom) / zoom };
    const zones: Box[] = [];
    const cards: Box[] = [];
    const notes: Box[] = [];
    for (const item of layout.items.values()) (item.isContainer ? zones : viewOf(item.object).isStacked ? cards : notes).push(boxOf(item));
    const at = freePlace({ seen, zones, cards, notes });
    return roundPoint(layout.landing({ ...at, ...CARD }).at);
  }

  destroy(): void {
    this.#point.land();
    clearTimeout(this.#rest);
  }
}
