// In which order records stand. Pure.

interface Made {
  readonly id: string;
  readonly createdAt: string;
}

/** Oldest first. */
export const byAge = (a: Made, b: Made): number => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1);
