// The anywidget: draws the board in hosts where our labextension is not, and carries traits and the comm.
import { mountBoard } from '../page/mount.js';
import { texts } from '../texts';
import { pageConfig } from '../transport/page.js';
import type { AnyModel } from './anywidget.js';

export function widget() {
  return {
    render({ model, el }: { model: AnyModel; el: HTMLElement }) {
      const path = String(model.get('path') ?? '');
      if (!pageConfig()) {
        el.textContent = texts.host.noServer(path);
        return undefined;
      }
      return mountBoard(el, { path, host: 'cell' }).unmount;
    },
  };
}
