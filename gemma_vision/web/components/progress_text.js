// The sentence under a progress bar.

/**
 * @param {ProgressValue} value
 * @param {string} kind what makes progress: "batch" or "video"
 * @param {Translate} translate
 */
export function progressText(value, kind, translate) {
  if (value.state === "empty") return translate(`${kind}_empty`);
  const facts = value.left === undefined ? "facts" : "facts_left";
  const parts = [
    translate(`state_${value.state}`),
    value.total === undefined ? "" : translate(`${kind}_${facts}`, value),
    value.also ? translate(value.also, value) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
