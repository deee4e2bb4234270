// The labextension holds no React and no canvas: it imports the bundle that the anywidget's loader imports too.
import { PageConfig } from '@jupyterlab/coreutils';
import * as Y from 'yjs';

import { agorGlobal } from '../transport/page.js';

/** What JupyterLab can do for a board. */
export interface Host {
  readonly openInTab?: ((path: string) => void) | undefined;
  readonly openTerminal?: ((command: readonly string[]) => void) | undefined;
}
export interface Mounted {
  look(): void;
  focus(): void;
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
