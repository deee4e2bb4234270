// The anywidget's _esm: tiny, so that the notebook stays small. It loads the bundle from the server extension, else over the comm.
import { agorGlobal } from '../transport/page.js';
import type { AnyModel, Experimental } from './anywidget.js';

const BUILT = '__HASH__';

interface Bundle {
  widget(): Widget;
}
interface Widget {
  initialize?(context: { model: AnyModel; experimental: Experimental }): unknown;
  render(context: { model: AnyModel; el: HTMLElement; experimental: Experimental }): unknown;
}

const page = agorGlobal();

function config(): { base: string; hash: string } | null {
  const element = document.getElementById('jupyter-config-data');
  const c = (element?.textContent ? JSON.parse(element.textContent) : {}) as { baseUrl?: string; agorBundle?: string };
  const base = c.baseUrl ?? document.body?.dataset.baseUrl;
  return base ? { base: new URL(base, location.origin).href, hash: c.agorBundle || BUILT } : null;
}

function overComm(model: AnyModel): Promise<Bundle> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The kernel did not send the canvas. Run the cell again.')), 10_000);
    const receive = (message: { agor?: string }, buffers: DataView[]) => {
      if (message?.agor !== 'bundle' || !buffers[0]) return;
      clearTimeout(timer);
      model.off('msg:custom', receive);
      const url = URL.createObjectURL(new Blob([buffers[0] as BlobPart], { type: 'text/javascript' }));
      import(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    };
    model.on('msg:custom', receive);
    model.send({ agor: 'bundle' });
  });
}

async function fetchBundle(model: AnyModel): Promise<Bundle> {
  const c = config();
  if (c) {
    try {
      return (await import(`${c.base}agor/static/canvas.js?v=${c.hash}`)) as Bundle;
    } catch (error) {
      console.warn('agor: the server has no canvas, asking the kernel', error);
    }
  }
  return overComm(model);
}

function load(model: AnyModel): Promise<Bundle> {
  const hash = config()?.hash ?? BUILT;
  const known = page.modules[hash] as Promise<Bundle> | undefined;
  if (known) return known;
  const loading = fetchBundle(model);
  page.modules[hash] = loading;
  loading.catch(() => delete page.modules[hash]);
  return loading;
}

export default () => {
  let started: Promise<{ widget: Widget; undo: unknown }> | undefined;
  const start = (context: { model: AnyModel; experimental: Experimental }) =>
    (started ??= load(context.model).then(async bundle => {
      const widget = bundle.widget();
      return { widget, undo: await widget.initialize?.(context) };
    }));
  return {
    // Never awaited here: JupyterLab handles kernel messages one by one, so the comm's answer would wait for us.
    initialize(context: { model: AnyModel; experimental: Experimental }) {
      start(context).catch(error => console.warn('agor:', error));
      return () =>
        started?.then(
          ({ undo }) => (typeof undo === 'function' ? undo() : undefined),
          () => undefined,
        );
    },
    async render(context: { model: AnyModel; el: HTMLElement; experimental: Experimental }) {
      return (await start(context)).widget.render(context);
    },
  };
};
