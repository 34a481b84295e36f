// The sentence under a progress bar.

/**
 * @param {ProgressValue} value
 * @param {string} kind what makes progress: "batch" or "video"
 * @param {Translate} translate
 */
export function progressText(value, kind, translate) {
  if (value.state === "idle") return "";
  if (value.state === "ready") return translate(value.say ?? "", value);
  const facts = value.left === undefined ? "facts" : "facts_left";
  const parts = [
    translate(`state_${value.state}`),
    value.total === undefined ? "" : translate(`${kind}_${facts}`, value),
    value.also ? translate(value.also, value) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
