// Which worktrees have an environment. Those that were ever started are listed; of the others each in view is asked once, unless its
// repository has turned out to describe none.
import type { Environment } from '../protocol/generated.js';
import type { BoardState } from '../store/types.js';
import type { Http } from '../transport/http.js';

/** The part of the client that is needed. */
interface Client {
  readonly http: Http;
  getState(): { readonly shared: BoardState };
  askEnvironment(worktreeId: string): Promise<Environment | null>;
  takeEnvironments(found: readonly Environment[]): void;
}

const AGAIN_MS = 10_000;

export class EnvironmentFinder {
  readonly #client: Client;
  readonly #asked = new Set<string>();
  /** Repositories of which a worktree had none. */
  readonly #without = new Set<string>();
  #listed: Promise<void> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #next: readonly string[] = [];

  constructor(client: Client) {
    this.#client = client;
  }

  /** After each snapshot: what was missed is asked for again. */
  begin(): void {
    this.#asked.clear();
    this.#without.clear();
    this.#listed = this.#client.http.get<Environment[]>('environments').then(
      found => this.#client.takeEnvironments(found),
      () => undefined,
    );
    void this.look(this.#next);
  }

  close(): void {
    this.#next = [];
    clearTimeout(this.#again);
  }

  /** These are in view. One request at a time. */
  async look(ids: readonly string[]): Promise<void> {
    this.#next = ids;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#listed;
      for (let id = this.#unknown(); id !== undefined; id = this.#unknown()) await this.#ask(id);
    } finally {
      this.#isLooking = false;
      this.#lookAgain();
    }
  }

  /** What was wrong in a file is soon mended, and nobody says so. */
  #lookAgain(): void {
    clearTimeout(this.#again);
    const troubled = this.#troubled();
    if (!troubled.length) return;
    this.#again = setTimeout(() => {
      if (document.visibilityState === 'visible') for (const id of troubled) this.#asked.delete(id);
      void this.look(this.#next);
    }, AGAIN_MS);
  }

  #troubled(): readonly string[] {
    const { environmentProblems } = this.#client.getState().shared;
    return this.#next.filter(id => environmentProblems.has(id));
  }

  #unknown(): string | undefined {
    const { worktrees, environments, environmentProblems } = this.#client.getState().shared;
    return this.#next.find(id => {
      const worktree = worktrees.get(id);
      const isOpen = !environments.has(id) || environmentProblems.has(id);
      return worktree?.state === 'ready' && isOpen && !this.#asked.has(id) && !this.#without.has(worktree.repoId);
    });
  }

  async #ask(id: string): Promise<void> {
    this.#asked.add(id);
    const repo = this.#client.getState().shared.worktrees.get(id)?.repoId ?? '';
    try {
      if ((await this.#client.askEnvironment(id)) === null) this.#without.add(repo);
    } catch {
      // Its panel asks again, and says why.
    }
  }
}
