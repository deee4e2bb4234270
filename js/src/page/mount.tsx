// Mounts a board into an element, in any host.
import { createRoot } from 'react-dom/client';

import { texts } from '../texts.js';

export interface MountOptions {
  path: string;
  host: 'cell' | 'tab' | 'page';
}

/** Returns its own undo. */
export function mountBoard(el: HTMLElement, { path }: MountOptions): () => void {
  const root = createRoot(el);
  root.render(<p>{texts.host.opening(path)}</p>);
  return () => root.unmount();
}
