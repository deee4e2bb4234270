// canvas.js, the one bundle: for the anywidget's loader, the labextension, and a page. The same URL is the same module instance.
import { agorGlobal } from './transport/page.js';

export { mountBoard } from './page/mount.js';
export { widget } from './widget/widget.js';

const page = agorGlobal();
page.evaluations = (page.evaluations ?? 0) + 1;
