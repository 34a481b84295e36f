// A visitor's camera: opened, listed, and why there is none.

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "taken",
  AbortError: "taken",
};
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/**
 * The key of the sentence for a camera that could not be opened.
 * @param {unknown} error
 */
export function cameraReason(error) {
  return (error instanceof Error && REASONS[error.name]) || "failed";
}

/**
 * A camera's stream: the one of that id, or what looks away from whoever holds the device.
 * @param {string} id "" where none was chosen
 */
export function openCamera(id) {
  const which = id ? { deviceId: { exact: id } } : { facingMode: { ideal: "environment" } };
  return navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which }, audio: false });
}

// Without a secure page browsers do not even say whether there is a camera.
export function hasCameras() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Cameras by id and name; names are there once one was allowed. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
}

/** @param {MediaStream | null} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
