// `*.agor` as a document in JupyterLab and Notebook 7. Its room is joined by the bundle's own provider, so it also works where
// real-time collaboration of notebooks is off. JupyterLab itself neither edits nor saves the file.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ABCWidgetFactory, type DocumentRegistry, DocumentWidget, TextModelFactory } from '@jupyterlab/docregistry';

import { BoardView } from './BoardView.js';
import type { Host } from './bundle.js';
import { boardIcon } from './icon.js';
import { notebookOf } from './notebook.js';
import { pageOf } from './page.js';
import { terminalOf } from './terminal.js';

export const FACTORY = 'Agor Board';
export const FILE_TYPE = 'agor-board';

class BoardModelFactory extends TextModelFactory {
  override get name(): string {
    return 'agor-board-model';
  }
}

class BoardFactory extends ABCWidgetFactory<DocumentWidget<BoardView>, DocumentRegistry.ICodeModel> {
  readonly #can: Host;

  constructor(options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<BoardView>>, can: Host) {
    super(options);
    this.#can = can;
  }

  protected createNewWidget(context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>): DocumentWidget<BoardView> {
    // The room saves the file. What JupyterLab read when it opened the tab is old, and must never be written back.
    Object.assign(context, { save: () => Promise.resolve(), saveAs: () => Promise.resolve() });
    const content = new BoardView('tab', this.#can);
    const show = () => void content.open(context.path);
    void context.ready.then(show);
    context.pathChanged.connect(show);
    const widget = new DocumentWidget({ content, context });
    widget.title.icon = boardIcon;
    // The board has a bar of its own; an empty one over it is a strip of nothing.
    widget.toolbar.hide();
    return widget;
  }
}

export const documentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'agor-jupyter:document',
  description: 'Opens *.agor files as boards.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    const { docRegistry } = app;
    docRegistry.addFileType({
      name: FILE_TYPE,
      displayName: 'Agor board',
      extensions: ['.agor'],
      contentType: 'file',
      fileFormat: 'text',
      mimeTypes: ['application/x-agor+json'],
      icon: boardIcon,
    });
    docRegistry.addModelFactory(new BoardModelFactory());
    docRegistry.addWidgetFactory(
      new BoardFactory(
        { name: FACTORY, modelName: 'agor-board-model', fileTypes: [FILE_TYPE], defaultFor: [FILE_TYPE], readOnly: true },
        {
          openTerminal: terminalOf(app),
          openNotebook: notebookOf(app),
          openPage: pageOf(app),
          showBoard: path => void app.commands.execute('docmanager:open', { path }),
        },
      ),
    );
  },
};
