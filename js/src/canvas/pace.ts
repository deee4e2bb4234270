// Does something at most once in a while: at once when it was quiet, and always with the last value.

export class Pacer<T> {
  readonly #every: number;
  readonly #job: (value: T) => void;
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(everyMs: number, job: (value: T) => void) {
    this.#every = everyMs;
    this.#job = job;
  }

  ask(value: T): void {
    clearTimeout(this.#timer);
    const wait = this.#last + this.#every - performance.now();
    if (wait <= 0) this.now(value);
    else this.#timer = setTimeout(() => this.now(value), wait);
  }

  now(value: T): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    this.#job(value);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
