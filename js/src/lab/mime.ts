// Draws a board in a cell's output. Rank -20 is before the widget view (-10) and `safe`, so that a second client, an untrusted notebook
// and a notebook without a kernel show the live board too. Only the path is read from the output, never HTML.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { type IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { BoardView } from './BoardView.js';
import { notebookOf } from './notebook.js';
import { pageOf } from './page.js';
import { terminalOf } from './terminal.js';

const MIME = 'application/vnd.agor.board+json';
const RANK = -20;

class BoardOutput extends BoardView implements IRenderMime.IRenderer {
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const reference = model.data[MIME];
    const path = reference && typeof reference === 'object' && 'path' in reference ? reference.path : undefined;
    if (typeof path !== 'string' || !path.endsWith('.agor')) {
      this.node.textContent = 'This output names no board. Run the cell again.';
      return;
    }
    await this.open(path);
  }
}

export const mimePlugin: JupyterFrontEndPlugin<void> = {
  id: 'agor-jupyter:mime',
  description: 'Shows a board in the output of a cell.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    const openInTab = (path: string) => void app.commands.execute('docmanager:open', { path });
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [MIME],
        createRenderer: () =>
          new BoardOutput('cell', {
            openInTab,
            openTerminal: terminalOf(app),
            openNotebook: notebookOf(app),
            openPage: pageOf(app),
            showBoard: openInTab,
          }),
      },
      RANK,
    );
  },
};
