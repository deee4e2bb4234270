// The labextension's plugins.
import { commandsPlugin } from './commands.js';
import { documentPlugin } from './document.js';
import { mimePlugin } from './mime.js';

export default [documentPlugin, mimePlugin, commandsPlugin];
