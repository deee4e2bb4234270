// Where the view looks, and who moved it last: a person, whose view is left alone, or nobody yet, and then it shows all at any size.

import { encloses } from '../layout/geometry';
import type { Box, Camera } from '../types';
import type { Size } from './camera';
import { fit, panBy, reveal, visibleBox } from './camera';

const FLIGHT_MS = 240;
/** A cell shows a large board from its corner rather than smaller than this. */
const READABLE = 0.5;
/** A card that touches the view's edge looks cut off. */
const EDGE = 16;

/** What it moves. */
export interface Looked {
  camera: Camera;
  readonly size: Size;
  bounds(): Box | null;
}

export class Viewpoint {
  /** In a cell there is less room than in a tab or on a full screen. */
  isCell: boolean;
  /** A panel is open beside the board. */
  hasPanel = false;
  readonly #scene: Looked;
  readonly #moved: () => void;
  #isPlaced = false;
  /** It shows all, or the corner where it began: it does so at any size, until a person moves it. */
  #isHome = false;
  /** A person asked for all of it, however small. */
  #fitsAll = false;
  /** A board that was empty shows what comes to it, until a person touches it. */
  #isFollowing = false;
  /** Where it was before a panel opened. */
  #before: Camera | null = null;
  /** Where a flight ends: pressing twice goes twice as far. */
  #goal: Camera | null = null;
  #flight = 0;

  constructor(scene: Looked, isCell: boolean, moved: () => void) {
    this.#scene = scene;
    this.isCell = isCell;
    this.#moved = moved;
  }

  get isPlaced(): boolean {
    return this.#isPlaced;
  }

  get isFlying(): boolean {
    return this.#goal !== null;
  }

  /** Where it is, or will be when the flight is over. */
  get aim(): Camera {
    return this.#goal ?? this.#scene.camera;
  }

  // What a person does

  /** From here on nothing moves the view by itself. */
  take(): void {
    this.#isFollowing = false;
    this.#isHome = false;
    this.#before = null;
    this.land();
  }

  /** At once, as under a wheel or a finger. */
  move(camera: Camera): void {
    this.take();
    this.#look(camera);
  }

  /** Glides there. */
  go(camera: Camera): void {
    this.take();
    this.#fly(camera);
  }

  fit(): void {
    this.take();
    this.#isHome = true;
    this.#fitsAll = true;
    this.#fly(this.#home());
  }

  /** The pointer went down: nothing that comes to the board moves it now. */
  touch(): void {
    this.#isFollowing = false;
    this.land();
  }

  /** What has the focus now is in view, or will be when the flight is over. */
  focus(box: Box): void {
    const camera = reveal(this.aim, box, this.#scene.size);
    if (camera !== this.aim) this.move(camera);
  }

  // What happens around it

  /** The board has arrived, or changed. */
  changed(): void {
    const box = this.#scene.bounds();
    if (!this.#isPlaced) {
      this.#isPlaced = true;
      this.#isFollowing = box === null;
      this.#isHome = true;
      this.#look(this.#home());
    } else if (this.#isFollowing && box && !this.#holds(box)) this.#fly(this.#home());
  }

  /** The board has another size on the screen. A panel covers a part of it, and moves no more than it must. */
  resized(before: Size): void {
    const { size, camera } = this.#scene;
    if (!this.#isPlaced || this.hasPanel || (size.width === before.width && size.height === before.height)) return;
    this.land();
    this.#look(this.#isHome ? this.#home() : panBy(camera, (size.width - before.width) / 2, (size.height - before.height) / 2));
  }

  /** There is more room around it, or less. */
  settle(): void {
    if (this.#isHome && !this.hasPanel) this.#look(this.#home());
  }

  /** A panel opened for this: it stays in view. The way back is kept until the panel closes. */
  opened(box: Box): void {
    const camera = reveal(this.aim, box, this.#scene.size);
    if (camera === this.aim) return;
    this.#before ??= this.aim;
    this.#fly(camera);
  }

  /** The panel closed: what it pushed aside comes back, as far as what has the focus stays in view. */
  closed(focused: Box | null): void {
    const before = this.#before;
    this.#before = null;
    if (this.#isHome) this.#fly(this.#home());
    else if (before) this.#fly(focused ? reveal(before, focused, this.#scene.size) : before);
  }

  /** The beginning of the board. */
  origin(): Camera {
    const { left, top } = this.#margins();
    return { x: left, y: top, zoom: 1 };
  }

  /** The view that shows all of this. */
  fitting(box: Box): Camera {
    return fit(box, this.#scene.size, this.#margins());
  }

  land(): void {
    cancelAnimationFrame(this.#flight);
    this.#goal = null;
  }

  #look(camera: Camera): void {
    this.#scene.camera = camera;
    this.#moved();
  }

  #home(): Camera {
    const box = this.#scene.bounds();
    if (!box) return this.origin();
    const camera = this.fitting(box);
    if (!this.isCell || this.#fitsAll || camera.zoom >= READABLE) return camera;
    const { left, top } = this.#margins();
    return { x: left - box.x * READABLE, y: top - box.y * READABLE, zoom: READABLE };
  }

  #holds(box: Box): boolean {
    const { camera, size } = this.#scene;
    const by = EDGE / camera.zoom;
    return encloses(visibleBox(camera, size), { x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by });
  }

  /** What a card should keep from each edge to be seen, and not to lie under the tools. */
  clear(): { readonly top: number; readonly right: number; readonly bottom: number; readonly left: number } {
    return this.#margins();
  }

  #margins(): { top: number; right: number; bottom: number; left: number } {
    return this.isCell ? { top: 32, right: 12, bottom: 56, left: 12 } : { top: 36, right: 32, bottom: 80, left: 32 };
  }

  /** Glides there, or jumps for those who asked for less motion. */
  #fly(to: Camera): void {
    this.land();
    const from = this.#scene.camera;
    if (from.x === to.x && from.y === to.y && from.zoom === to.zoom) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#look(to);
      return;
    }
    this.#goal = to;
    this.#moved();
    const begin = performance.now();
    const step = (now: number): void => {
      const t = Math.min(1, Math.max(0, (now - begin) / FLIGHT_MS));
      const eased = 1 - (1 - t) ** 3;
      // The zoom moves by equal factors; the middle of the view goes straight.
      const zoom = from.zoom * (to.zoom / from.zoom) ** eased;
      const blend = from.zoom === to.zoom ? eased : (1 / zoom - 1 / from.zoom) / (1 / to.zoom - 1 / from.zoom);
      const x = (-from.x / from.zoom) * (1 - blend) + (-to.x / to.zoom) * blend;
      const y = (-from.y / from.zoom) * (1 - blend) + (-to.y / to.zoom) * blend;
      if (t < 1) this.#flight = requestAnimationFrame(step);
      else this.#goal = null;
      this.#look(t === 1 ? to : { x: -x * zoom, y: -y * zoom, zoom });
    };
    this.#flight = requestAnimationFrame(step);
  }
}
