// A terminal of JupyterLab with a command in it. A person reads it there and presses Enter.
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { shellLine } from '../panels/common/words.js';

const CREATE = 'terminal:create-new';

/** The parts of JupyterLab's terminal widget that are used here. */
interface Terminal {
  readonly content: {
    readonly session: {
      readonly connectionStatus: string;
      readonly connectionStatusChanged: { connect(slot: () => void): boolean; disconnect(slot: () => void): boolean };
      send(message: { type: 'stdin'; content: string[] }): void;
    };
  };
}

export function terminalOf(app: JupyterFrontEnd): (command: readonly string[]) => void {
  return command =>
    void app.commands.execute(CREATE).then((widget: Terminal | undefined) => {
      if (!widget) return;
      const { session } = widget.content;
      const type = () => {
        if (session.connectionStatus !== 'connected') return;
        session.connectionStatusChanged.disconnect(type);
        session.send({ type: 'stdin', content: [shellLine(command)] });
      };
      session.connectionStatusChanged.connect(type);
      type();
    });
}
