// One scene for both engines: N worktrees with sessions on a grid of 25 columns, as they would come from the server.
import { kinds, World } from '../../js/dev/made-up';

export const COUNT = Number(new URLSearchParams(location.search).get('n') ?? 2000);
export const COLUMNS = 25;

const MIX = ['running', 'done', 'idle', 'currency', 'queued', 'done', 'failed', 'idle', 'done', 'stopping', 'needs', 'done'];

export const world = new World();
for (let i = 0; i < COUNT; i++) {
  const make = kinds[MIX[i % MIX.length] ?? 'idle'];
  if (make) world.card(make(world), (i % COLUMNS) * 340, Math.floor(i / COLUMNS) * 320);
}

export const ZOOM = Number(new URLSearchParams(location.search).get('zoom') ?? 1);

declare global {
  interface Window {
    /** Milliseconds from the mount to the first painted frame that shows cards. */
    readyMs: number;
    /** Where the view is, and where the card nearest to the middle is, in board units. */
    where(): { view: { x: number; y: number; zoom: number }; cards: Record<string, { x: number; y: number }>; shown: number };
    look(x: number, y: number, zoom: number): void;
  }
}

/** Resolves after the frame in which `isThere` became true was painted. */
export const painted = (begin: number, isThere: () => boolean): void => {
  const look = (): void => {
    if (!isThere()) requestAnimationFrame(look);
    else requestAnimationFrame(() => setTimeout(() => (window.readyMs = performance.now() - begin)));
  };
  requestAnimationFrame(look);
};
