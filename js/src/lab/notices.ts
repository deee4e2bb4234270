// What needs a person reaches JupyterLab's notification centre while nobody can see the board: one notice for a board, kept up to date,
// and nothing is told twice.
import type { Need, NeedKind } from '../store/needs.js';

/** The part of JupyterLab's `Notification` that is used. */
export interface Center {
  emit(message: string, type: 'warning', options: { autoClose: number; actions: { label: string; callback: () => void }[] }): string;
  update(change: { id: string; message: string }): boolean;
  dismiss(id: string): void;
}

const TOAST_MS = 10_000;
const COUNTED: Readonly<Record<NeedKind, readonly [string, string]>> = {
  question: ['question', 'questions'],
  failure: ['failure', 'failures'],
  slot: ['finished slot', 'finished slots'],
  budget: ['budget', 'budgets'],
};

export class Notices {
  readonly #name: string;
  readonly #center: Center;
  readonly #open: () => void;
  /** Each view of the board, and what it needs to know of it: whether somebody can see it. */
  readonly #views = new Set<() => boolean>();
  readonly #told = new Set<string>();
  /** What asks nothing is over when somebody has seen it, and so is what was there when the board was opened. */
  readonly #seen = new Set<string>();
  #needs: readonly Need[] = [];
  #isNew = true;
  #shown: string | null = null;

  constructor(path: string, center: Center, open: () => void) {
    this.#name = path.split('/').at(-1) ?? path;
    this.#center = center;
    this.#open = open;
  }

  /** Returns its own undo. */
  join(isSeen: () => boolean): () => void {
    this.#views.add(isSeen);
    return () => {
      this.#views.delete(isSeen);
      if (!this.#views.size) this.#hide();
    };
  }

  take(needs: readonly Need[]): void {
    if (this.#isNew) this.#see(needs);
    this.#isNew = false;
    this.#needs = needs.filter(({ id }) => !this.#seen.has(id));
    this.look();
  }

  #see(needs: readonly Need[]): void {
    for (const { id, kind } of needs) if (kind !== 'question') this.#seen.add(id);
  }

  /** Also when the board is shown or hidden. */
  look(): void {
    const isSeen = [...this.#views].some(one => one());
    const fresh = this.#needs.filter(({ id }) => !this.#told.has(id));
    // What is answered can be asked again only as another question.
    for (const { id } of fresh) this.#told.add(id);
    if (isSeen) {
      this.#see(this.#needs);
      this.#needs = this.#needs.filter(({ kind }) => kind === 'question');
    }
    if (isSeen || !this.#needs.length) {
      this.#hide();
      return;
    }
    if (this.#shown !== null && this.#center.update({ id: this.#shown, message: this.#message() })) return;
    this.#shown = null;
    if (!fresh.length) return;
    this.#shown = this.#center.emit(this.#message(), 'warning', {
      autoClose: TOAST_MS,
      actions: [{ label: 'Show the board', callback: this.#open }],
    });
  }

  #message(): string {
    const [first] = this.#needs;
    if (this.#needs.length === 1) return `${first?.text}, on ${this.#name}`;
    const counts = new Map<NeedKind, number>();
    for (const { kind } of this.#needs) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (counts.size === 1 && first?.kind === 'question') return `${this.#needs.length} questions wait for you on ${this.#name}`;
    const words = [...counts].map(([kind, n]) => `${n} ${COUNTED[kind][n === 1 ? 0 : 1]}`);
    const last = words.pop() ?? '';
    return `${words.length ? `${words.join(', ')} and ${last}` : last} on ${this.#name}`;
  }

  #hide(): void {
    if (this.#shown === null) return;
    this.#center.dismiss(this.#shown);
    this.#shown = null;
  }
}

const boards = new Map<string, Notices>();

/** One for all views of a board in this page. */
export function noticesOf(path: string, center: Center, open: () => void): Notices {
  let found = boards.get(path);
  if (!found) boards.set(path, (found = new Notices(path, center, open)));
  return found;
}
