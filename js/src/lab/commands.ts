// The launcher's item and the palette's commands. All begin with `agor:`. Where menus have them is in `schema/commands.json`.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';

import { kernels as words } from '../texts/kernels.js';
import { FACTORY } from './document.js';
import { boardIcon } from './icon.js';
import { notebookOn } from './notebook.js';

const NEW = 'agor:new-board';
const NOTEBOOK = 'agor:notebook';
const CATEGORY = 'Agor';
const EMPTY = `${JSON.stringify({ agor: 1, meta: {}, objects: {} }, null, 1)}\n`;

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'agor-jupyter:commands',
  description: 'New boards, and notebooks on worktrees, from the launcher and the command palette.',
  autoStart: true,
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (app: JupyterFrontEnd, launcher: ILauncher | null, palette: ICommandPalette | null, browser: IDefaultFileBrowser | null) => {
    app.commands.addCommand(NEW, {
      label: args => (args['isPalette'] ? 'New Agor Board' : args['isMenu'] ? 'Agor Board' : 'Agor board'),
      caption: 'Make a board for agents and worktrees',
      icon: args => (args['isPalette'] ? undefined : boardIcon),
      execute: async args => {
        const folder = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
        const contents = app.serviceManager.contents;
        const made = await contents.newUntitled({ path: folder, type: 'file', ext: '.agor' });
        await contents.save(made.path, { type: 'file', format: 'text', content: EMPTY });
        return app.commands.execute('docmanager:open', { path: made.path, factory: FACTORY });
      },
    });
    app.commands.addCommand(NOTEBOOK, {
      label: args => (args['isPalette'] ? words.commandOpens : words.command),
      caption: words.caption,
      icon: args => (args['isPalette'] ? undefined : boardIcon),
      execute: args => {
        const folder = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
        return notebookOn(app, typeof args['worktree'] === 'string' ? args['worktree'] : null, folder);
      },
    });
    launcher?.add({ command: NOTEBOOK, category: 'Other', rank: 2 });
    palette?.addItem({ command: NOTEBOOK, category: CATEGORY, args: { isPalette: true } });
    launcher?.add({ command: NEW, category: 'Other', rank: 1 });
    palette?.addItem({ command: NEW, category: CATEGORY, args: { isPalette: true } });
  },
};
