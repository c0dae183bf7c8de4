/**
 * Does something `count` times with `inFlight` of it under way. The same for every contestant, so that it weighs on each
 * alike.
 *
 * @returns how long each took, in milliseconds.
 */
export async function runInFlight(
  count: number,
  inFlight: number,
  once: () => Promise<unknown>,
): Promise<Float64Array> {
  const tookMs = new Float64Array(count)
  let begun = 0

  async function work(): Promise<void> {
    while (begun < count) {
      const place = begun++
      const startMs = performance.now()
      await once()
      tookMs[place] = performance.now() - startMs
    }
  }

  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, work))
  return tookMs
}
