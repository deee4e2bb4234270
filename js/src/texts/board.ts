// What the bar over the board, the inbox and the command menu say.
export const bar = {
  show: 'Show',
  all: 'All',
  needs: 'Needs me',
  running: 'Running',
  mine: 'Mine',
  filter: 'Filter cards',
  filterOn: 'Filter cards, some are hidden',
  noMatch: (words: string) => `No card matches “${words}”`,
  noHit: {
    all: 'No card',
    needs: 'Nothing on this board needs you',
    running: 'Nothing on this board is running',
    mine: 'No card on this board is yours',
  },
  here: (n: number) => (n === 1 ? 'Only you are here' : `${n} people are here`),
  you: (name: string) => `You are ${name}`,
  reads: (title: string) => `Reading “${title}”`,
  looksAround: 'Viewing the board',
  looksNowhere: (name: string) => `${name} has the board open, but is not viewing it`,
  tab: 'Open in a tab',
  full: 'Full screen',
} as const;

export const inbox = {
  title: 'Inbox',
  button: (n: number) => (n === 0 ? 'Inbox' : n === 1 ? 'Inbox, 1 needs you' : `Inbox, ${n} need you`),
} as const;

export const inboxMore = {
  whose: 'Whose',
  mine: 'For me',
  everyone: 'Everyone',
  empty: 'Nothing needs you. Agents’ questions appear here.',
  foot: 'A row goes away once anyone has answered it',
  open: 'Open',
  onBoard: (board: string) => `on ${board}`,
} as const;

export const menu = {
  open: 'Command menu',
  boardBudget: 'Budget of this board',
  variables: 'Variables',
  tokens: 'Connect your own agent',
  checks: 'Check server and repositories',
  schedules: 'Schedules',
  destinations: 'Notifications',
} as const;

export const menuMore = {
  cards: 'Cards',
  sessions: 'Sessions',
  actions: 'Actions',
  nothing: 'Nothing found',
  rules: 'Rules',
  trust: 'Agent instruction files',
  budget: 'Budget',
  history: 'Conversations on this machine',
  filterBy: (query: string) => (query ? `Filter the board by “${query}”` : 'Filter the board'),
} as const;

export const search = {
  placeholder: 'Find a card, a session, an action, or what was said',
  turns: 'Turns',
  turn: (title: string, number: number) => `${title || 'Untitled'}, turn ${number}`,
} as const;
