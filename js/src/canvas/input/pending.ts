// What was asked for from a thing on the board and is not answered yet, and what went wrong with it.

export interface Trouble {
  readonly title: string;
  readonly text: string;
}

export class PendingActions {
  readonly #waiting = new Set<string>();
  readonly #troubles = new Map<string, Trouble>();
  readonly #changed: (id: string) => void;

  /** `changed`: the thing has to be drawn again. */
  constructor(changed: (id: string) => void) {
    this.#changed = changed;
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  trouble(id: string): Trouble | null {
    return this.#troubles.get(id) ?? null;
  }

  dismiss(id: string): void {
    this.#troubles.delete(id);
    this.#changed(id);
  }

  /** Does it, one at a time for each thing. `id` null: for none of them. */
  run(id: string | null, job: () => Promise<void>): void {
    if (id !== null && this.#waiting.has(id)) return;
    this.#set(id, true, null);
    job().then(
      () => this.#set(id, false, null),
      (error: unknown) => this.#set(id, false, { title: 'Not sent', text: sentenceOf(error) }),
    );
  }

  /** What went wrong with it; `null`: nothing does any more. */
  say(id: string, trouble: Trouble | null): void {
    if (trouble === null && !this.#troubles.has(id)) return;
    this.#set(id, this.#waiting.has(id), trouble);
  }

  #set(id: string | null, isWaiting: boolean, trouble: Trouble | null): void {
    if (id === null) return;
    if (isWaiting) this.#waiting.add(id);
    else this.#waiting.delete(id);
    if (trouble === null) this.#troubles.delete(id);
    else this.#troubles.set(id, trouble);
    this.#changed(id);
  }
}

export const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'The server did not answer. Nothing was changed. Try again.';
