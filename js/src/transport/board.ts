// One of each board per page, however many views show it.
import { agorGlobal } from './page.js';

interface Held<T> {
  value: T;
  holders: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** Long enough for a cell that is run again, or a tab that is moved. */
const LINGER_MS = 2000;

/** What `open` made for this path, made once. The last holder's release closes it, a moment later. */
export function holdBoard<T>(path: string, open: () => T, close: (value: T) => void): { value: T; release: () => void } {
  const boards = agorGlobal().shared as Map<string, Held<T>>;
  let held = boards.get(path);
  if (!held) {
    held = { value: open(), holders: 0 };
    boards.set(path, held);
  }
  const mine = held;
  clearTimeout(mine.timer);
  mine.holders += 1;
  let isReleased = false;
  return {
    value: mine.value,
    release: () => {
      if (isReleased) return;
      isReleased = true;
      mine.holders -= 1;
      if (mine.holders > 0) return;
      mine.timer = setTimeout(() => {
        if (boards.get(path) === mine) boards.delete(path);
        close(mine.value);
      }, LINGER_MS);
    },
  };
}
