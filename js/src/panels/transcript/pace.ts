// Who may read a long text when: a transcript that opens shows all of its texts at once, and reading them would hold up the page.

/** Characters that are read without a pause. */
const BUDGET = 8000;

let left = BUDGET;
let isPausing = false;
const waiting: { readonly length: number; readonly go: () => void }[] = [];

/** Whether `length` characters may be read now. */
export function mayRead(length: number): boolean {
  if (left <= 0) return false;
  spend(length);
  return true;
}

/** Calls `go` when it may be read: the one that asked last first, for a transcript opens at its end. Returns its undo. */
export function whenMayRead(length: number, go: () => void): () => void {
  const entry = { length, go };
  waiting.push(entry);
  pause();
  return () => {
    const at = waiting.indexOf(entry);
    if (at >= 0) waiting.splice(at, 1);
  };
}

function spend(length: number): void {
  left -= length;
  pause();
}

function pause(): void {
  if (isPausing) return;
  isPausing = true;
  setTimeout(() => {
    isPausing = false;
    left = BUDGET;
    for (let next = waiting.pop(); next; next = left > 0 ? waiting.pop() : undefined) {
      spend(next.length);
      next.go();
    }
  });
}
