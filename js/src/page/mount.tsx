// Mounts a board into an element, in any host. Two views of one board in a page share one connection.
import { createRoot } from 'react-dom/client';

import { App } from '../panels/App.js';
import { BoardClient } from '../session/client.js';
import type { BoardState } from '../store/types.js';
import { injectStyles } from '../styles/inject.js';
import { texts } from '../texts';
import { holdBoard } from '../transport/board.js';
import { pageConfig } from '../transport/page.js';
import { guardComposition } from './composition.js';
import { loadLater } from './later.js';
import { keepShortcuts } from './shortcuts.js';

export interface MountOptions {
  readonly path: string;
  readonly host: 'cell' | 'tab' | 'page';
  readonly openInTab?: ((path: string) => void) | undefined;
  /** Opens a terminal with this command in it, where the host has terminals. */
  readonly openTerminal?: ((command: readonly string[]) => void) | undefined;
  /** Opens a new notebook in this folder and on this kernel, where the host has notebooks. */
  readonly openNotebook?: ((notebook: { readonly kernel: string; readonly folder: string }) => Promise<void>) | undefined;
  /** Shows a page of this server in a tab of the host. */
  readonly openPage?: ((page: { readonly url: string; readonly title: string }) => void) | undefined;
}

export interface Mounted {
  /** A cell was run again, say: if the board is not open, look for it now. */
  look(): void;
  /** Gives the board the keyboard, unless something of it has it already. */
  focus(): void;
  /** What the board knows now, and each time that it changes. Returns its own undo. */
  watch(listener: (state: BoardState) => void): () => void;
  unmount(): void;
}

export function mountBoard(el: HTMLElement, { path, host, openInTab, openTerminal, openNotebook, openPage }: MountOptions): Mounted {
  const page = pageConfig();
  if (!page) {
    el.textContent = texts.host.noServer(path);
    return { look: () => undefined, focus: () => undefined, watch: () => () => undefined, unmount: () => void (el.textContent = '') };
  }
  injectStyles();
  el.textContent = '';
  const held = holdBoard(
    path,
    () => new BoardClient(path, page),
    client => client.close(),
  );
  // Another view may have waited for it.
  held.value.look();
  const place = document.createElement('div');
  place.className = 'agor-mount';
  place.dataset.host = host;
  place.tabIndex = -1;
  const unguard = [guardComposition(place), keepShortcuts(place)];
  el.append(place);
  const load = () => loadLater(page);
  const root = createRoot(place);
  root.render(
    <App
      client={held.value}
      host={host}
      openInTab={openInTab ?? null}
      openTerminal={openTerminal ?? null}
      openNotebook={openNotebook ?? null}
      openPage={openPage ?? null}
      loadLater={load}
    />,
  );
  return {
    look: held.value.look,
    focus: () => {
      if (!place.contains(document.activeElement)) (place.querySelector<HTMLElement>('.agor-board') ?? place).focus({ preventScroll: true });
    },
    watch: listener => {
      listener(held.value.getState().shared);
      return held.value.subscribe(() => listener(held.value.getState().shared));
    },
    unmount: () => {
      root.unmount();
      for (const undo of unguard) undo();
      place.remove();
      held.release();
    },
  };
}
