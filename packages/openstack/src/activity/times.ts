/** `2026-11-22T07:52:41Z`, as neutron writes the times of its resources. */
export const secondsWithZ = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`

/** `2026-11-22 07:52:54+00:00`, as nova writes `created_at`. */
export const secondsWithOffset = (time: Date): string =>
  `${time.toISOString().slice(0, 19).replace('T', ' ')}+00:00`

/** `2026-11-22T07:52:54+00:00`, as cinder writes times. */
export const isoWithOffset = (time: Date): string => `${time.toISOString().slice(0, 19)}+00:00`

/** `2026-11-22T07:52:59.198000`, Python's isoformat of a time without a zone; whole seconds once a database kept it. */
export const microseconds = (time: Date): string => `${time.toISOString().slice(0, 23)}000`

/** `2026-11-22 07:53:11.560000`, Python's str of the same. */
export const microsecondsAfterBlank = (time: Date): string => microseconds(time).replace('T', ' ')
