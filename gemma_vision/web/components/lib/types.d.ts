// Types of the components' scripts: what gr.HTML puts in their scope, and the values that Python
// sends them. Read by `npm run types` and by editors; the page never sees this file.

// ---- the scope of `js_on_load` (Gradio calls it as a function with these arguments) ----------

/** The component's own root element, filled from its template. */
declare const element: HTMLElement;
/** The component's properties; `props.value` is what Python sent last. */
// biome-ignore lint/suspicious/noExplicitAny: each script names the types of its own properties.
declare const props: Record<string, any>;
/** Calls the listener of that name in Python with `data` as the event's data. */
declare function trigger(event: string, data?: object): void;
/** Puts a file where Gradio keeps uploads. */
declare function upload(file: File): Promise<{ path: string; url: string }>;
/** Runs the callback whenever Python has sent that property anew. */
declare function watch(name: string, callback: () => void): void;
/** What Gradio's page was made from. */
declare var gradio_config: { i18n_translations?: Texts | null } | undefined;

/** Texts by language, then by "table:key". */
type Texts = Record<string, Record<string, string>>;
/** A text of the page by its key, its {holes} filled in. */
type Translate = (key: string, values?: Record<string, unknown>) => string;

// ---- geometry: pixels of the image, or CSS pixels of the canvas ------------------------------

type Size = { width: number; height: number };
type Point = { x: number; y: number };
/** x0, y0, x1, y1 */
type Box = [number, number, number, number];
/** Where the image lies on the canvas: canvas = image * scale + (x, y). */
type View = { scale: number; x: number; y: number };
/** The upper left corner of a label on the canvas, and its width. */
type LabelSpot = Point & { width: number };

// ---- the viewer -------------------------------------------------------------------------------

type GradioFile = { url: string };
type ImageEntry = Size & { file: GradioFile | null; original: GradioFile | null };
type Instance = {
  label: string;
  color: string;
  box: Box;
  path: string | null;
  score: number | null;
  point?: [number, number] | null; // x, y; the box is then empty at that place
  only?: boolean; // a comparison: the other side did not find it
  unasked?: boolean; // found under a name that was not asked for
};
/** The record being written: edges are null until they are known. */
type PartialRecord = {
  y0: number | null;
  x0: number | null;
  y1: number | null;
  x1: number | null;
  path?: string | null;
};
type Status = {
  state: "running" | "done" | "empty" | "stopped" | "error";
  model: string | null;
  masks_by?: string | null; // the checkpoint that made the masks, where another found the things
  is_demo?: boolean; // the model that comes inside
  finish: string | null;
  task: string;
  tokens: number;
  limit: number;
  room: number | null;
  seconds: number | null;
};
/** The fields of the form that a button changes before it runs. */
type Ask = Record<string, unknown>;
/** A line under the status: a sentence by its key, words that can be asked, a button. */
type GuidanceLine = {
  say: string;
  values: Record<string, unknown>;
  chips: { label: string; ask: Ask }[];
  more: number;
  action: string;
  ask: Ask;
};
/** The form's values when it was run last and now, as one text each; the checkpoint that answers. */
type Asking = { asked: string | null; now: string | null; model: string | null };
type ViewerValue = {
  run: string;
  image: ImageEntry | null;
  instances: Instance[];
  left_out: Instance[]; // found, and shown when somebody wants to see them
  guidance: GuidanceLine[] | null;
  partial: PartialRecord | null;
  text: string;
  words: string;
  thought: string; // what the model said to itself; no part of the answer
  notes: string[];
  status: Status;
};

/** An instance as it is drawn. */
type Thing = {
  index: number;
  label: string;
  color: string;
  score: number | null;
  only: boolean;
  unasked: boolean;
  born: number; // when it arrived, as performance.now() counts
  path: Path2D | null;
  box: Box;
  point: [number, number] | null;
  isHidden: boolean; // by its own row
  isVisible: boolean;
  source: string; // the instance it was made from
};
type PartialThing = Omit<PartialRecord, "path"> & { path: Path2D | null };
type DrawOptions = {
  boxes: boolean;
  masks: boolean;
  labels: boolean;
  opacity: number; // 0 to 1
  line: number; // CSS pixels
  wipe: number; // 0 to 1: the part of the image, from the left, that is shown bare
  score: number; // 0 to 1: the least score that is shown
  ground: "whole" | "dim" | "blur" | "cut";
};
type Scene = {
  picture: Size | null;
  bitmap: CanvasImageSource | null;
  area: Size;
  ratio: number; // device pixels of a CSS pixel
  view: View;
  things: Thing[];
  partial: PartialThing | null;
  listed: LabelGroup[]; // labels that are listed even while nothing bears them
  isMoving: boolean; // one picture follows another: nothing fades in
  hovered: number; // index of a thing, or -1
  selected: number;
  now: number;
  still: boolean; // nothing fades in
  options: DrawOptions;
};
/** A scene that has a picture. */
type PaintedScene = Scene & { picture: Size };
/** A state of what was found in a camera's frame; the last has a `finish`. */
type FrameAnswer = Size & {
  things: Instance[];
  partial: PartialRecord | null;
  finish: string | null;
  notes: string[];
  seconds: number;
  side: number; // pixels of a frame's longer side that are of use to the model
};
type LiveState = { name: "off" | "asking" | "on" };
/** The camera that a viewer shows. */
type LiveCamera = {
  page: string; // a mark of this page, so that its newer frame takes an older one's place
  form: Record<string, unknown>;
  stream: MediaStream | null;
  running: AbortController; // aborted while no camera is on
  rate: import("../viewer_live_rate.js").FrameRate;
  side: number;
  found: Instance[]; // in the last frame whose answer is whole
  frames: [HTMLCanvasElement, HTMLCanvasElement]; // the one shown, the one on its way
};
type SliderName = "opacity" | "score" | "wipe" | "line";
type RowListeners = {
  select: (index: number) => void;
  hover: (index: number) => void;
  hide: (index: number) => void;
};
type LabelGroup = { label: string; color: string; count: number; unasked: boolean };

