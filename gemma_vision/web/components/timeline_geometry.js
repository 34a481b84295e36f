// Where moments of a video lie on its timeline, as CSS lengths.

/**
 * A share of a whole in percents.
 * @param {number} share 0 to 1
 */
export function percentLength(share) {
  return `${share * 100}%`;
}

/**
 * The bar of a span on a timeline of that many seconds.
 * @param {Span} span
 * @param {number} seconds
 */
export function spanStyle([from, to], seconds) {
  return { left: percentLength(from / seconds), width: percentLength((to - from) / seconds) };
}

/**
 * Where the playhead stands; videos may play a little longer than their frames say.
 * @param {number} now
 * @param {number} seconds
 */
export function playheadOffset(now, seconds) {
  return percentLength(Math.min(1, now / seconds));
}
