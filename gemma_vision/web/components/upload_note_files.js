// Which of the files that somebody brought is taken as the picture. Knows nothing of the page.

/**
 * Whether a file calls itself a picture. Systems that know no type for it go by its name.
 * @param {{name: string, type: string}} file
 * @param {string[]} suffixes of pictures, in small letters
 */
export function isPicture({ name, type }, suffixes) {
  return type.startsWith("image/") || (type === "" && Boolean(suffixOf(name, suffixes)));
}

/**
 * The first picture among some files, and what is to be said: that none is one, or that there were
 * more.
 * @template {{name: string, type: string}} Brought
 * @param {Brought[]} files
 * @param {string[]} suffixes of pictures, in small letters
 * @returns {{file: Brought | null, note: {key: string, values: Record<string, unknown>} | null}}
 */
export function choosePicture(files, suffixes) {
  const file = files.find((one) => isPicture(one, suffixes)) ?? null;
  const [name, n] = [(file ?? files[0])?.name, files.length];
  if (!file) return { file, note: n ? { key: "not_a_picture", values: { name } } : null };
  return { file, note: n > 1 ? { key: "one_of_many", values: { name, n } } : null };
}

/**
 * The same file with a type, where the system gave it none; fields for pictures take no other.
 * @param {File} file
 * @param {string[]} suffixes of pictures, in small letters
 */
export function typedFile(file, suffixes) {
  if (file.type) return file;
  return new File([file], file.name, { type: `image/${suffixOf(file.name, suffixes).slice(1)}` });
}

/**
 * "IMG_1.HEIC" -> ".heic"; "" where it is none of them.
 * @param {string} name
 * @param {string[]} suffixes
 */
function suffixOf(name, suffixes) {
  return suffixes.find((suffix) => name.toLowerCase().endsWith(suffix)) ?? "";
}
