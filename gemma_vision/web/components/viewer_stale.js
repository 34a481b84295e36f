// Whether the form still asks what the answer answers. The form tells its values at every change and
// at every run (`web/forms/asking.py`), the header which checkpoint answers.

import { isStale } from "./viewer_text.js";

/** @type {Asking} */
const asking = { asked: null, now: null, model: null };

/** @param {Status | undefined} status */
export function isFromBefore(status) {
  return isStale(asking, status);
}

/**
 * @param {string} tab whose form is followed
 * @param {() => void} listener called when something has changed
 */
export function followForm(tab, listener) {
  /** @type {(name: string, take: (detail: string) => void) => void} */
  const follow = (name, take) =>
    document.addEventListener(name, (event) => {
      take(/** @type {CustomEvent} */ (event).detail);
      listener();
    });
  follow("gv-model", (id) => {
    asking.model = id;
  });
  follow(`gv-form-${tab}`, (values) => {
    asking.now = values;
  });
  follow(`gv-asked-${tab}`, (values) => {
    asking.now = asking.asked = values;
  });
}
