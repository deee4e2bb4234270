// The labextension holds no React and no canvas: it imports the bundle that the anywidget's loader imports too.
import { PageConfig } from '@jupyterlab/coreutils';
import * as Y from 'yjs';

import type { BoardState } from '../store/types.js';
import { agorGlobal } from '../transport/page.js';
import type { Notebook } from './notebook.js';

/** A page of this server: what a service of a worktree serves. */
export interface Page {
  readonly url: string;
  readonly title: string;
}

/** What JupyterLab can do for a board. */
export interface Host {
  readonly openInTab?: ((path: string) => void) | undefined;
  readonly openTerminal?: ((command: readonly string[]) => void) | undefined;
  readonly openNotebook?: ((notebook: Notebook) => Promise<void>) | undefined;
  /** Brings a board to the front. */
  readonly showBoard?: ((path: string) => void) | undefined;
  readonly openPage?: ((page: Page) => void) | undefined;
}
export interface Mounted {
  look(): void;
  focus(): void;
  watch(listener: (state: BoardState) => void): () => void;
  unmount(): void;
}
interface Bundle {
  mountBoard(el: HTMLElement, options: { path: string; host: 'cell' | 'tab' } & Host): Mounted;
}

const page = agorGlobal();
page.Y = Y;

/** `attempt`: how often it failed before. A browser keeps a module that it could not load, so each attempt has another address. */
export function loadBundle(attempt = 0): Promise<Bundle> {
  const hash = PageConfig.getOption('agorBundle');
  const known = page.modules[hash] as Promise<Bundle> | undefined;
  if (known) return known;
  const url = `${PageConfig.getBaseUrl()}agor/static/canvas.js?v=${hash}${attempt ? `&attempt=${attempt}` : ''}`;
  const loading = import(/* webpackIgnore: true */ url) as Promise<Bundle>;
  page.modules[hash] = loading;
  loading.catch(() => delete page.modules[hash]);
  return loading;
}
