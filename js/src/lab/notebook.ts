// A notebook on the kernel of a worktree: opened for a board, and from the launcher and the palette.
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';

import type { Me, Worktree } from '../protocol/generated.js';
import { folderOf, makeKernel, settled } from '../session/kernels.js';
import { kernels as words } from '../texts/kernels.js';
import { Http } from '../transport/http.js';
import { pageConfig } from '../transport/page.js';

/** `folder` as the file browser names it. */
export interface Notebook {
  readonly kernel: string;
  readonly folder: string;
}

const CREATE = 'notebook:create-new';

/** The spec may be younger than the list that JupyterLab has. */
export function notebookOf(app: JupyterFrontEnd): (notebook: Notebook) => Promise<void> {
  return async ({ kernel, folder }) => {
    await app.serviceManager.kernelspecs.refreshSpecs();
    await app.commands.execute(CREATE, { cwd: folder, kernelName: kernel, activate: true });
  };
}

/** Asks which worktree, unless `name` says it. `folder` is where the notebook lies if the file browser does not show the worktree's. */
export async function notebookOn(app: JupyterFrontEnd, name: string | null, folder: string): Promise<void> {
  const page = pageConfig();
  if (!page) return;
  const http = new Http(page);
  const worktree = await chosen(http, name);
  if (!worktree) return;
  const id = Notification.emit(`${worktree.name}: ${words.making('')}`, 'in-progress', { autoClose: false });
  try {
    const { rootDir } = await http.get<Me>('me');
    const tell = (step: string | null) => Notification.update({ id, message: `${worktree.name}: ${words.making(step ?? '')}` });
    const kernel = await settled({ http }, await makeKernel({ http }, worktree.id), ({ step }) => tell(step));
    const own = folderOf(worktree, rootDir);
    await notebookOf(app)({ kernel: kernel.specName, folder: own ?? folder });
    const message = `${worktree.name}: ${own === null ? words.elsewhere : words.isReady}`;
    Notification.update({ id, message, type: 'success', autoClose: 5000 });
  } catch (error) {
    Notification.update({ id, message: error instanceof Error ? error.message : String(error), type: 'error', autoClose: false });
  }
}

async function chosen(http: Http, name: string | null): Promise<Worktree | undefined> {
  try {
    const found = await http.get<Worktree[] | { items: Worktree[] }>('worktrees');
    const ready = (Array.isArray(found) ? found : found.items).filter(({ state }) => state === 'ready');
    if (name !== null) return ready.find(one => one.id === name || one.name === name);
    if (!ready.length) {
      Notification.info(words.noWorktrees);
      return undefined;
    }
    const items = ready.map(one => words.choice(one.name, one.repo));
    const { value } = await InputDialog.getItem({ title: words.command, label: words.which, items });
    return value === null ? undefined : ready[items.indexOf(value)];
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
