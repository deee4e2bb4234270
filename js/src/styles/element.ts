export function styleElement(id: string, sheets: readonly string[]): HTMLStyleElement {
  const style = document.createElement('style');
  style.id = id;
  style.textContent = sheets.join('\n');
  return style;
}
