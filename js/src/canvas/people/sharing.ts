// What colleagues see of this view: the pointer, what is held, what is looked at. Sent as often as it can be followed, and no more.
import type { AwarenessLike } from '../../store/types';
import { Pacer } from '../pace';
import type { Scene } from '../scene/scene';
import type { Point } from '../types';

const CURSOR_MS = 33;
const HELD_MS = 40;
const VIEW_MS = 250;

export class Sharing {
  readonly #awareness: AwarenessLike | null;
  readonly cursor: Pacer<Point | null>;
  readonly #held: Pacer<Readonly<Record<string, Point>> | null>;
  readonly #view: Pacer<void>;

  constructor(awareness: AwarenessLike | null, scene: Scene) {
    this.#awareness = awareness;
    this.cursor = new Pacer(CURSOR_MS, at => this.set('cursor', at));
    this.#held = new Pacer(HELD_MS, held => this.set('held', held));
    this.#view = new Pacer<void>(VIEW_MS, () => {
      const { x, y, zoom } = scene.camera;
      this.set('viewport', { x, y, zoom, ...scene.size });
    });
  }

  set(field: string, value: unknown): void {
    this.#awareness?.setLocalStateField(field, value);
  }

  /** Letting go is said at once. */
  held(held: Readonly<Record<string, Point>> | null): void {
    if (held === null) this.#held.now(null);
    else this.#held.ask(held);
  }

  view(): void {
    this.#view.ask();
  }

  destroy(): void {
    for (const pace of [this.cursor, this.#held, this.#view]) pace.stop();
    this.set('cursor', null);
  }
}
