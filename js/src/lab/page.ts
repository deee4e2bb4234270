// A tab with what a service of a worktree serves: a frame, and a bar with its address.
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import type { Page } from './bundle.js';
import { boardIcon } from './icon.js';

/**
 * Such a page comes from this server's own address and needs its login, so that it has to keep its origin. The sandbox keeps it from
 * leading the whole window elsewhere; what it may do in the person's name is what JupyterLab may: it is the repository's own program, which
 * an owner has started.
 */
const SANDBOX = 'allow-scripts allow-same-origin allow-forms allow-popups allow-downloads allow-modals';
const SIZES = { '': 'Full size', '390x844': 'Phone, 390 × 844', '820x1180': 'Tablet, 820 × 1180', '1280x800': 'Laptop, 1280 × 800' } as const;

class PageView extends Widget {
  readonly #frame = document.createElement('iframe');
  readonly #address = document.createElement('input');
  readonly #base: string;

  constructor({ url, title }: Page, base: string) {
    super();
    this.#base = base;
    this.addClass('agor-page-view');
    this.node.style.cssText = 'display:flex;flex-direction:column;min-height:0;background:var(--jp-layout-color1)';
    this.#frame.setAttribute('sandbox', SANDBOX);
    this.#frame.title = title;
    this.#frame.src = url;
    this.#frame.style.cssText = 'flex:none;width:100%;height:100%;border:0;margin:0 auto;background:#fff';
    this.#frame.addEventListener('load', () => this.#follow());
    const box = document.createElement('div');
    box.style.cssText = 'flex:1;min-height:0;overflow:auto;background:var(--jp-layout-color2)';
    box.append(this.#frame);
    this.node.append(this.#bar(url), box);
  }

  #bar(url: string): HTMLElement {
    const bar = document.createElement('div');
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', 'Page');
    bar.style.cssText = 'display:flex;gap:6px;align-items:center;flex:none;padding:4px 8px;border-bottom:1px solid var(--jp-border-color2)';
    this.#address.value = this.#shown(url);
    this.#address.className = 'jp-mod-styled';
    this.#address.setAttribute('aria-label', 'Address, below the server');
    this.#address.spellcheck = false;
    this.#address.style.cssText = 'flex:1;min-width:80px;height:26px';
    this.#address.addEventListener('keydown', event => {
      if (event.key === 'Enter') this.#go();
      if (event.key === 'Escape') this.#follow();
    });
    const size = document.createElement('select');
    size.className = 'jp-mod-styled';
    size.setAttribute('aria-label', 'Size of the page');
    size.style.cssText = 'height:26px;max-width:160px';
    for (const [value, label] of Object.entries(SIZES)) size.append(new Option(label, value));
    size.addEventListener('change', () => {
      const [width, height] = size.value.split('x');
      Object.assign(this.#frame.style, { width: width ? `${width}px` : '100%', height: height ? `${height}px` : '100%', display: 'block' });
    });
    bar.append(
      button('Reload', () => this.#reload()),
      this.#address,
      size,
      button('Open outside', () => window.open(this.#frame.src, '_blank', 'noopener')),
    );
    return bar;
  }

  #reload(): void {
    // A frame that shows an error has no location that may be read.
    this.#frame.src = this.#where();
  }

  #where(): string {
    try {
      const at = this.#frame.contentWindow?.location.href ?? '';
      return at.startsWith(this.#base) ? at : this.#frame.src;
    } catch {
      return this.#frame.src;
    }
  }

  #follow(): void {
    this.#address.value = this.#shown(this.#where());
  }

  /** What was typed is below this server, or it is not gone to. */
  #go(): void {
    try {
      const url = new URL(this.#address.value.trim().replace(/^\/+/, ''), this.#base);
      if (url.href.startsWith(this.#base)) this.#frame.src = url.href;
      else this.#follow();
    } catch {
      this.#follow();
    }
  }

  #shown(url: string): string {
    return url.startsWith(this.#base) ? `/${url.slice(this.#base.length)}` : url;
  }
}

function button(text: string, act: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'jp-mod-styled';
  made.style.cssText = 'height:26px;line-height:26px;padding:0 10px;white-space:nowrap';
  made.textContent = text;
  made.addEventListener('click', act);
  return made;
}

/** One tab for one address: it is shown again when it is open already. */
export function pageOf(app: JupyterFrontEnd): (page: Page) => void {
  const open = openPages;
  return page => {
    const known = open.get(page.url);
    if (known && !known.isDisposed) return app.shell.activateById(known.id);
    const base = new URL(app.serviceManager.serverSettings.baseUrl, location.href).href;
    const widget = new MainAreaWidget({ content: new PageView(page, base) });
    widget.id = `agor-page-${++counter}`;
    widget.title.label = page.title;
    widget.title.caption = page.url;
    widget.title.closable = true;
    widget.title.icon = boardIcon;
    widget.toolbar.hide();
    open.set(page.url, widget);
    widget.disposed.connect(() => open.delete(page.url));
    app.shell.add(widget, 'main', { mode: 'split-right' });
    app.shell.activateById(widget.id);
  };
}

const openPages = new Map<string, MainAreaWidget>();
let counter = 0;
