// What a view says before a board stands in it, and while the server cannot be reached.

export const host = {
  noServer: (path: string) => `The board ${path} needs a Jupyter server in this page. Open the notebook in JupyterLab.`,
  opening: (path: string) => `Opening ${path}`,
  failed: 'The board could not be opened',
  again: 'Try again',
  notLoaded: 'This could not be loaded: the server cannot be reached. Try again.',
  make: 'Create it now',
  resize: 'Resize',
} as const;

export const opening = {
  server: {
    title: 'Waiting for the server',
    text: (path: string) => `${path} opens here as soon as the server answers.`,
  },
  board: {
    title: 'This board does not exist yet',
    text: (path: string) => `${path} appears here as soon as it is created: from a notebook, from a shell, or by a colleague.`,
  },
  gone: {
    title: 'This board is gone',
    text: (path: string) =>
      `The file ${path} no longer exists. Worktrees, sessions and their work are kept. The board opens here when the file is back.`,
  },
  trying: 'Trying again',
  makeAgain: 'Create it again',
} as const;

export const connection = {
  reconnecting: 'Reconnecting',
  asOf: (time: string) => `As of ${time}. You can keep arranging.`,
  lastSeen: (state: string) => `Last seen ${state}`,
  asOfHour: (time: string) => `As of ${time}`,
  isLost: 'Connection lost',
  tryNow: 'Try now',
  back: 'Back online',
  caughtUp: (n: number) => (n === 0 ? 'You missed nothing.' : n === 1 ? '1 event caught up.' : `${n} events caught up.`),
  viewOnly: 'View only',
  viewer: 'You can read and follow. Ask an owner of this server to let you prompt.',
  layoutReadOnly: 'The layout of this board cannot be changed here.',
  notSentTitle: 'Not sent.',
  notSent: (what: string) => `Not sent: ${what}. The server cannot be reached.`,
  sendAgain: 'Send again',
} as const;