// ---- the other components ---------------------------------------------------------------------

type ModelChange = { id: string; phase: string; done: number; total: number };
type Outcome = { number: number; result: string; id: string; why?: string; code?: string };
type ModelState = {
  id: string;
  family: string;
  names: string[]; // that it knows; none where its vocabulary is open
  state: "ready" | "loading" | "none";
  revision: number;
  parameters: number | null;
  device: string | null;
  dtype: string | null;
  change: ModelChange | null;
  outcome: Outcome | null;
};
/** A row of the list of checkpoints. */
type ModelRow = {
  id: string;
  title: string;
  kind: "mix" | "pt" | "ft" | "it" | "";
  here: boolean;
  loaded: boolean;
  fits: boolean;
  bytes: number;
  need: number;
  parameters: number | null;
  side: number | null;
  licence: string | null;
  tasks: string[];
};
/** The checkpoint to begin with on this machine; sizes in bytes of memory. */
type Recommendation = {
  id: string;
  device: string;
  need: number;
  room: number;
  fits: boolean;
  packed_need: number | null;
  seconds: number | null; // about what a picture takes, where that is known
};
/** Where the Hub's token is from, and whether the page may give one. */
type TokenState = { source: "given" | "environment" | "login" | "none"; taken: boolean };
/** What the dialog of checkpoints is sent. */
type ModelListing = {
  rows: ModelRow[];
  room: number;
  recommended: Recommendation;
  open: Recommendation | null; // to begin with where there is no token
  token: TokenState;
  note: string;
};

/** A new result has `run`, what came of a wish for a file `kind`, of one for code `snippets`. */
type TakeHomeValue = {
  run?: string;
  kinds?: string[];
  code?: boolean;
  kind?: string;
  file?: GradioFile | null;
  name?: string;
  error?: string;
  snippets?: Record<string, string>;
};
type CompareValue = {
  note?: string;
  state?: string;
  same?: boolean;
  blank?: boolean; // nobody found or said anything
  both: number;
  left: number;
  right: number;
  overlap: number | null;
};
type ProgressValue = {
  state: string;
  notes: string[];
  done?: number;
  total?: number;
  left?: unknown;
  also?: string;
  say?: string;
};
type ChatMessage = { role: string; text: string; thought?: string; file?: GradioFile | null };
type TalkValue = {
  state: string;
  messages: ChatMessage[];
  notes: string[];
  tokens: number;
  seconds: number;
  cut: number; // tokens at which the answer was cut; 0 where it was not
};
type CropsValue = { asked: boolean; picture: ImageEntry; boxes: Box[] };
type ExampleCard = { src: string; task: string; text: string };
type NameSheet = { src: string; columns: number };
type NamesValue = { id: string; names: string[] };
/** A time in the video from which and to which an object was seen, in seconds. */
type Span = [number, number];
type TrackedObject = { id: number; label: string; color: string; spans: Span[] };

// ---- inside the model -------------------------------------------------------------------------

type StagePicture = { key: string; src: string; n?: unknown };
type Edge = { at: number; levels: string };
/** The edges of a box, x0 y0 x1 y1, each with the probabilities of its place. */
type EdgeBox = { edges: Record<string, Edge> };
type Token = {
  text: string;
  p: number;
  at: number | null;
  score: number;
  rivals: [string, number][];
};
type MaskStage = { codes: number[]; label: string; src: string; box: Box };
type Stage = {
  name: string;
  shape: number[];
  facts: Record<string, unknown> & { grid?: number };
  pictures: StagePicture[];
  boxes: unknown[]; // stage "crops": Box in parts of the image; "tokens": EdgeBox
  runs: { soft?: number; text: string }[];
  tokens: Token[];
  masks: MaskStage[];
};
