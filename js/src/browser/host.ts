/** What the pages of some hosts do otherwise than Jupyter's. */

/** Whether widgets are made from the state that the kernel sent last, as in marimo, and not from what it has now. */
export const replaysState = () => globalThis.customElements?.get("marimo-anywidget") !== undefined;
