// What the dock and the zoomer show, as a store for React, and the line of text that says why nothing happened.
import type { BoardDoc } from '../../store/types';

const HINT_MS = 2500;

export interface ChromeState {
  readonly percent: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly hint: string | null;
}

export class Chrome {
  readonly #board: BoardDoc;
  readonly #listeners = new Set<() => void>();
  #state: ChromeState = { percent: 100, canUndo: false, canRedo: false, hint: null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Said as long as nothing else is. */
  #standing: string | null = null;

  constructor(board: BoardDoc) {
    this.#board = board;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getState = (): ChromeState => this.#state;

  update(change: Partial<ChromeState> = {}): void {
    const { percent, canUndo, canRedo, hint } = this.#state;
    const next = { percent, hint, ...change, canUndo: this.#board.canUndo, canRedo: this.#board.canRedo };
    if (next.percent === percent && next.canUndo === canUndo && next.canRedo === canRedo && next.hint === hint) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }

  /** For a moment; `null` takes it away. */
  hint(text: string | null): void {
    clearTimeout(this.#timer);
    if (text !== null) this.#timer = setTimeout(() => this.update({ hint: this.#standing }), HINT_MS);
    this.update({ hint: text ?? this.#standing });
  }

  /** Until it is taken away. */
  setStanding(text: string | null): void {
    if (text === this.#standing) return;
    this.#standing = text;
    this.hint(null);
  }

  destroy(): void {
    clearTimeout(this.#timer);
  }
}
