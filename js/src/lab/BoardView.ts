// A Lumino widget that shows one board. Both the document tab and the cell output are this.
import { Widget } from '@lumino/widgets';

import { loadBundle } from './bundle.js';

/** What JupyterLab can do for a board. */
export interface Host {
  readonly openInTab?: ((path: string) => void) | undefined;
  readonly openTerminal?: ((command: readonly string[]) => void) | undefined;
}

export class BoardView extends Widget {
  readonly #host: 'cell' | 'tab';
  readonly #can: Host;
  #unmount: (() => void) | undefined;
  #path: string | undefined;

  constructor(host: 'cell' | 'tab', can: Host) {
    super();
    this.#host = host;
    this.#can = can;
    this.addClass('agor-host');
    this.node.style.cssText = host === 'tab' ? 'width:100%;height:100%;min-height:0' : 'width:100%';
    // Lumino's own shortcuts must not take the board's keys: JupyterLab ignores keys from here.
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  async open(path: string): Promise<void> {
    if (path === this.#path) return;
    this.#path = path;
    this.#unmount?.();
    this.#unmount = undefined;
    try {
      const { mountBoard } = await loadBundle();
      if (this.isDisposed || this.#path !== path) return;
      this.#unmount = mountBoard(this.node, { path, host: this.#host, ...this.#can });
    } catch (error) {
      this.node.textContent = `The canvas could not be loaded (${String(error)}). Is the server extension agor_jupyter enabled? Then reload the page.`;
    }
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#unmount?.();
    super.dispose();
  }
}
