// later.js, the second bundle: what opens over and beside a board that stands already. It takes React and what is shared from the
// first, by `kit.ts`.
export { Dialogs } from './panels/Dialogs.js';
export { Inbox } from './panels/Inbox.js';
export { SessionPanel } from './panels/SessionPanel.js';
export { WorktreePanel } from './panels/WorktreePanel.js';
