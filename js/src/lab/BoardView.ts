// A Lumino widget that shows one board. Both the document tab and the cell output are this.
import { Notification } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { needsOf } from '../store/needs.js';
import { type Host, loadBundle, type Mounted } from './bundle.js';
import { type Notices, noticesOf } from './notices.js';

export class BoardView extends Widget {
  readonly #host: 'cell' | 'tab';
  readonly #can: Host;
  #mounted: Mounted | undefined;
  #path: string | undefined;
  #wake: (() => void) | undefined;
  #isActive = false;
  #notices: Notices | undefined;
  #leave: (() => void) | undefined;

  constructor(host: 'cell' | 'tab', can: Host) {
    super();
    this.#host = host;
    this.#can = can;
    this.addClass('agor-host');
    this.node.style.cssText = host === 'tab' ? 'width:100%;height:100%;min-height:0' : 'width:100%';
  }

  /** Shows the board. The same path again: it is looked for again if it is not shown. */
  async open(path: string): Promise<void> {
    if (path === this.#path) {
      this.#mounted?.look();
      this.#wake?.();
      return;
    }
    this.#path = path;
    this.#close();
    for (let attempt = 0; !this.isDisposed && this.#path === path; attempt += 1) {
      try {
        const { mountBoard } = await loadBundle(attempt);
        if (this.isDisposed || this.#path !== path) return;
        this.#mounted = mountBoard(this.node, { path, host: this.#host, ...this.#can });
        this.#tell(path, this.#mounted);
        // Unless a person went on elsewhere meanwhile.
        if (this.#isActive && this.node.contains(document.activeElement)) this.#mounted.focus();
        return;
      } catch (error) {
        console.warn('agor: the canvas could not be loaded', error);
        this.node.textContent = `${path} opens here by itself as soon as the server can be reached. If it runs, see whether its extension agor_jupyter is enabled.`;
      }
      await this.#pause(attempt);
    }
  }

  /** Its tab was chosen: keys work without a press on the board. */
  protected override onActivateRequest(): void {
    this.#isActive = true;
    this.#mounted?.focus();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#close();
    this.#wake?.();
    super.dispose();
  }

  protected override onAfterShow(): void {
    this.#notices?.look();
  }
  protected override onAfterHide(): void {
    this.#notices?.look();
  }

  #close(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#mounted?.unmount();
    this.#mounted = undefined;
  }

  /** What waits for a person is told outside of the board, while nobody can see it. */
  #tell(path: string, mounted: Mounted): void {
    const notices = noticesOf(path, Notification, () => this.#can.showBoard?.(path));
    const look = () => notices.look();
    const undo = [
      notices.join(() => this.isVisible && document.visibilityState === 'visible'),
      mounted.watch(state => state.isLoaded && notices.take(needsOf(path, state))),
      () => document.removeEventListener('visibilitychange', look),
    ];
    document.addEventListener('visibilitychange', look);
    this.#notices = notices;
    this.#leave = () => {
      for (const one of undo.reverse()) one();
    };
  }

  /** Longer each time, up to 10 s; shorter when somebody looks. */
  #pause(attempt: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, Math.min(10_000, 500 * 1.6 ** attempt));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
